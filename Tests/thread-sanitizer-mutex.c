/* Swift's `Mutex` on Linux: its fast path is compiled into us, where ThreadSanitizer sees it; the slow path, of a lock
 * that somebody else holds, is in libswiftSynchronization, which is not instrumented. So each handover of a contended
 * lock looked like a race. This library, preloaded by `make thread-sanitize`, says what the slow path does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);

typedef SWIFT void (*lock_slow)(uint32_t thread, SELF void *mutex);
typedef SWIFT void (*unlock_slow)(SELF void *mutex);

SWIFT void lock_contended(uint32_t thread, SELF void *mutex)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void unlock_contended(SELF void *mutex) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

SWIFT void lock_contended(uint32_t thread, SELF void *mutex) {
    static lock_slow next;
    if (!next) next = (lock_slow)dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
    next(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT void unlock_contended(SELF void *mutex) {
    static unlock_slow next;
    if (!next) next = (unlock_slow)dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
    __tsan_release(mutex);
    next(mutex);
}
