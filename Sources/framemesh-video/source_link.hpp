// A live source, called by its URL: only RTSP (its media on the same TCP connection) and HTTP, with TLS or without,
// only one address, and not for longer than somebody would wait.
#pragma once

#include <chrono>
#include <string>

#include "ffmpeg.hpp"

namespace framemesh {

class SourceLink {
  public:
    /// Calls an HTTP source; an RTSP one is called by `open`.
    explicit SourceLink(const std::string& url);
    ~SourceLink();
    SourceLink(const SourceLink&) = delete;
    SourceLink& operator=(const SourceLink&) = delete;

    /// The URL without what it says of user and password, and without its query, which often is as good as a password.
    static std::string name(const std::string& url);
    /// It is called by TLS.
    static bool is_secure(const std::string& url);
    /// Whom the URL names, without brackets.
    static std::string host(const std::string& url);

    /// Where the bytes of a container come from; null for RTSP.
    AVIOContext* io() { return io_; }
    /// Of a context that is about to read from here.
    void prepare(AVFormatContext* context, AVDictionary** options);
    const std::string& url() const { return url_; }
    /// The other side has said how many bytes come.
    bool has_size() const { return io_ && avio_size(io_) > 0; }
    /// The other side gives any part of it that is asked for (`Accept-Ranges`, `Content-Range`), and has said the size.
    bool has_ranges() const { return has_size() && (io_->seekable & AVIO_SEEKABLE_NORMAL) != 0; }
    /// From here on it is read from front to back; nobody is called for another part.
    void read_on() {
        could_seek_ = has_ranges();
        if (io_) io_->seekable = 0;
    }
    /// It had ranges until `read_on`.
    bool could_seek() const { return could_seek_; }
    /// What has come of the start and is not read yet.
    const uint8_t* head() const { return io_->buf_ptr; }
    size_t head_byte_count() const { return size_t(io_->buf_end - io_->buf_ptr); }
    /// An HTTP answer without a size ends with its connection, which FFmpeg calls an error.
    bool is_end(int status) const;
    /// Why a call of FFmpeg's has failed, in words.
    std::string reason(int status) const;
    /// The same for the one by which the source is called: it has causes that FFmpeg keeps to itself.
    std::string reason_of_call(int status) const;
    /// The next frame has this long from now on.
    void restart_wait();

  private:
    static int is_over(void* self);
    AVIOInterruptCB interrupt() { return {is_over, this}; }

    std::string url_;
    AVIOContext* io_ = nullptr;
    bool could_seek_ = false;
    /// Whole seconds that are waited, and until when that is.
    std::chrono::seconds patience_;
    std::chrono::steady_clock::time_point until_;
};

}  // namespace framemesh
