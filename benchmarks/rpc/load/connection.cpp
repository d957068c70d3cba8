#include "connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace {

constexpr std::size_t kReplyBytes = 64;
constexpr std::size_t kPrefixBytes = 5;
/// Part of an attached payload that goes through the message; the rest is the attachment.
constexpr std::size_t kAttachedMessageBytes = 16;
constexpr std::size_t kInputBytes = 256 << 10;
constexpr std::size_t kScratchBytes = 256 << 10;
constexpr std::size_t kBatchBytes = 1 << 20;
constexpr std::size_t kMaxSegments = 512;
/// Payloads below this are copied beside their frame header; larger ones get a segment.
constexpr std::size_t kCopiedBytes = 2048;
constexpr std::size_t kRoomForOneStep = 512 + kCopiedBytes;
constexpr std::size_t kMaxFrame = 1 << 20;
constexpr std::int64_t kReturnedAtOnce = 64 << 20;
/// Streams that live at once must lie closer together than this.
constexpr std::size_t kStreamSpan = 1 << 16;

std::string prefix(std::uint8_t flags, std::size_t message) {
    std::uint8_t bytes[5] = {flags};
    frame::put32(bytes + 1, static_cast<std::uint32_t>(message));
    return std::string(reinterpret_cast<char*>(bytes), sizeof bytes);
}

std::string attached_prefix(std::size_t payload) {
    const auto message = std::min(kAttachedMessageBytes, payload);
    std::uint8_t attachment[4];
    frame::put32(attachment, static_cast<std::uint32_t>(payload - message));
    return prefix(0x80, message).append(reinterpret_cast<char*>(attachment), sizeof attachment);
}

std::string simple_frame(frame::Type type, std::uint8_t flags, std::uint32_t stream, std::string_view body) {
    std::uint8_t header[frame::kHeaderBytes];
    frame::put_header(header, body.size(), type, flags, stream);
    return std::string(reinterpret_cast<char*>(header), sizeof header).append(body);
}

std::string number(std::uint32_t value) {
    std::uint8_t bytes[4];
    frame::put32(bytes, value);
    return std::string(reinterpret_cast<char*>(bytes), sizeof bytes);
}

std::runtime_error failure(const std::string& what) {
    return std::runtime_error(what);
}

int connected_socket(int port) {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) throw failure("no socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        close(descriptor);
        throw failure(std::string("cannot connect: ") + std::strerror(errno));
    }
    const int one = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return descriptor;
}

/// Cuts off padding and priority, which some servers send.
void strip(std::uint8_t flags, bool is_headers, const std::uint8_t*& body, std::size_t& length) {
    std::size_t front = 0;
    std::size_t back = 0;
    if (flags & frame::kPadded) {
        if (length < 1) throw failure("frame without its padding length");
        back = body[0];
        front = 1;
    }
    if (is_headers && (flags & frame::kPriority)) front += 5;
    if (front + back > length) throw failure("frame shorter than its padding");
    body += front;
    length -= front + back;
}

}  // namespace

Connection::Connection(const Workload& workload, int port, OnReply on_reply)
    : workload_(workload),
      on_reply_(std::move(on_reply)),
      descriptor_(connected_socket(port)),
      plain_prefix_(prefix(0, workload.payload.size())),
      attached_prefix_(attached_prefix(workload.payload.size())),
      requests_(workload.path, "127.0.0.1:" + std::to_string(port)),
      calls_(static_cast<std::size_t>(workload.outstanding)),
      slots_(kStreamSpan),
      input_(kInputBytes),
      scratch_(kScratchBytes) {
    for (std::size_t slot = calls_.size(); slot > 0; --slot) free_.push_back(slot - 1);
    // With attachments, one plain call goes ahead and learns whether the server takes them.
    wanted_ = workload.uses_attachments ? 1 : calls_.size();
    control_ = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + simple_frame(frame::kSettings, 0, 0, {}) +
               simple_frame(frame::kWindowUpdate, 0, 0, number(frame::kMaxWindow - frame::kDefaultWindow));
}

Connection::~Connection() {
    close(descriptor_);
}

void Connection::proceed() {
    read_frames();
    write_frames();
}

// In

