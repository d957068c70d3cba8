// A live source, called by its URL: only RTSP (its media on the same TCP connection) and HTTP, with TLS or without, only
// one address, and not for longer than somebody would wait.
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

    /// The URL without what it says of user and password.
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
    /// The next frame has this long from now on.
    void restart_wait();

  private:
    static int is_over(void* self);
    AVIOInterruptCB interrupt() { return {is_over, this}; }

    std::string url_;
    AVIOContext* io_ = nullptr;
    std::chrono::steady_clock::time_point until_;
};

}  // namespace framemesh
