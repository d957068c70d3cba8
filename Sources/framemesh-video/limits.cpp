#include "limits.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#if defined(FRAMEMESH_SANITIZED)
// The helper has no environment. What would look for leaks has no right to look into the process.
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0";
}
#endif

namespace framemesh {
namespace {

// 50 Mpx at 16 reference frames of 4:2:0 is 1.2 GB, and the libraries map 0.2 GB.
constexpr rlim_t kAddressSpaceBytes = rlim_t(4) << 30;
constexpr rlim_t kOpenFiles = 32;
constexpr rlim_t kProcessorSecondsPerFrame = 60;

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = 0;
#endif

constexpr uint32_t kCallingCalls[] = {SYS_socket, SYS_connect};

constexpr uint32_t kNeverCalls[] = {
    SYS_socketpair,   SYS_bind,           SYS_listen,           SYS_execve,
    SYS_execveat,     SYS_ptrace,         SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_setns,        SYS_mount,          SYS_umount2,          SYS_unshare,
    SYS_bpf,          SYS_keyctl,         SYS_add_key,          SYS_chroot,
    SYS_reboot,       SYS_io_uring_setup, SYS_userfaultfd,      SYS_perf_event_open,
    SYS_memfd_create, SYS_pidfd_open,
};

constexpr uint32_t kReaderNeverCalls[] = {
    SYS_openat,  SYS_openat2,  SYS_unlinkat, SYS_renameat2, SYS_linkat,   SYS_symlinkat,
    SYS_mkdirat, SYS_fchmodat, SYS_fchownat, SYS_truncate,
#if defined(__x86_64__)
    SYS_open,    SYS_creat,    SYS_unlink,   SYS_rename,    SYS_renameat, SYS_link,
    SYS_symlink, SYS_mkdir,    SYS_rmdir,    SYS_chmod,     SYS_chown,    SYS_mknod,
#endif
};

void limit(decltype(RLIMIT_AS) what, rlim_t value) {
    rlimit wanted{value, value};
    setrlimit(what, &wanted);
}

/// A list of calls that answer EPERM. Not an allow-list: codecs, libc and threads may use any of the rest.
void refuse_calls(Role role) {
    if (kArchitecture == 0) return;
    std::vector<uint32_t> calls(std::begin(kNeverCalls), std::end(kNeverCalls));
    if (role != Role::watch) calls.insert(calls.end(), std::begin(kCallingCalls), std::end(kCallingCalls));
    if (role != Role::write) calls.insert(calls.end(), std::begin(kReaderNeverCalls), std::end(kReaderNeverCalls));
    std::vector<sock_filter> filter;
    auto step = [&](uint16_t code, uint32_t k, uint8_t if_true = 0, uint8_t if_false = 0) {
        filter.push_back({code, if_true, if_false, k});
    };
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
    step(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    step(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0);
    step(BPF_RET | BPF_K, refuse);
    step(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    // Numbers with this bit are the x32 calls, which would go around the list.
    step(BPF_JMP | BPF_JSET | BPF_K, 0x40000000, 0, 1);
    step(BPF_RET | BPF_K, refuse);
    for (uint32_t call : calls) {
        step(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
        step(BPF_RET | BPF_K, refuse);
    }
    step(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    sock_fprog program{uint16_t(filter.size()), filter.data()};
    // A kernel without filters refuses; the other limits stand.
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

}  // namespace

void close_inherited_files() {
#ifdef SYS_close_range
    syscall(SYS_close_range, 3u, ~0u, 0u);
#endif
}

void die_with_parent() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void give_up_rights(Role role) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
// A sanitizer's shadow memory is bigger than any limit.
#if !defined(FRAMEMESH_SANITIZED)
    limit(RLIMIT_AS, kAddressSpaceBytes);
#endif
    limit(RLIMIT_NOFILE, kOpenFiles);
    limit(RLIMIT_CORE, 0);
    refuse_calls(role);
    restart_processor_time();
}

void limit_files(uint64_t bytes) {
    // Without this, the first byte too many ends the process.
    signal(SIGXFSZ, SIG_IGN);
    limit(RLIMIT_FSIZE, bytes);
}

void restart_processor_time() {
    rusage used{};
    if (getrusage(RUSAGE_SELF, &used) != 0) return;
    rlimit wanted{};
    if (getrlimit(RLIMIT_CPU, &wanted) != 0) return;
    rlim_t until = rlim_t(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + kProcessorSecondsPerFrame;
    wanted.rlim_cur = wanted.rlim_max == RLIM_INFINITY || until < wanted.rlim_max ? until : wanted.rlim_max;
    setrlimit(RLIMIT_CPU, &wanted);
}

}  // namespace framemesh