void Connection::read_frames() {
    while (true) {
        const auto count = recv(descriptor_, input_.data() + input_length_, input_.size() - input_length_, 0);
        if (count == 0) throw failure("the server closed the connection");
        if (count < 0) {
            if (errno == EAGAIN) return;
            if (errno == EINTR) continue;
            throw failure(std::string("read: ") + std::strerror(errno));
        }
        input_length_ += static_cast<std::size_t>(count);
        const bool may_have_more = input_length_ == input_.size();
        std::size_t at = 0;
        while (input_length_ - at >= frame::kHeaderBytes) {
            const auto* header = input_.data() + at;
            const std::size_t length = std::size_t{header[0]} << 16 | std::size_t{header[1]} << 8 | header[2];
            if (length > frame::kDefaultMaxBytes) throw failure("frame larger than allowed");
            if (input_length_ - at < frame::kHeaderBytes + length) break;
            take(static_cast<frame::Type>(header[3]), header[4], frame::get32(header + 5) & 0x7fffffff,
                 header + frame::kHeaderBytes, length);
            at += frame::kHeaderBytes + length;
        }
        std::memmove(input_.data(), input_.data() + at, input_length_ - at);
        input_length_ -= at;
        if (!may_have_more) return;
    }
}

void Connection::take(frame::Type type, std::uint8_t flags, std::uint32_t stream, const std::uint8_t* body,
                      std::size_t length) {
    switch (type) {
        case frame::kData:
            return take_data(flags, stream, body, length);
        case frame::kHeaders:
            return take_headers(flags, stream, body, length);
        case frame::kSettings:
            return take_settings(flags, body, length);
        case frame::kWindowUpdate:
            return take_window(stream, body, length);
        case frame::kPing:
            if (!(flags & frame::kAck)) {
                control_ += simple_frame(frame::kPing, frame::kAck, 0, {reinterpret_cast<const char*>(body), length});
            }
            return;
        case frame::kReset: {
            // After the whole reply, a server may say that it wants no more of the request.
            if (slot_of(stream) == calls_.size()) return;
            throw failure("stream reset, code " + std::to_string(length == 4 ? frame::get32(body) : 0));
        }
        case frame::kGoaway:
            throw failure("GOAWAY, code " + std::to_string(length >= 8 ? frame::get32(body + 4) : 0));
        case frame::kContinuation:
            throw failure("header block over one frame");
    }
}

std::size_t Connection::slot_of(std::uint32_t stream) const {
    const auto slot = slots_[(stream >> 1) % kStreamSpan];
    return slot < calls_.size() && calls_[slot].stream == stream ? slot : calls_.size();
}

void Connection::take_headers(std::uint8_t flags, std::uint32_t stream, const std::uint8_t* body, std::size_t length) {
    if (!(flags & frame::kEndHeaders)) throw failure("header block over one frame");
    strip(flags, true, body, length);
    const auto headers = responses_.decode(body, length);
    const auto slot = slot_of(stream);
    if (slot == calls_.size()) throw failure("headers of an unknown stream");
    auto& call = calls_[slot];
    if (headers.http_status != 0) call.http_status = headers.http_status;
    if (headers.grpc_status >= 0) call.grpc_status = headers.grpc_status;
    if (workload_.uses_attachments && !sends_attachments_ && headers.http_status != 0) {
        if (!headers.offers_attachments) throw failure("the server does not take attachments");
        sends_attachments_ = true;
        requests_.use_attachments();
        wanted_ += calls_.size() - 1;
    }
    if (flags & frame::kEndStream) finish(slot);
}

void Connection::take_data(std::uint8_t flags, std::uint32_t stream, const std::uint8_t* body, std::size_t length) {
    unreturned_ += static_cast<std::int64_t>(length);
    if (unreturned_ >= kReturnedAtOnce) {
        control_ += simple_frame(frame::kWindowUpdate, 0, 0, number(static_cast<std::uint32_t>(unreturned_)));
        unreturned_ = 0;
    }
    strip(flags, false, body, length);
    const auto slot = slot_of(stream);
    if (slot == calls_.size()) throw failure("data of an unknown stream");
    auto& call = calls_[slot];
    if (call.received < sizeof call.reply) {
        std::memcpy(call.reply + call.received, body, std::min(length, sizeof call.reply - call.received));
    }
    call.received += length;
    if (flags & frame::kEndStream) finish(slot);
}

