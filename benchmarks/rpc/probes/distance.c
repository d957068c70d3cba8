// distance CORE CORE
//
// How far apart two processors are: prints the nanoseconds that a cache line takes from one to the other and back, the
// median of some batches. About 100 where they share a cache, 500 where they do not. On a virtual machine that changes
// when the host moves them.

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCHES = 15, TRIPS = 300 };

static _Alignas(128) atomic_int there;
static _Alignas(128) atomic_int back;

static void pin(const char *core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)atoi(core), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        perror("sched_setaffinity");
        exit(1);
    }
}

static void *answer(void *core) {
    pin(core);
    for (int trip = 1; trip <= BATCHES * TRIPS; ++trip) {
        while (atomic_load_explicit(&there, memory_order_acquire) != trip) {
        }
        atomic_store_explicit(&back, trip, memory_order_release);
    }
    return NULL;
}

static double nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: distance CORE CORE\n");
        return 2;
    }
    pthread_t other;
    if (pthread_create(&other, NULL, answer, arguments[2]) != 0) return 1;
    pin(arguments[1]);
    double batches[BATCHES];
    int trip = 0;
    for (int batch = 0; batch < BATCHES; ++batch) {
        const double begun = nanoseconds();
        for (int i = 0; i < TRIPS; ++i) {
            atomic_store_explicit(&there, ++trip, memory_order_release);
            while (atomic_load_explicit(&back, memory_order_acquire) != trip) {
            }
        }
        batches[batch] = (nanoseconds() - begun) / TRIPS;
    }
    pthread_join(other, NULL);
    qsort(batches, BATCHES, sizeof *batches, ascending);
    printf("%.0f\n", batches[BATCHES / 2]);
    return 0;
}
