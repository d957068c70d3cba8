/* What ThreadSanitizer must be told of the Swift runtime, which is not instrumented: preloaded by `make thread-sanitize`,
 * it stands in front of functions of the runtime and says what they order. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
#define ASYNC __attribute__((swiftasynccall))
#define ASYNC_CONTEXT __attribute__((swift_async_context))

extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);

/* ---- Mutex
 *
 * Its fast path is compiled into us, where ThreadSanitizer sees it; the slow path, of a lock that somebody else holds, is
 * in libswiftSynchronization. So each handover of a contended lock looked like a race. */

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

/* ---- Continuations
 *
 * The runtime itself tells ThreadSanitizer of jobs, tasks, groups, and of a continuation that is resumed (a release of its
 * task), but not of the two ends of the wait: a task that finds its continuation resumed already goes on without an
 * acquire, and one that suspends has not released what it wrote into its frame, which another thread will go on with. */

typedef ASYNC void (*resume_function)(ASYNC_CONTEXT void *context);

/* The head of the runtime's ContinuationAsyncContext, which is part of its ABI. */
struct continuation {
    void *parent;
    resume_function resume_parent;
    uintptr_t flags;
};

/* The task goes on by `swift_task_switch`, which acquires. */
#define EXECUTOR_SWITCH_FORCED 2

extern SWIFT void *swift_task_getCurrent(void);

/* Where the task of this thread goes on that has not had to wait. */
static __thread resume_function going_on;

/* Called by the runtime's own `swift_continuation_await`, on the same thread, where it does not suspend. A task that was
 * suspended goes on elsewhere: what it does then was noted when the continuation was made. */
static ASYNC void resumed_already(ASYNC_CONTEXT void *context) {
    __tsan_acquire(swift_task_getCurrent());
    __attribute__((musttail)) return going_on(context);
}

ASYNC void swift_continuation_await(struct continuation *continuation) {
    typedef ASYNC void (*await_function)(struct continuation *);
    static await_function next;
    if (!next) next = (await_function)dlsym(RTLD_NEXT, "swift_continuation_await");
    __tsan_release(swift_task_getCurrent());
    if (!(continuation->flags & EXECUTOR_SWITCH_FORCED)) {
        going_on = continuation->resume_parent;
        continuation->resume_parent = resumed_already;
    }
    __attribute__((musttail)) return next(continuation);
}
