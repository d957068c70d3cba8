#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "frame.hpp"
#include "header_block.hpp"
#include "latencies.hpp"

/// What each call asks, and how its reply is judged.
struct Workload {
    std::string path = "/bench.Bench/Async";
    std::string payload;
    bool uses_attachments = false;
    int outstanding = 1;
};

/// One HTTP/2 connection that keeps calls outstanding and costs as little as it can: header blocks are made once,
/// payloads are sent from where they lie, and frames of many calls share a system call.
///
/// Every reply must have `:status` 200, `grpc-status` 0 and one message of 64 bytes that begins with the length of the
/// request; anything else throws std::runtime_error that says what came.
class Connection {
  public:
    /// Called for each good reply. Says whether another call shall begin.
    using OnReply = std::function<bool(Clock::time_point begun)>;

    /// Connects to a port of this machine; throws std::runtime_error if it can't.
    Connection(const Workload& workload, int port, OnReply on_reply);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    int descriptor() const { return descriptor_; }
    /// Bytes of requests that went into the socket or are about to.
    std::uint64_t sent_bytes() const { return sent_bytes_; }
    /// All calls that shall be made have been answered.
    bool is_done() const { return active_ == 0 && wanted_ == 0; }

    /// Reads what there is, then writes what can go. Never waits.
    void proceed();

    /// Bytes lie ready that the socket did not take.
    bool is_blocked() const { return is_blocked_; }

  private:
    struct Call {
        std::uint32_t stream = 0;  // zero: free
        std::size_t unsent = 0;
        std::int64_t window = 0;
        bool waits_for_window = false;
        int http_status = 0;
        int grpc_status = -1;
        std::size_t received = 0;
        std::uint8_t reply[5 + 8] = {};
        Clock::time_point begun;
    };
    struct Segment {
        const std::uint8_t* bytes;
        std::size_t length;
    };

    void read_frames();
    void take(frame::Type type, std::uint8_t flags, std::uint32_t stream, const std::uint8_t* body, std::size_t length);
    void take_headers(std::uint8_t flags, std::uint32_t stream, const std::uint8_t* body, std::size_t length);
    void take_data(std::uint8_t flags, std::uint32_t stream, const std::uint8_t* body, std::size_t length);
    void take_settings(std::uint8_t flags, const std::uint8_t* body, std::size_t length);
    void take_window(std::uint32_t stream, const std::uint8_t* body, std::size_t length);
    void finish(std::size_t slot);

    void write_frames();
    void fill();
    void begin_calls();
    bool add_frame(std::size_t slot);
    void add(const void* bytes, std::size_t length);
    void add_scratch(const std::uint8_t* end);
    void add_payload(std::size_t offset, std::size_t length);
    std::size_t scratch_room() const;
    std::size_t slot_of(std::uint32_t stream) const;

    const Workload& workload_;
    OnReply on_reply_;
    int descriptor_ = -1;
    std::string plain_prefix_;
    std::string attached_prefix_;
    RequestHeaders requests_;
    ResponseDecoder responses_;

    bool is_ready_ = false;
    bool sends_attachments_ = false;
    std::uint32_t next_stream_ = 1;
    std::size_t max_streams_ = 100;
    std::size_t max_frame_ = frame::kDefaultMaxBytes;
    std::int64_t initial_window_ = frame::kDefaultWindow;
    std::int64_t window_ = frame::kDefaultWindow;
    std::int64_t unreturned_ = 0;
    std::uint64_t sent_bytes_ = 0;

    std::vector<Call> calls_;
    std::vector<std::size_t> free_;
    std::vector<std::uint32_t> slots_;
    std::deque<std::size_t> sendable_;
    std::size_t active_ = 0;
    std::size_t wanted_ = 0;

    std::vector<std::uint8_t> input_;
    std::size_t input_length_ = 0;
    std::string control_;
    std::vector<std::uint8_t> scratch_;
    std::size_t scratch_length_ = 0;
    std::vector<Segment> segments_;
    std::size_t first_segment_ = 0;
    std::size_t batch_bytes_ = 0;
    bool is_blocked_ = false;
};
