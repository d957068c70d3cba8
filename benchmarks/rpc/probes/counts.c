// Preloaded into a server: counts allocations, and bytes that user space copies, in a shared file that the harness
// reads while the server runs (BENCH_COUNTS names it). Copies that compilers inline, small ones of a fixed size, and
// those of the kernel are not seen.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// The layout is read by harness/probes.py.
struct counts {
    uint64_t allocations;
    uint64_t allocated_bytes;
    uint64_t copies;
    uint64_t copied_bytes;
};

static struct counts nowhere;
static struct counts *counts = &nowhere;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

__attribute__((constructor)) static void open_counts(void) {
    const char *path = getenv("BENCH_COUNTS");
    const int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *map = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map != MAP_FAILED) counts = map;
    close(file);
}

static void count(uint64_t *number, uint64_t *bytes, size_t size) {
    __atomic_fetch_add(number, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(bytes, size, __ATOMIC_RELAXED);
}

static void count_allocation(size_t size) {
    count(&counts->allocations, &counts->allocated_bytes, size);
}

void *malloc(size_t size) {
    count_allocation(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count_allocation(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count_allocation(size);
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count_allocation(size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count_allocation(size);
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : 12;
}

static void copy(void *to, const void *from, size_t size) {
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void copy_backwards(void *to, const void *from, size_t size) {
    to = (char *)to + size - 1;
    from = (const char *)from + size - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    count(&counts->copies, &counts->copied_bytes, size);
    copy(to, from, size);
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    count(&counts->copies, &counts->copied_bytes, size);
    if ((uintptr_t)to - (uintptr_t)from < size)
        copy_backwards(to, from, size);
    else
        copy(to, from, size);
    return to;
}

void *__memcpy_chk(void *restrict to, const void *restrict from, size_t size, size_t room) {
    (void)room;
    return memcpy(to, from, size);
}

void *__memmove_chk(void *to, const void *from, size_t size, size_t room) {
    (void)room;
    return memmove(to, from, size);
}