void Connection::take_settings(std::uint8_t flags, const std::uint8_t* body, std::size_t length) {
    if (flags & frame::kAck) return;
    if (!is_ready_) max_streams_ = SIZE_MAX;
    for (; length >= 6; body += 6, length -= 6) {
        const auto name = static_cast<std::uint16_t>(body[0] << 8 | body[1]);
        const auto value = frame::get32(body + 2);
        if (name == frame::kSettingsTableSize && value < 1024) throw failure("the server's header table is too small");
        if (name == frame::kSettingsMaxStreams) max_streams_ = value;
        if (name == frame::kSettingsMaxFrame) max_frame_ = std::min<std::size_t>(value, kMaxFrame);
        if (name != frame::kSettingsInitialWindow) continue;
        const auto change = static_cast<std::int64_t>(value) - initial_window_;
        initial_window_ = value;
        for (std::size_t slot = 0; slot < calls_.size(); ++slot) {
            auto& call = calls_[slot];
            if (call.stream == 0) continue;
            call.window += change;
            if (call.waits_for_window && call.window > 0) {
                call.waits_for_window = false;
                sendable_.push_back(slot);
            }
        }
    }
    is_ready_ = true;
    control_ += simple_frame(frame::kSettings, frame::kAck, 0, {});
}

void Connection::take_window(std::uint32_t stream, const std::uint8_t* body, std::size_t length) {
    if (length != 4) throw failure("malformed WINDOW_UPDATE");
    const auto credit = static_cast<std::int64_t>(frame::get32(body) & 0x7fffffff);
    if (stream == 0) {
        window_ += credit;
        return;
    }
    const auto slot = slot_of(stream);
    if (slot == calls_.size()) return;
    auto& call = calls_[slot];
    call.window += credit;
    if (call.waits_for_window && call.window > 0) {
        call.waits_for_window = false;
        sendable_.push_back(slot);
    }
}

void Connection::finish(std::size_t slot) {
    auto& call = calls_[slot];
    if (call.http_status != 200 || call.grpc_status != 0) {
        throw failure("bad reply: status " + std::to_string(call.http_status) + ", grpc-status " +
                      std::to_string(call.grpc_status));
    }
    const auto echoed = std::uint64_t{frame::get32(call.reply + 5)} << 32 | frame::get32(call.reply + 9);
    if (call.received != kPrefixBytes + kReplyBytes || frame::get32(call.reply + 1) != kReplyBytes ||
        echoed != workload_.payload.size()) {
        throw failure("bad reply: " + std::to_string(call.received) + " bytes to a request of " +
                      std::to_string(echoed));
    }
    if (call.unsent > 0) throw failure("a reply before the request was sent");
    const auto begun = call.begun;
    call = Call{};
    free_.push_back(slot);
    --active_;
    if (on_reply_(begun)) ++wanted_;
}

// Out

void Connection::write_frames() {
    is_blocked_ = false;
    while (true) {
        if (first_segment_ == segments_.size()) fill();
        if (segments_.empty()) return;
        iovec pieces[kMaxSegments];
        std::size_t count = 0;
        for (auto i = first_segment_; i < segments_.size() && count < kMaxSegments; ++i, ++count) {
            pieces[count] = {const_cast<std::uint8_t*>(segments_[i].bytes), segments_[i].length};
        }
        msghdr message{};
        message.msg_iov = pieces;
        message.msg_iovlen = count;
        auto written = sendmsg(descriptor_, &message, MSG_NOSIGNAL);
        if (written < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN) throw failure(std::string("write: ") + std::strerror(errno));
            is_blocked_ = true;
            return;
        }
        while (written > 0) {
            auto& segment = segments_[first_segment_];
            const auto part = std::min(static_cast<std::size_t>(written), segment.length);
            segment.bytes += part;
            segment.length -= part;
            written -= static_cast<ssize_t>(part);
            if (segment.length == 0) ++first_segment_;
        }
    }
}

std::size_t Connection::scratch_room() const {
    return scratch_.size() - scratch_length_;
}

