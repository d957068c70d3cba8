// grpc-cpp-server PORT [contiguous]
//
// gRPC C++ at its best on one core: the asynchronous API with one completion queue and one thread, raw byte buffers
// (no protobuf), call objects that are used again, and as many calls posted in advance as may come at once. gRPC hands
// over a message in many pieces; with `contiguous`, each is made one piece, as code that works on pixels needs it.

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "bench.grpc.pb.h"

namespace {

constexpr int kPostedCalls = 512;
constexpr std::size_t kReplyBytes = 64;

using Service = bench::Bench::WithRawMethod_Async<bench::Bench::Service>;

/// 64 bytes, of which the first eight are `length`, big-endian.
grpc::ByteBuffer reply_to(std::uint64_t length) {
    std::uint8_t bytes[kReplyBytes] = {};
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(length >> (56 - 8 * i));
    const grpc::Slice slice(bytes, sizeof bytes);
    return grpc::ByteBuffer(&slice, 1);
}

/// A slot for one call after another: waiting for a request, then for its reply to be sent.
class Call {
  public:
    void post(Service& service, grpc::ServerCompletionQueue& queue) {
        // The library makes contexts for one call each; the memory is ours and stays.
        responder_.reset();
        context_.emplace();
        responder_.emplace(&*context_);
        request_.Clear();
        is_replying_ = false;
        service.RequestAsync(&*context_, &request_, &*responder_, &queue, &queue, this);
    }

    void proceed(bool ok, bool is_contiguous, Service& service, grpc::ServerCompletionQueue& queue) {
        if (is_replying_ || !ok) return post(service, queue);
        is_replying_ = true;
        if (is_contiguous) {
            grpc::Slice whole;
            if (!request_.DumpToSingleSlice(&whole).ok())
                return responder_->FinishWithError(grpc::Status(grpc::StatusCode::INTERNAL, "no single slice"), this);
        }
        responder_->Finish(reply_to(request_.Length()), grpc::Status::OK, this);
    }

  private:
    std::optional<grpc::ServerContext> context_;
    std::optional<grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>> responder_;
    grpc::ByteBuffer request_;
    bool is_replying_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    const bool is_contiguous = argc == 3 && std::strcmp(argv[2], "contiguous") == 0;
    if (argc != 2 && !is_contiguous) {
        std::fprintf(stderr, "usage: grpc-cpp-server PORT [contiguous]\n");
        return 2;
    }
    Service service;
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(std::string("127.0.0.1:") + argv[1], grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    builder.SetMaxReceiveMessageSize(-1);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    const auto queue = builder.AddCompletionQueue();
    const auto server = builder.BuildAndStart();
    if (!server) return 1;
    std::printf("listening on %s\n", argv[1]);
    std::fflush(stdout);

    std::vector<Call> calls(kPostedCalls);
    for (auto& call : calls) call.post(service, *queue);
    void* tag = nullptr;
    bool ok = false;
    // Ended by a signal, like the other servers.
    while (queue->Next(&tag, &ok)) static_cast<Call*>(tag)->proceed(ok, is_contiguous, service, *queue);
    return 0;
}
