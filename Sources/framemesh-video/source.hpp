// A video file or a live source, opened: only the file itself, only containers from a list, sizes checked before
// anything is decoded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "camera.hpp"
#include "ffmpeg.hpp"
#include "limits.hpp"
#include "orientation.hpp"
#include "protocol.hpp"
#include "read_ahead.hpp"
#include "source_link.hpp"

namespace framemesh {

/// A file descriptor that FFmpeg reads from by callbacks, so that it has no way to open anything by a name.
class SourceFile {
  public:
    /// Refuses all but regular files.
    explicit SourceFile(const std::string& path);
    ~SourceFile();
    SourceFile(const SourceFile&) = delete;
    SourceFile& operator=(const SourceFile&) = delete;
    AVIOContext* io() { return io_; }
    int64_t byte_count() const;
    /// The size that its start says; 0 where it says nothing.
    int64_t stated_byte_count() const;

  private:
    int descriptor_;
    AVIOContext* io_ = nullptr;
};

class Source {
  public:
    /// - max_pixels: of its pictures; at most kMaximumPixels.
    static std::unique_ptr<Source> file(const std::string& path, int threads, int64_t max_pixels);
    /// A live source, which may be called by `allow_only`.
    static std::unique_ptr<Source> live(const std::string& url, int threads);
    /// A camera of this machine.
    static std::unique_ptr<Source> camera(const CameraOptions& options);

    /// Of the file, or the URL without what is secret in it.
    const std::string& path() const { return path_; }
    AVFormatContext* format() { return format_.get(); }
    AVStream* stream() { return stream_; }
    /// The next packet, as av_read_frame; of any stream.
    int read(AVPacket* packet);
    /// How long ago a frame with this timestamp was taken; both in microseconds. Nothing: it cannot be told, or is a
    /// file's.
    std::optional<int64_t> age(int64_t timestamp) const { return ahead_.age(timestamp); }
    AVCodecContext* decoder() { return decoder_.get(); }
    Orientation orientation() const;
    /// It ends before the place where the container says its last frame is, before its own size, or, where it says
    /// neither, before its own duration (of a file, where FFmpeg's is one that the container states).
    /// - last_time: of its last frame, in microseconds from its start.
    bool is_cut_off(int64_t last_time);
    /// Why not one frame has come, where that is no damage; empty: it is none of that.
    std::string why_nothing() const;
    /// What it is to people.
    const char* kind() const { return file_ ? "file" : "source"; }
    /// Nothing comes any more, and nobody has said that more would.
    bool is_end(int status) const { return status == AVERROR_EOF || (link_ && link_->is_end(status)); }
    /// Why a call of FFmpeg's has failed, in words.
    std::string why(int status) const {
        return link_ ? link_->reason(status) : camera_ ? camera_reason(status) : reason(status);
    }
    /// A frame has come: a live source has its time for the next.
    void restart_wait() {
        if (link_) link_->restart_wait();
        if (camera_) restart_camera_wait(path_);
    }
    /// Nobody waits for the camera while its frame waits for a reader.
    void end_wait() {
        if (camera_) end_camera_wait();
    }
    /// Frame rate, frame count, duration and codec by the container's word; no size.
    Info info();
    /// Of the pixels of a frame, turned as it is.
    Aspect aspect(AVFrame* frame);

  private:
    explicit Source(const std::string& name) : path_(name) {}
    void open_container();
    const AVInputFormat* find_container();
    /// None where FFmpeg opens it by its name: RTSP, cameras.
    AVIOContext* io() { return file_ ? file_->io() : link_ ? link_->io() : nullptr; }
    std::string why_not_opened(int status) {
        if (io()) return why(status);
        return camera_ ? camera_opening_reason(*camera_, status) : link_->reason_of_call(status);
    }
    /// Back from an index that is behind the frames.
    void go_to_first_frame();
    void choose_stream();
    void check_size(int width, int height) const;
    /// A file whose duration is its container's word, and not what FFmpeg finds in the file.
    bool states_duration() const;
    /// What a decoder may take for a picture.
    int64_t max_coded_pixels() const;
    void open_decoder(int threads);
    void read_ahead();
    /// Of an AVI: those from its first frame to its last, empty ones as well.
    int64_t places_in_index() const;
    [[noreturn]] void fail(const std::string& why) const { throw Failure(path_ + ": " + why); }

    std::string path_;
    /// One of the three.
    std::unique_ptr<SourceFile> file_;
    std::unique_ptr<SourceLink> link_;
    std::unique_ptr<CameraOptions> camera_;
    FormatInput format_;
    int64_t max_pixels_ = kMaximumPixels;
    /// Where its end is can be known: a file's is, and of a live source's if the other side has said it.
    bool has_end_ = false;
    /// By its start; 0: it says nothing.
    int64_t stated_byte_count_ = 0;
    /// By its container, in microseconds; 0: it says nothing.
    int64_t stated_duration_ = 0;
    /// Of a file that states its duration: when its latest packet is, of all streams, and the longest time between two;
    /// microseconds by the container's own count.
    int64_t last_packet_time_ = 0;
    int64_t longest_pause_ = 0;
    bool has_index_behind_ = false;
    AVStream* stream_ = nullptr;
    Codec decoder_;
    /// Of one that goes on for ever.
    ReadAhead ahead_;
};

}  // namespace framemesh
