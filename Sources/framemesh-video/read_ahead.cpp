#include "read_ahead.hpp"

extern "C" {
#include <libavutil/time.h>
}

#include <algorithm>
#include <utility>

namespace framemesh {
namespace {

/// What a source sends when it is called is no older, in microseconds; what says so has leapt.
constexpr int64_t kMaximumAge = 60'000'000;
/// Probing has a limit of bytes, and of packets this; whoever sends more of them is read as they come.
constexpr size_t kMaximumPackets = 10'000;

/// Whether a packet has arrived since this was asked last.
bool has_news(AVFormatContext* format) {
    bool is_news = false;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        is_news |= (format->streams[i]->event_flags & AVSTREAM_EVENT_FLAG_NEW_PACKETS) != 0;
        format->streams[i]->event_flags &= ~AVSTREAM_EVENT_FLAG_NEW_PACKETS;
    }
    return is_news;
}

}  // namespace

void ReadAhead::take(AVFormatContext* format, const AVStream* stream) {
    const int64_t begun = av_gettime_relative();
    has_news(format);
    for (bool is_new = false; !is_new && packets_.size() < kMaximumPackets;) {
        Packet packet(not_null(av_packet_alloc()));
        status_ = av_read_frame(format, packet.get());
        if (status_ < 0) return;
        is_new = has_news(format);
        if (packet->stream_index == stream->index && packet->pts != AV_NOPTS_VALUE) {
            const int64_t timestamp = av_rescale_q(packet->pts, stream->time_base, {1, 1'000'000});
            int64_t offset = 0;
            if (!__builtin_sub_overflow(is_new ? av_gettime_relative() : begun, timestamp, &offset))
                offset_ = std::min(offset_, offset);
        }
        packets_.push_back(std::move(packet));
    }
}

int ReadAhead::next(AVFormatContext* format, AVPacket* packet) {
    if (!packets_.empty()) {
        av_packet_move_ref(packet, packets_.front().get());
        packets_.pop_front();
        return 0;
    }
    return status_ < 0 ? status_ : av_read_frame(format, packet);
}

std::optional<int64_t> ReadAhead::age(int64_t timestamp) const {
    int64_t came = 0;
    if (offset_ == kNone || __builtin_add_overflow(timestamp, offset_, &came)) return std::nullopt;
    int64_t age = 0;
    if (__builtin_sub_overflow(av_gettime_relative(), came, &age) || age < 0 || age > kMaximumAge) return std::nullopt;
    return age;
}

}  // namespace framemesh
