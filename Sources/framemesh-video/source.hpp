// A video file, opened: only the file itself, only containers from a list, sizes checked before anything is decoded.
#pragma once

#include <string>

#include "ffmpeg.hpp"
#include "orientation.hpp"
#include "protocol.hpp"

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
    /// The size that a RIFF header (AVI) says; 0 where it is another kind of file or says nothing.
    int64_t riff_byte_count() const;

  private:
    int descriptor_;
    AVIOContext* io_ = nullptr;
};

class Source {
  public:
    Source(const std::string& path, int threads);

    const std::string& path() const { return path_; }
    AVFormatContext* format() { return format_.get(); }
    AVStream* stream() { return stream_; }
    AVCodecContext* decoder() { return decoder_.get(); }
    Orientation orientation() const;
    /// The file ends before the place where the container says its last frame is, or before its own size.
    bool is_cut_off() const;
    /// Frame rate, frame count and codec by the container's word; no size.
    Info info();

  private:
    void open_container();
    void choose_stream();
    void check_size(int width, int height) const;
    void open_decoder(int threads);
    [[noreturn]] void fail(const std::string& why) const { throw Failure(path_ + ": " + why); }

    std::string path_;
    SourceFile file_;
    FormatInput format_;
    AVStream* stream_ = nullptr;
    Codec decoder_;
};

}  // namespace framemesh
