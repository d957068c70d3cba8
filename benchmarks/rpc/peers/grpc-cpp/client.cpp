// grpc-cpp-client PORT [--size BYTES] [--outstanding N] [--connections N] [--seconds S] [--warmup S]
//     [--method PATH] [--probe-every MS] [--probe PATH]
//
// A stock gRPC client (asynchronous, one completion queue, one thread) that keeps N calls outstanding on each
// connection. Every reply is checked: status OK, 64 bytes, and the length of the request in the first eight.
// With --probe-every, an empty call to --probe (a health check) goes out on the first connection that often, beside the
// calls. Prints one JSON object. Exits with 1 if any call failed.

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../../load/latencies.hpp"

namespace {

constexpr std::size_t kReplyBytes = 64;
constexpr std::chrono::seconds kPatience{60};

struct Options {
    std::string port;
    std::string method = "/bench.Bench/Async";
    std::size_t size = 64;
    int outstanding = 1;
    int connections = 1;
    double seconds = 1;
    double warmup = 0.3;
    std::string probe = "/grpc.health.v1.Health/Check";
    int probe_every_ms = 0;
};

std::optional<Options> parse(int argc, char** argv) {
    if (argc < 2 || argc % 2 != 0) return std::nullopt;
    Options options;
    options.port = argv[1];
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--method" || name == "--probe") {
            (name == "--probe" ? options.probe : options.method) = argv[i + 1];
            continue;
        }
        const double value = std::atof(argv[i + 1]);
        if (name == "--size")
            options.size = static_cast<std::size_t>(value);
        else if (name == "--outstanding")
            options.outstanding = static_cast<int>(value);
        else if (name == "--connections")
            options.connections = static_cast<int>(value);
        else if (name == "--seconds")
            options.seconds = value;
        else if (name == "--warmup")
            options.warmup = value;
        else if (name == "--probe-every")
            options.probe_every_ms = static_cast<int>(value);
        else
            return std::nullopt;
    }
    return options;
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](timeval time) { return time.tv_sec + time.tv_usec * 1e-6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Bytes of a buffer, at most `limit`, from the front.
std::string front(const grpc::ByteBuffer& buffer, std::size_t limit) {
    std::vector<grpc::Slice> slices;
    std::string bytes;
    if (!buffer.Dump(&slices).ok()) return bytes;
    for (const auto& slice : slices) {
        if (bytes.size() >= limit) break;
        bytes.append(reinterpret_cast<const char*>(slice.begin()), std::min(slice.size(), limit - bytes.size()));
    }
    return bytes;
}

bool is_reply_to(std::size_t length, const grpc::ByteBuffer& reply) {
    if (reply.Length() != kReplyBytes) return false;
    std::uint64_t echoed = 0;
    for (const char byte : front(reply, 8)) echoed = echoed << 8 | static_cast<std::uint8_t>(byte);
    return echoed == length;
}

/// A slot for one call after another.
struct Call {
    grpc::GenericStub* stub = nullptr;
    std::string method;
    const grpc::ByteBuffer* request = nullptr;
    bool is_probe = false;
    /// Of a probe, in the list of those that are out.
    std::list<Call>::iterator place;
    std::optional<grpc::ClientContext> context;
    std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
    grpc::ByteBuffer reply;
    grpc::Status status;
    Clock::time_point begun;

    void start(grpc::CompletionQueue& queue) {
        // What real calls have: a deadline, and some metadata.
        context.emplace();
        context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
        context->AddMetadata("x-request-id", "0123456789abcdef");
        reply.Clear();
        begun = Clock::now();
        reader = stub->PrepareUnaryCall(&*context, method, *request, &queue);
        reader->StartCall();
        reader->Finish(&reply, &status, this);
    }
};

}  // namespace

