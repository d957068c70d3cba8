// replay PORT [--method PATH] [--size BYTES] [--outstanding N] [--connections N] [--seconds S] [--warmup S]
//     [--calls N] [--attachments 1] [--server-pid PID] [--hold 1]
//
// The load of the benchmarks: a gRPC client that keeps N calls outstanding on each connection and spends as little as
// possible on them, so that the server is what is measured. Every reply is checked (connection.hpp).
// Counts the calls that end, and the bytes that are sent, within SECONDS after WARMUP; with --calls, exactly that many
// calls and no warm-up. With --hold it then keeps its connections, idle, until its standard input ends. Prints one JSON
// object. Exits with 1 if anything but a good reply came.

#include <sys/epoll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "connection.hpp"

namespace {

constexpr int kPatienceMillis = 30000;

struct Options {
    int port = 0;
    Workload workload;
    int connections = 1;
    double seconds = 1;
    double warmup = 0.3;
    std::size_t calls = 0;
    pid_t server = 0;
    bool holds = false;
};

std::optional<Options> parse(int argc, char** argv) {
    if (argc < 2 || argc % 2 != 0) return std::nullopt;
    Options options;
    options.port = std::atoi(argv[1]);
    std::size_t size = 64;
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const double value = std::atof(argv[i + 1]);
        if (name == "--method")
            options.workload.path = argv[i + 1];
        else if (name == "--size")
            size = static_cast<std::size_t>(value);
        else if (name == "--outstanding")
            options.workload.outstanding = static_cast<int>(value);
        else if (name == "--attachments")
            options.workload.uses_attachments = value != 0;
        else if (name == "--connections")
            options.connections = static_cast<int>(value);
        else if (name == "--seconds")
            options.seconds = value;
        else if (name == "--warmup")
            options.warmup = value;
        else if (name == "--calls")
            options.calls = static_cast<std::size_t>(value);
        else if (name == "--server-pid")
            options.server = static_cast<pid_t>(value);
        else if (name == "--hold")
            options.holds = value != 0;
        else
            return std::nullopt;
    }
    options.workload.payload.assign(size, 'x');
    return options;
}

/// Processor time of a process so far, in seconds; zero if there is none.
double cpu_seconds(pid_t process) {
    clockid_t clock{};
    timespec time{};
    if (process == 0 || clock_getcpuclockid(process, &clock) != 0) return 0;
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// When a run counts, and what it counted.
class Measurement {
  public:
    Measurement(const Options& options, const std::vector<std::unique_ptr<Connection>>& connections)
        : options_(options), connections_(connections) {
        const auto duration = [](double seconds) {
            return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
        };
        const bool counts_calls = options.calls > 0;
        begin_ = Clock::now() + (counts_calls ? Clock::duration::zero() : duration(options.warmup));
        end_ = counts_calls ? Clock::time_point::max() : begin_ + duration(options.seconds);
        begun_ = static_cast<std::size_t>(options.connections) * options.workload.outstanding;
    }

    /// Counts a reply; true if another call shall begin.
    bool replied(Clock::time_point begun) {
        const auto now = Clock::now();
        if (now >= begin_ && now <= end_) {
            latencies_.add(begun, now);
            last_ = now;
        }
        ++total_;
        if (options_.calls > 0 ? begun_ >= options_.calls : now >= end_) return false;
        ++begun_;
        return true;
    }

    /// Reads the processors' clocks when the time has come.
    void tick() {
        const auto now = Clock::now();
        if (!at_begin_ && now >= begin_) {
            at_begin_ = totals();
            begin_ = now;
        }
        if (!at_end_ && now >= end_) {
            at_end_ = totals();
            end_ = now;
        }
    }

    void print() {
        if (!at_begin_) throw std::runtime_error("ended before the warm-up did");
        if (!at_end_) {
            at_end_ = totals();
            end_ = last_;
        }
        const double seconds = std::chrono::duration<double>(end_ - begin_).count();
        std::printf(
            "{\"calls\": %zu, \"total_calls\": %zu, \"sent_bytes\": %llu, \"seconds\": %.6f, \"p50_us\": %.1f, "
            "\"p99_us\": %.1f, "
            "\"server_cpu_seconds\": %.6f, \"client_cpu_seconds\": %.6f}\n",
            latencies_.count(), total_, static_cast<unsigned long long>(at_end_->sent_bytes - at_begin_->sent_bytes),
            seconds, latencies_.quantile(0.5), latencies_.quantile(0.99), at_end_->server - at_begin_->server,
            at_end_->client - at_begin_->client);
        std::fflush(stdout);
    }

  private:
    struct Totals {
        double server;
        double client;
        std::uint64_t sent_bytes;
    };
    Totals totals() const {
        std::uint64_t bytes = 0;
        for (const auto& connection : connections_) bytes += connection->sent_bytes();
        return {cpu_seconds(options_.server), cpu_seconds(getpid()), bytes};
    }

    const Options& options_;
    const std::vector<std::unique_ptr<Connection>>& connections_;
    Clock::time_point begin_;
    Clock::time_point end_;
    Clock::time_point last_;
    std::optional<Totals> at_begin_;
    std::optional<Totals> at_end_;
    std::size_t begun_ = 0;
    std::size_t total_ = 0;
    Latencies latencies_;
};

void run(Options options) {
    const auto slots = static_cast<std::size_t>(options.connections) * options.workload.outstanding;
    if (options.calls > 0 && options.calls < slots) throw std::runtime_error("fewer calls than may be outstanding");
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    if (poll < 0) throw std::runtime_error("no epoll");
    std::vector<std::unique_ptr<Connection>> connections;
    Measurement measurement(options, connections);
    std::vector<bool> waits_for_room;
    for (int i = 0; i < options.connections; ++i) {
        connections.push_back(std::make_unique<Connection>(
            options.workload, options.port, [&](Clock::time_point begun) { return measurement.replied(begun); }));
        waits_for_room.push_back(true);
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT;
        event.data.u64 = static_cast<std::uint64_t>(i);
        epoll_ctl(poll, EPOLL_CTL_ADD, connections.back()->descriptor(), &event);
    }
    std::vector<epoll_event> events(connections.size());
    std::size_t busy = connections.size();
    std::vector<bool> is_busy(connections.size(), true);
    while (busy > 0) {
        const int count = epoll_wait(poll, events.data(), static_cast<int>(events.size()), kPatienceMillis);
        if (count == 0) throw std::runtime_error("no answer for 30 s");
        measurement.tick();
        for (int i = 0; i < count; ++i) {
            const auto index = events[static_cast<std::size_t>(i)].data.u64;
            auto& connection = *connections[index];
            connection.proceed();
            if (connection.is_blocked() != waits_for_room[index]) {
                waits_for_room[index] = connection.is_blocked();
                epoll_event event{};
                event.events = EPOLLIN | (connection.is_blocked() ? std::uint32_t{EPOLLOUT} : 0u);
                event.data.u64 = index;
                epoll_ctl(poll, EPOLL_CTL_MOD, connection.descriptor(), &event);
            }
            if (is_busy[index] && connection.is_done()) {
                is_busy[index] = false;
                --busy;
            }
        }
    }
    measurement.print();
    char byte = 0;
    while (options.holds && read(STDIN_FILENO, &byte, 1) > 0) {
    }
    close(poll);
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse(argc, argv);
    if (!options) {
        std::fprintf(stderr, "usage: see the head of replay.cpp\n");
        return 2;
    }
    try {
        run(*options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "replay: %s\n", error.what());
        return 1;
    }
    return 0;
}