/// Extends the last segment if the bytes follow it.
void Connection::add_scratch(const std::uint8_t* end) {
    const auto* begin = scratch_.data() + scratch_length_;
    const auto length = static_cast<std::size_t>(end - begin);
    if (length == 0) return;
    scratch_length_ += length;
    batch_bytes_ += length;
    if (!segments_.empty() && segments_.back().bytes + segments_.back().length == begin) {
        segments_.back().length += length;
    } else {
        segments_.push_back({begin, length});
    }
}

void Connection::add(const void* bytes, std::size_t length) {
    auto* at = scratch_.data() + scratch_length_;
    std::memcpy(at, bytes, length);
    add_scratch(at + length);
}

void Connection::add_payload(std::size_t offset, std::size_t length) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(workload_.payload.data()) + offset;
    if (length <= kCopiedBytes) return add(bytes, length);
    segments_.push_back({bytes, length});
    batch_bytes_ += length;
}

void Connection::fill() {
    segments_.clear();
    first_segment_ = 0;
    scratch_length_ = 0;
    batch_bytes_ = 0;
    if (!control_.empty()) {
        const auto part = std::min(control_.size(), scratch_.size() / 2);
        add(control_.data(), part);
        control_.erase(0, part);
    }
    if (!is_ready_) return;
    begin_calls();
    while (!sendable_.empty() && window_ > 0 && batch_bytes_ < kBatchBytes && segments_.size() + 4 < kMaxSegments &&
           scratch_room() > kRoomForOneStep) {
        const auto slot = sendable_.front();
        sendable_.pop_front();
        // The streams take turns, frame by frame.
        if (add_frame(slot)) sendable_.push_back(slot);
    }
}

/// Gives slots to the calls that shall begin. Their header blocks go out in this order at once: the peer's table
/// changes with the first.
void Connection::begin_calls() {
    while (wanted_ > 0 && !free_.empty() && active_ < max_streams_ && scratch_room() > kRoomForOneStep &&
           batch_bytes_ < kBatchBytes) {
        const auto slot = free_.back();
        free_.pop_back();
        --wanted_;
        ++active_;
        auto& call = calls_[slot];
        call.stream = next_stream_;
        next_stream_ += 2;
        slots_[(call.stream >> 1) % kStreamSpan] = static_cast<std::uint32_t>(slot);
        call.unsent = (sends_attachments_ ? attached_prefix_ : plain_prefix_).size() + workload_.payload.size();
        call.window = initial_window_;
        call.begun = Clock::now();
        const auto block = requests_.next();
        std::uint8_t header[frame::kHeaderBytes];
        frame::put_header(header, block.size(), frame::kHeaders, frame::kEndHeaders, call.stream);
        add(header, sizeof header);
        add(block.data(), block.size());
        const bool is_small = call.unsent <= kCopiedBytes;
        if (!is_small || window_ < static_cast<std::int64_t>(call.unsent) || add_frame(slot)) {
            sendable_.push_back(slot);
        }
    }
}

/// Adds one DATA frame. Says whether the stream can send more at once.
bool Connection::add_frame(std::size_t slot) {
    auto& call = calls_[slot];
    const auto& prefix = sends_attachments_ ? attached_prefix_ : plain_prefix_;
    const auto total = prefix.size() + workload_.payload.size();
    const auto length = static_cast<std::size_t>(
        std::min({static_cast<std::int64_t>(call.unsent), window_, std::max<std::int64_t>(call.window, 0),
                  static_cast<std::int64_t>(max_frame_)}));
    if (length == 0) {
        call.waits_for_window = true;
        return false;
    }
    const auto offset = total - call.unsent;
    call.unsent -= length;
    call.window -= static_cast<std::int64_t>(length);
    window_ -= static_cast<std::int64_t>(length);
    sent_bytes_ += length;
    std::uint8_t header[frame::kHeaderBytes];
    frame::put_header(header, length, frame::kData, call.unsent == 0 ? frame::kEndStream : 0, call.stream);
    add(header, sizeof header);
    const auto of_prefix = offset < prefix.size() ? std::min(length, prefix.size() - offset) : 0;
    if (of_prefix > 0) add(prefix.data() + offset, of_prefix);
    if (length > of_prefix) add_payload(offset + of_prefix - prefix.size(), length - of_prefix);
    if (call.unsent == 0) return false;
    call.waits_for_window = call.window <= 0;
    return !call.waits_for_window;
}
