// What FFmpeg has read of a live source to learn of its streams, and how old that is.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>

#include "ffmpeg.hpp"

namespace framemesh {

/// Its packets come at once, however long ago they arrived. But the last of them was the last that had arrived, and the
/// others are older by as much as their timestamps are less.
class ReadAhead {
  public:
    /// Takes all that FFmpeg holds, and the first packet that arrives behind it: else nobody knows that this is all.
    /// - stream: whose timestamps tell when its frames were taken.
    void take(AVFormatContext* format, const AVStream* stream);

    /// The next packet, from here or from the source, as av_read_frame.
    int next(AVFormatContext* format, AVPacket* packet);

    /// How long ago a frame with this timestamp was taken, as far as can be seen here: no packet came before that.
    /// Both in microseconds; nothing: packets had no timestamps, or ones that cannot be.
    std::optional<int64_t> age(int64_t timestamp) const;

  private:
    std::deque<Packet> packets_;
    /// Of `take`, once there are no more packets.
    int status_ = 0;
    /// Added to a timestamp: the earliest time, by this machine's clock, at which it can have come.
    int64_t offset_ = kNone;
    static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
};

}  // namespace framemesh
