// How far a source has come, and whether that is its end.
#include <algorithm>
#include <cstring>

#include "source.hpp"

namespace framemesh {
namespace {

// FLV's first tag says how long the file should be. Of ogg, mpegts and mpeg FFmpeg's duration is that of what is there:
// by the times at the file's end, or a guess by its bit rate. The others say their size, or where their last frame is.
// Of an FLV that says none, FFmpeg takes the time of its last tag, which the packets reach.
constexpr const char* kStatesDuration = "flv";
/// What a container's duration may say beyond its last frame, which others of its streams may outlast; microseconds.
constexpr int64_t kDurationSlack = 2'000'000;

}  // namespace

bool Source::states_duration() const {
    return file_ && std::strcmp(format_->iformat->name, kStatesDuration) == 0;
}

int Source::read(AVPacket* packet) {
    const int status = ahead_.next(format(), packet);
    if (status < 0 || !states_duration()) return status;
    const int64_t timestamp = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (timestamp == AV_NOPTS_VALUE) return status;
    const int64_t time = av_rescale_q(timestamp, format_->streams[packet->stream_index]->time_base, {1, 1'000'000});
    longest_pause_ = std::max(longest_pause_, time - last_packet_time_);
    last_packet_time_ = std::max(last_packet_time_, time);
    return status;
}

bool Source::is_cut_off(int64_t last_time) {
    if (!file_ && !(link_ && has_end_)) return false;
    int64_t size = 0, stated = stated_byte_count_;
    if (file_) {
        size = file_->byte_count();
        stated = file_->stated_byte_count();
    } else if (io()) {
        // What comes behind the last frame.
        if (avio_tell(io()) < stated) avio_skip(io(), stated - avio_tell(io()));
        size = avio_tell(io());
    }
    if (stated > size) return true;
    // The last frame may stand as long as another one did.
    const int64_t missing = stated_duration_ - std::max(last_time, last_packet_time_) - longest_pause_;
    if (link_ && stated == 0 && stream_->nb_frames == 0) return missing > kDurationSlack;
    if (file_ && missing > kDurationSlack) return true;
    int count = avformat_index_get_entries_count(stream_);
    const AVIndexEntry* last = count > 0 ? avformat_index_get_entry(stream_, count - 1) : nullptr;
    return last && (last->pos > size || last->size > size - last->pos);
}

}  // namespace framemesh