int main(int argc, char** argv) {
    const auto parsed = parse(argc, argv);
    if (!parsed) {
        std::fprintf(stderr, "usage: see the head of client.cpp\n");
        return 2;
    }
    const Options options = *parsed;
    const std::string payload(options.size, 'x');
    const grpc::Slice slice(payload.data(), payload.size(), grpc::Slice::STATIC_SLICE);
    const grpc::ByteBuffer request(&slice, 1);
    const grpc::ByteBuffer nothing(nullptr, 0);

    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    std::vector<std::unique_ptr<grpc::GenericStub>> stubs;
    for (int i = 0; i < options.connections; ++i) {
        const auto channel =
            grpc::CreateCustomChannel("127.0.0.1:" + options.port, grpc::InsecureChannelCredentials(), arguments);
        if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
            std::fprintf(stderr, "no connection to port %s\n", options.port.c_str());
            return 1;
        }
        stubs.push_back(std::make_unique<grpc::GenericStub>(channel));
    }

    grpc::CompletionQueue queue;
    std::vector<Call> calls(static_cast<std::size_t>(options.connections) * options.outstanding);
    for (std::size_t i = 0; i < calls.size(); ++i) {
        calls[i].stub = stubs[i % stubs.size()].get();
        calls[i].method = options.method;
        calls[i].request = &request;
    }
    const auto seconds = [](double value) {
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
    };
    const auto begin = Clock::now() + seconds(options.warmup);
    const auto end = begin + seconds(options.seconds);
    Latencies latencies;
    Latencies probes;
    std::size_t failed = 0;
    double cpu_at_begin = -1;
    double cpu_at_end = -1;
    std::size_t total = 0;
    auto pending = calls.size();
    for (auto& call : calls) call.start(queue);
    // Probes go out at each tick, also while those before them are not answered yet, and count from their tick.
    const auto every = std::chrono::milliseconds(options.probe_every_ms);
    std::list<Call> probing;
    auto next_probe = Clock::now();

    while (pending > 0 || !probing.empty()) {
        const auto before = Clock::now();
        const bool probes_go_on = options.probe_every_ms > 0 && before < end;
        for (; probes_go_on && next_probe <= before; next_probe += every) {
            auto& probe = probing.emplace_back();
            probe.stub = stubs[0].get();
            probe.request = &nothing;
            probe.method = options.probe;
            probe.is_probe = true;
            probe.place = std::prev(probing.end());
            probe.start(queue);
            probe.begun = next_probe;
        }
        void* tag = nullptr;
        bool ok = false;
        const auto wake =
            std::chrono::system_clock::now() + (probes_go_on ? next_probe - before : Clock::duration(kPatience));
        const auto event = queue.AsyncNext(&tag, &ok, wake);
        const auto now = Clock::now();
        if (cpu_at_begin < 0 && now >= begin) cpu_at_begin = cpu_seconds();
        if (cpu_at_end < 0 && now >= end) cpu_at_end = cpu_seconds();
        if (event == grpc::CompletionQueue::TIMEOUT && !probes_go_on) {
            std::fprintf(stderr, "no answer for 60 s\n");
            return 1;
        }
        if (event != grpc::CompletionQueue::GOT_EVENT) continue;
        auto& call = *static_cast<Call*>(tag);
        const bool is_good = call.status.ok() && (call.is_probe || is_reply_to(options.size, call.reply));
        if (!is_good && failed++ == 0) {
            std::fprintf(stderr, "bad reply: status %d \"%s\", %zu bytes\n", call.status.error_code(),
                         call.status.error_message().c_str(), call.reply.Length());
        }
        if (call.is_probe) {
            if (call.begun >= begin) probes.add(call.begun, now);
            probing.erase(call.place);
            continue;
        }
        ++total;
        if (now >= begin && now <= end) latencies.add(call.begun, now);
        if (now < end && failed == 0)
            call.start(queue);
        else
            --pending;
    }
    const double cpu = cpu_at_begin < 0 ? 0 : (cpu_at_end < 0 ? cpu_seconds() : cpu_at_end) - cpu_at_begin;
    std::printf(
        "{\"calls\": %zu, \"total_calls\": %zu, \"failed\": %zu, \"seconds\": %.6f, \"p50_us\": %.1f, \"p99_us\": "
        "%.1f, "
        "\"client_cpu_seconds\": %.4f, \"probes\": %zu, \"probe_p50_us\": %.1f, \"probe_p99_us\": %.1f}\n",
        latencies.count(), total, failed, options.seconds, latencies.quantile(0.5), latencies.quantile(0.99), cpu,
        probes.count(), probes.quantile(0.5), probes.quantile(0.99));
    return failed == 0 ? 0 : 1;
}
