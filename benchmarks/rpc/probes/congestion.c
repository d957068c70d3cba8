// Preloaded into a system under measurement: its TCP sockets use the congestion control that BENCH_CONGESTION names.
// Accepted sockets inherit it from their listener. So all systems are treated alike, and the machine is left alone.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int socket(int domain, int type, int protocol) {
    static int (*real)(int, int, int);
    if (!real) real = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    const int descriptor = real(domain, type, protocol);
    const char *name = getenv("BENCH_CONGESTION");
    const int is_tcp = (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM;
    if (descriptor >= 0 && is_tcp && name &&
        setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) != 0) {
        perror("TCP_CONGESTION");
        abort();
    }
    return descriptor;
}
