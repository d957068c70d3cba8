#include "tls_gate.hpp"

#include <dlfcn.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "ffmpeg.hpp"
#include "protocol.hpp"

namespace {

/// Where systems keep the authorities that they trust.
constexpr const char* kSystemAuthorities[] = {
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem"};
constexpr size_t kMaximumAuthorityBytes = 4 << 20;

// Of gnutls.h, which nothing else here needs.
struct Datum {
    unsigned char* data;
    unsigned size;
};
constexpr int kPEM = 1;
constexpr int kVerificationError = -348;
constexpr int kNoTrust = -64;

/// Without a host as long as nobody is trusted.
struct {
    std::string host;
    std::string authorities;
} trusted;

template <typename Call>
Call real(const char* name) {
    return reinterpret_cast<Call>(dlsym(RTLD_NEXT, name));
}

int trust(void* credentials) {
    static const auto set = real<int (*)(void*, const Datum*, int)>("gnutls_certificate_set_x509_trust_mem");
    if (!set || trusted.host.empty()) return kNoTrust;
    Datum pem{reinterpret_cast<unsigned char*>(trusted.authorities.data()), unsigned(trusted.authorities.size())};
    return set(credentials, &pem, kPEM);
}

}  // namespace

// These stand before those of GnuTLS for all libraries of this process.
extern "C" {

__attribute__((visibility("default"))) int gnutls_certificate_set_x509_system_trust(void* credentials) {
    return trust(credentials);
}

__attribute__((visibility("default"))) int gnutls_certificate_set_x509_trust_file(void* credentials, const char*, int) {
    return trust(credentials);
}

/// FFmpeg verifies only when it is asked to, and RTSP cannot ask it (FFmpeg 5.1): so the handshake does.
__attribute__((visibility("default"))) int gnutls_handshake(void* session) {
    static const auto verify = real<void (*)(void*, const char*, unsigned)>("gnutls_session_set_verify_cert");
    static const auto shake = real<int (*)(void*)>("gnutls_handshake");
    if (!verify || !shake || trusted.host.empty()) return kVerificationError;
    verify(session, trusted.host.c_str(), 0);
    return shake(session);
}
}

namespace framemesh {
namespace {

std::string read_authorities(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return "";
    std::ostringstream text;
    text << file.rdbuf();
    if (text.str().size() > kMaximumAuthorityBytes) {
        throw Failure(path + " has more than " + std::to_string(kMaximumAuthorityBytes) + " bytes");
    }
    return text.str();
}

}  // namespace

void trust_only(const std::string& host, const std::string& authorities) {
    if (!std::strstr(avformat_configuration(), "--enable-gnutls") || !real<void*>("gnutls_session_set_verify_cert")) {
        throw Failure("this FFmpeg does not speak TLS by GnuTLS, whose certificates could be checked here");
    }
    for (auto [name, ours] : {std::pair{"gnutls_handshake", reinterpret_cast<void*>(gnutls_handshake)},
                              {"gnutls_certificate_set_x509_system_trust",
                               reinterpret_cast<void*>(gnutls_certificate_set_x509_system_trust)},
                              {"gnutls_certificate_set_x509_trust_file",
                               reinterpret_cast<void*>(gnutls_certificate_set_x509_trust_file)}}) {
        // The linker has to be told to show them (Package.swift). If it was not, nobody would be checked.
        if (dlsym(RTLD_DEFAULT, name) != ours) throw Failure("certificates cannot be checked by this build");
    }
    if (!authorities.empty()) {
        trusted.authorities = read_authorities(authorities);
        if (trusted.authorities.find("-----BEGIN CERTIFICATE-----") == std::string::npos)
            throw Failure(authorities + ": there are no certificates to be read");
    } else {
        for (const char* path : kSystemAuthorities) {
            if (trusted.authorities.empty()) trusted.authorities = read_authorities(path);
        }
        if (trusted.authorities.empty()) throw Failure("this system has no file of the authorities that it trusts");
    }
    trusted.host = host;
}

}  // namespace framemesh
