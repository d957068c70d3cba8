#include "network_gate.hpp"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "protocol.hpp"

namespace {

/// Without a port as long as nothing is allowed.
struct {
    std::string host;
    uint16_t port = 0;
    int family = AF_UNSPEC;
    in_addr v4{};
    in6_addr v6{};
} allowed;

/// Redirects and a second call with a password are some, parts of a file others.
constexpr int kMaximumCalls = 24;

int calls = 0;
bool kept_from_elsewhere = false;

bool is_allowed(const sockaddr* address, socklen_t count) {
    if (allowed.port == 0 || !address || address->sa_family != allowed.family) return false;
    if (allowed.family == AF_INET && count >= sizeof(sockaddr_in)) {
        sockaddr_in to;
        std::memcpy(&to, address, sizeof(to));
        return ntohs(to.sin_port) == allowed.port && to.sin_addr.s_addr == allowed.v4.s_addr;
    }
    if (allowed.family == AF_INET6 && count >= sizeof(sockaddr_in6)) {
        sockaddr_in6 to;
        std::memcpy(&to, address, sizeof(to));
        return ntohs(to.sin6_port) == allowed.port && std::memcmp(&to.sin6_addr, &allowed.v6, sizeof(in6_addr)) == 0;
    }
    return false;
}

}  // namespace

// These stand before those of libc for all libraries of this process.
extern "C" {

__attribute__((visibility("default"))) int connect(int descriptor, const sockaddr* address, socklen_t count) {
    if (!is_allowed(address, count)) {
        kept_from_elsewhere = true;
        errno = EACCES;
        return -1;
    }
    if (++calls > kMaximumCalls) {
        errno = EACCES;
        return -1;
    }
    return int(syscall(SYS_connect, descriptor, address, count));
}

__attribute__((visibility("default"))) int getaddrinfo(const char*, const char* service, const addrinfo* hints,
                                                       addrinfo** found) {
    using Call = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const Call real = reinterpret_cast<Call>(dlsym(RTLD_NEXT, "getaddrinfo"));
    if (!real || allowed.port == 0) return EAI_FAIL;
    addrinfo wanted{};
    if (hints) wanted = *hints;
    wanted.ai_flags |= AI_NUMERICHOST;
    return real(allowed.host.c_str(), service, &wanted, found);
}
}

namespace framemesh {

void allow_only(const std::string& where) {
    size_t colon = where.rfind(':');
    if (colon == std::string::npos || colon == 0) throw Failure("'" + where + "' is no ADDRESS:PORT");
    std::string host = where.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    char* end = nullptr;
    unsigned long port = std::strtoul(where.c_str() + colon + 1, &end, 10);
    if (inet_pton(AF_INET, host.c_str(), &allowed.v4) == 1) {
        allowed.family = AF_INET;
    } else if (inet_pton(AF_INET6, host.c_str(), &allowed.v6) == 1) {
        allowed.family = AF_INET6;
    } else {
        throw Failure("'" + where + "' is no ADDRESS:PORT");
    }
    if (*end != 0 || port == 0 || port > 65535) throw Failure("'" + where + "' is no ADDRESS:PORT");
    allowed.host = host;
    allowed.port = uint16_t(port);
}

bool was_kept_from_elsewhere() {
    return kept_from_elsewhere;
}

}  // namespace framemesh
