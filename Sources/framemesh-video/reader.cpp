#include "reader.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "frame_clock.hpp"
#include "limits.hpp"
#include "picture.hpp"
#include "source.hpp"

namespace framemesh {
namespace {

constexpr int kMaximumErrorsAtEnd = 64;

/// Decoders make up what they cannot read, and call the frame good.
bool is_concealed(const AVFrame* frame) {
    return frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

class Reader {
  public:
    Reader(std::unique_ptr<Source> source, RecordWriter& out)
        : source_(std::move(source)),
          out_(out),
          info_(source_->info()),
          picture_(source_->path(), source_->orientation()),
          clock_(start(), info_.frame_rate),
          frame_(not_null(av_frame_alloc())),
          packet_(not_null(av_packet_alloc())) {}

    void run() {
        std::string early;
        for (;;) {
            int status = source_->read(packet_.get());
            if (source_->is_end(status)) break;
            if (status < 0) {
                early = source_->why(status);
                break;
            }
            if (packet_->stream_index == source_->stream()->index) decode(packet_.get());
            av_packet_unref(packet_.get());
        }
        decode(nullptr);
        if (frames_ == 0) {
            const std::string why = source_->why_nothing();
            if (!why.empty()) throw Failure(source_->path() + ": " + why);
            throw Failure(source_->path() + ": not one frame could be decoded, damaged packets: " +
                          std::to_string(damaged_) + (early.empty() ? "" : ", " + early));
        }
        if (early.empty() && source_->is_cut_off(last_time_))
            early = std::string("the ") + source_->kind() + " is cut off";
        out_.end(frames_, damaged_, early);
    }

  private:
    std::optional<int64_t> start() {
        int64_t time = source_->format()->start_time;
        return time == AV_NOPTS_VALUE ? std::nullopt : std::optional<int64_t>(time);
    }

    /// Of a frame of a live source: how long ago it was taken.
    int64_t age(std::optional<int64_t> timestamp) const { return timestamp ? source_->age(*timestamp).value_or(0) : 0; }

    /// `packet` null: what the decoder still holds.
    void decode(const AVPacket* packet) {
        AVCodecContext* decoder = source_->decoder();
        const bool is_marked = packet && (packet->flags & AV_PKT_FLAG_CORRUPT);
        if (is_marked) damaged_++;
        // Comes back with the frame of this packet, so that none counts twice.
        decoder->reordered_opaque = is_marked;
        int sent = avcodec_send_packet(decoder, packet);
        if (sent < 0 && packet) {
            if (!is_marked) damaged_++;
            return;
        }
        int errors = 0;
        for (;;) {
            int status = avcodec_receive_frame(decoder, frame_.get());
            if (status >= 0) {
                emit();
                av_frame_unref(frame_.get());
                continue;
            }
            if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return;
            if (status == AVERROR(ENOMEM)) throw Failure(source_->path() + ": needs more memory than is allowed");
            if (!is_marked) damaged_++;
            if (packet || ++errors >= kMaximumErrorsAtEnd) return;
        }
    }

    void emit() {
        if (!size_is_allowed(frame_->width, frame_->height) || !frame_->data[0]) {
            if (!frame_->reordered_opaque) damaged_++;
            return;
        }
        if (is_concealed(frame_.get()) && !frame_->reordered_opaque) damaged_++;
        const uint8_t* pixels = picture_.convert(frame_.get());
        std::optional<int64_t> timestamp;
        if (frame_->best_effort_timestamp != AV_NOPTS_VALUE) {
            timestamp = av_rescale_q(frame_->best_effort_timestamp, source_->stream()->time_base, {1, 1'000'000});
        }
        source_->end_wait();
        last_time_ = clock_.next(timestamp);
        if (frames_ == 0) {
            info_.width = uint32_t(picture_.width());
            info_.height = uint32_t(picture_.height());
            info_.aspect = source_->aspect(frame_.get());
            if (info_.frame_count == kEndless) info_.age = age(timestamp) + last_time_;
            out_.info(info_);
        }
        out_.frame({frames_, last_time_}, pixels, picture_.byte_count());
        frames_++;
        restart_processor_time();
        source_->restart_wait();
    }

    std::unique_ptr<Source> source_;
    RecordWriter& out_;
    Info info_;
    Picture picture_;
    FrameClock clock_;
    Frame frame_;
    Packet packet_;
    uint64_t frames_ = 0;
    uint64_t damaged_ = 0;
    int64_t last_time_ = 0;
};

}  // namespace

void read_video(const std::string& path, int threads, int64_t max_pixels, RecordWriter& out) {
    Reader(Source::file(path, threads, max_pixels), out).run();
}

void watch_video(const std::string& url, int threads, RecordWriter& out) {
    Reader(Source::live(url, threads), out).run();
}

void watch_camera(const CameraOptions& options, RecordWriter& out) {
    Reader(Source::camera(options), out).run();
}

}  // namespace framemesh
