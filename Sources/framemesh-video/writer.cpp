#include "writer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ffmpeg.hpp"
#include "limits.hpp"
#include "output_file.hpp"

namespace framemesh {
namespace {

// MP4's usual clock; timestamps are exact to 11 microseconds.
constexpr AVRational kClock{1, 90'000};
// MPEG-4 part 2 has 16 bits for it.
constexpr AVRational kMPEG4Clock{1, 60'000};

enum class Sides {
    /// Only even ones.
    even,
    any,
    /// Odd ones are made even: the last column or row is doubled.
    made_even,
};

/// A way to encode.
struct Encoding {
    /// FFmpeg's name.
    const char* encoder;
    AVRational clock;
    Sides sides;
    /// The largest picture.
    int64_t most_pixels;
    /// Of the encoder, "name=value:name=value".
    const char* settings;
};

constexpr const char* kH264Settings = "preset=veryfast:crf=23";
constexpr const char* kVP9Settings = "deadline=realtime:cpu-used=8:lag-in-frames=0:crf=31:b=0";
// 4 times FF_QP2LAMBDA.
constexpr const char* kMPEG4Settings = "flags=+qscale:global_quality=472";
/// Those of 4K, 4096x2304. The encoder takes 72 bytes for each, three times as much as that of H.264.
constexpr int64_t kMostVP9Pixels = 9'437'184;

// The first that fits is taken. H.264 of 4:2:0 has no odd sides; nearly all browsers play VP9, and none MPEG-4 part 2.
constexpr Encoding kEncodings[] = {
    {"libx264", kClock, Sides::even, kMaximumPixels, kH264Settings},
    {"libvpx-vp9", kClock, Sides::any, kMostVP9Pixels, kVP9Settings},
    {"libx264", kClock, Sides::made_even, kMaximumPixels, kH264Settings},
    {"mpeg4", kMPEG4Clock, Sides::any, kMaximumPixels, kMPEG4Settings},
};

bool fits(const Encoding& encoding, int width, int height) {
    const bool is_even = width % 2 == 0 && height % 2 == 0;
    return (is_even || encoding.sides != Sides::even) && int64_t(width) * height <= encoding.most_pixels;
}

struct FreeOutput {
    void operator()(AVFormatContext* c) const {
        if (c->pb) avio_closep(&c->pb);
        avformat_free_context(c);
    }
};
using FormatOutput = std::unique_ptr<AVFormatContext, FreeOutput>;

class Writer {
  public:
    explicit Writer(const WriteOptions& options)
        : options_(options),
          file_(options.path, options.chance),
          frame_(not_null(av_frame_alloc())),
          packet_(not_null(av_packet_alloc())) {
        // A file with a name would stay; the end of standard input removes it.
        if (file_.is_nameless()) die_with_parent();
        give_up_rights(Role::write);
        if (options_.max_bytes > 0) limit_files(options_.max_bytes);
        open_encoder();
        open_container();
        prepare_picture();
    }

    Info info() const {
        Info info;
        info.width = uint32_t(encoder_->width);
        info.height = uint32_t(encoder_->height);
        info.frame_rate = options_.frame_rate;
        info.aspect = options_.aspect;
        info.codec = avcodec_get_name(encoder_->codec_id);
        return info;
    }

    uint8_t* pixels() { return pixels_.get(); }
    size_t byte_count() const { return size_t(options_.width) * size_t(options_.height) * 3; }
    uint64_t frames() const { return frames_; }

    /// Encodes what is in `pixels()`.
    void add(FrameHead head) {
        check(av_frame_make_writable(frame_.get()));
        convert();
        frame_->pts = tick(head.capture_time);
        encode(frame_.get());
        frames_++;
        restart_processor_time();
    }

    void finish() {
        encode(nullptr);
        check(av_write_trailer(container_.get()));
        check(container_->pb->error);
        check(avio_closep(&container_->pb));
        file_.commit();
    }

  private:
    void check(int status) const {
        if (status == AVERROR(EFBIG) && options_.max_bytes > 0) {
            throw Failure(options_.path + ": needs more than " + std::to_string(options_.max_bytes) + " bytes");
        }
        if (status < 0) throw Failure(options_.path + ": " + reason(status));
    }

    void open_encoder() {
        const AVCodec* codec = nullptr;
        const Encoding* encoding = kEncodings;
        for (const Encoding& each : kEncodings) {
            if (!fits(each, options_.width, options_.height)) continue;
            encoding = &each;
            codec = avcodec_find_encoder_by_name(each.encoder);
            if (codec) break;
        }
        if (!codec) throw Failure(options_.path + ": this FFmpeg has none of libx264, libvpx-vp9 and mpeg4");
        encoder_.reset(not_null(avcodec_alloc_context3(codec)));
        const int multiple = encoding->sides == Sides::made_even ? 2 : 1;
        encoder_->width = FFALIGN(options_.width, multiple);
        encoder_->height = FFALIGN(options_.height, multiple);
        encoder_->pix_fmt = AV_PIX_FMT_YUV420P;
        encoder_->time_base = encoding->clock;
        encoder_->framerate = av_d2q(options_.frame_rate, 100'000);
        encoder_->sample_aspect_ratio = {options_.aspect.width, options_.aspect.height};
        encoder_->color_range = AVCOL_RANGE_MPEG;
        encoder_->colorspace = AVCOL_SPC_SMPTE170M;
        encoder_->thread_count = options_.threads;
        encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
        AVDictionary* settings = nullptr;
        int status = av_dict_parse_string(&settings, encoding->settings, "=", ":", 0);
        if (status >= 0) status = avcodec_open2(encoder_.get(), codec, &settings);
        av_dict_free(&settings);
        check(status);
    }

    void open_container() {
        AVFormatContext* context = nullptr;
        check(avformat_alloc_output_context2(&context, nullptr, "mp4", file_.url().c_str()));
        container_.reset(context);
        stream_ = not_null(avformat_new_stream(context, nullptr));
        check(avcodec_parameters_from_context(stream_->codecpar, encoder_.get()));
        stream_->time_base = encoder_->time_base;
        stream_->avg_frame_rate = encoder_->framerate;
        // As the encoder took it, which may have smaller numbers.
        stream_->sample_aspect_ratio = encoder_->sample_aspect_ratio;
        AVDictionary* settings = nullptr;
        av_dict_set(&settings, "protocol_whitelist", "file", 0);
        int status = avio_open2(&context->pb, file_.url().c_str(), AVIO_FLAG_WRITE, nullptr, &settings);
        av_dict_free(&settings);
        check(status);
        av_dict_set(&settings, "movflags", "+faststart", 0);
        status = avformat_write_header(context, &settings);
        av_dict_free(&settings);
        check(status);
    }

    void prepare_picture() {
        frame_->format = encoder_->pix_fmt;
        frame_->width = encoder_->width;
        frame_->height = encoder_->height;
        frame_->color_range = encoder_->color_range;
        frame_->colorspace = encoder_->colorspace;
        check(av_frame_get_buffer(frame_.get(), 0));
        pixels_ = padded_bytes(byte_count());
        // Without the last flag, half of the last colour sample of an odd row comes from the row below.
        int flags = SWS_BICUBIC | SWS_ACCURATE_RND | (options_.width % 2 ? SWS_FULL_CHR_H_INP : 0);
        scaler_.reset(not_null(sws_getContext(options_.width, options_.height, AV_PIX_FMT_BGR24, options_.width,
                                              options_.height, AV_PIX_FMT_YUV420P, flags, nullptr, nullptr, nullptr)));
        sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1,
                                 sws_getCoefficients(SWS_CS_SMPTE170M), 0, 0, 1 << 16, 1 << 16);
    }

    void convert() {
        const uint8_t* planes[4] = {pixels_.get()};
        int strides[4] = {options_.width * 3};
        sws_scale(scaler_.get(), planes, strides, 0, options_.height, frame_->data, frame_->linesize);
        uint8_t* luma = frame_->data[0];
        int stride = frame_->linesize[0];
        if (encoder_->width != options_.width) {
            for (int y = 0; y < options_.height; y++) {
                luma[y * stride + options_.width] = luma[y * stride + options_.width - 1];
            }
        }
        if (encoder_->height != options_.height) {
            std::memcpy(luma + options_.height * stride, luma + (options_.height - 1) * stride,
                        size_t(encoder_->width));
        }
    }

    int64_t tick(int64_t capture_time) {
        if (frames_ == 0) first_time_ = capture_time;
        if (frames_ > 0 && capture_time <= last_time_) {
            throw Failure(options_.path + ": capture time " + std::to_string(capture_time) + " of frame " +
                          std::to_string(frames_) + " does not come after " + std::to_string(last_time_));
        }
        last_time_ = capture_time;
        int64_t since = 0;
        if (__builtin_sub_overflow(capture_time, first_time_, &since) || since > kMaximumTime) {
            throw Failure(options_.path + ": capture time " + std::to_string(capture_time) + " of frame " +
                          std::to_string(frames_) + " is more than a year after " + std::to_string(first_time_));
        }
        int64_t ticks = av_rescale_q(since, {1, 1'000'000}, encoder_->time_base);
        last_tick_ = frames_ == 0 ? 0 : std::max(ticks, last_tick_ + 1);
        return last_tick_;
    }

    void encode(const AVFrame* frame) {
        check(avcodec_send_frame(encoder_.get(), frame));
        for (;;) {
            int status = avcodec_receive_packet(encoder_.get(), packet_.get());
            if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return;
            check(status);
            packet_->duration = std::max<int64_t>(1, int64_t(encoder_->time_base.den / options_.frame_rate));
            av_packet_rescale_ts(packet_.get(), encoder_->time_base, stream_->time_base);
            packet_->stream_index = stream_->index;
            check(av_interleaved_write_frame(container_.get(), packet_.get()));
        }
    }

    // A year.
    static constexpr int64_t kMaximumTime = int64_t(366) * 86'400 * 1'000'000;

    WriteOptions options_;
    OutputFile file_;
    Codec encoder_;
    FormatOutput container_;
    AVStream* stream_ = nullptr;
    Frame frame_;
    Packet packet_;
    Bytes pixels_;
    Scaler scaler_;
    uint64_t frames_ = 0;
    int64_t first_time_ = 0;
    int64_t last_time_ = 0;
    int64_t last_tick_ = 0;
};

}  // namespace

void write_video(const WriteOptions& options, RecordReader& in, RecordWriter& out) {
    Writer writer(options);
    out.info(writer.info());
    FrameHead head;
    while (in.frame(head, writer.pixels(), writer.byte_count())) writer.add(head);
    if (writer.frames() == 0) throw Failure(options.path + ": no frames were given");
    writer.finish();
    out.end(writer.frames(), 0, "");
}

}  // namespace framemesh
