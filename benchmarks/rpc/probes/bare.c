// bare BYTES CONGESTION [SECONDS]
//
// What loopback itself can do with one large message at a time: BYTES go from core 1 to core 0, 64 bytes come back, and
// so on, without HTTP/2, without flow control of its own, and with a receiver that never sleeps. No server behind TCP can
// be faster than that with a sender of this kind. Prints MB/s, and the processor time of the sender for a message.

#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RECEIVER_CORE = 0, SENDER_CORE = 1, REPLY_BYTES = 64, MOST_AT_ONCE = 1 << 20, MOST_READ = 512 << 10 };

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) fail("sched_setaffinity");
}

static void set_options(int socket, const char *congestion) {
    const int one = 1;
    if (setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) fail("TCP_NODELAY");
    if (setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, congestion, (socklen_t)strlen(congestion)) != 0)
        fail(congestion);
}

static char *memory(size_t bytes) {
    char *place = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (place == MAP_FAILED) fail("mmap");
    return place;
}

static void receive_all(int listener, size_t bytes, const char *congestion) {
    pin(RECEIVER_CORE);
    const int socket = accept(listener, NULL, NULL);
    if (socket < 0) fail("accept");
    set_options(socket, congestion);
    char *place = memory(bytes);
    const char reply[REPLY_BYTES] = {0};
    size_t at = 0;
    while (1) {
        const size_t wanted = bytes - at < MOST_READ ? bytes - at : MOST_READ;
        const ssize_t count = recv(socket, place + at, wanted, MSG_DONTWAIT);
        if (count == 0) exit(0);
        if (count < 0) continue;  // It looks again: to sleep would cost a wake-up.
        at += (size_t)count;
        if (at < bytes) continue;
        at = 0;
        if (send(socket, reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply) exit(0);
    }
}

static void exchange(int socket, const char *message, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        const size_t next = bytes - at < MOST_AT_ONCE ? bytes - at : MOST_AT_ONCE;
        const ssize_t count = send(socket, message + at, next, MSG_NOSIGNAL);
        if (count < 0) fail("send");
        at += (size_t)count;
    }
    char reply[REPLY_BYTES];
    if (recv(socket, reply, sizeof reply, MSG_WAITALL) != sizeof reply) fail("recv");
}

int main(int count, char **arguments) {
    const long bytes = count >= 3 ? atol(arguments[1]) : 0;
    const double length = count == 4 ? atof(arguments[3]) : 0.5;
    if (bytes <= 0 || length <= 0 || count > 4) {
        fprintf(stderr, "usage: bare BYTES CONGESTION [SECONDS]\n");
        return 2;
    }
    const char *congestion = arguments[2];
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    const pid_t receiver = fork();
    if (receiver < 0) fail("fork");
    if (receiver == 0) receive_all(listener, (size_t)bytes, congestion);
    pin(SENDER_CORE);
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, size) != 0) fail("connect");
    set_options(connection, congestion);
    const char *message = memory((size_t)bytes);
    const double warm = seconds(CLOCK_MONOTONIC) + length / 2;
    while (seconds(CLOCK_MONOTONIC) < warm) exchange(connection, message, (size_t)bytes);
    const double begin = seconds(CLOCK_MONOTONIC), busy = seconds(CLOCK_PROCESS_CPUTIME_ID);
    double now = begin;
    long messages = 0;
    for (; now < begin + length; ++messages, now = seconds(CLOCK_MONOTONIC))
        exchange(connection, message, (size_t)bytes);
    printf("%.0f MB/s, sender busy %.0f us a message\n", (double)bytes * (double)messages / (now - begin) / 1e6,
           (seconds(CLOCK_PROCESS_CPUTIME_ID) - busy) / (double)messages * 1e6);
    close(connection);
    waitpid(receiver, NULL, 0);
    return 0;
}
