#include "source_link.hpp"

#include "protocol.hpp"

namespace framemesh {
namespace {

/// From the call to the first frame, and from frame to frame.
constexpr auto kOpenTime = std::chrono::seconds(15);
constexpr auto kFrameTime = std::chrono::seconds(10);
/// For each read and write; microseconds.
constexpr const char* kIOTime = "10000000";
/// What is read to learn of the streams: bytes, and microseconds.
constexpr const char* kProbeBytes = "1000000";
constexpr const char* kProbeTime = "1000000";

bool begins(const std::string& text, const char* with) {
    return text.rfind(with, 0) == 0;
}

}  // namespace

std::string SourceLink::name(const std::string& url) {
    size_t start = url.find("://");
    if (start == std::string::npos) return url;
    start += 3;
    size_t end = url.find_first_of("/?#", start);
    size_t at = url.rfind('@', end);
    if (at == std::string::npos || at < start) return url;
    return url.substr(0, start) + url.substr(at + 1);
}

bool SourceLink::is_secure(const std::string& url) {
    return begins(url, "rtsps://") || begins(url, "https://");
}

std::string SourceLink::host(const std::string& url) {
    std::string bare = name(url);
    size_t start = bare.find("://");
    if (start == std::string::npos) return "";
    start += 3;
    std::string place = bare.substr(start, bare.find_first_of("/?#", start) - start);
    if (!place.empty() && place.front() == '[') return place.substr(1, place.find(']') - 1);
    return place.substr(0, place.find(':'));
}

SourceLink::SourceLink(const std::string& url) : url_(url), until_(std::chrono::steady_clock::now() + kOpenTime) {
    if (begins(url, "rtsp://") || begins(url, "rtsps://")) return;
    if (!begins(url, "http://") && !begins(url, "https://")) {
        throw Failure(name(url) + ": only rtsp://, rtsps://, http:// and https:// are called");
    }
    AVDictionary* options = nullptr;
    // A redirect of a secure source leads to no other.
    av_dict_set(&options, "protocol_whitelist", is_secure(url) ? "https,tls,tcp" : "http,tcp", 0);
    av_dict_set(&options, "rw_timeout", kIOTime, 0);
    av_dict_set(&options, "seekable", "0", 0);
    av_dict_set(&options, "icy", "0", 0);
    AVIOInterruptCB until = interrupt();
    int status = avio_open2(&io_, url.c_str(), AVIO_FLAG_READ, &until, &options);
    av_dict_free(&options);
    if (status < 0) throw Failure(name(url) + ": " + reason(status));
}

SourceLink::~SourceLink() {
    if (io_) avio_closep(&io_);
}

void SourceLink::prepare(AVFormatContext* context, AVDictionary** options) {
    context->interrupt_callback = interrupt();
    av_dict_set(options, "probesize", kProbeBytes, 0);
    av_dict_set(options, "analyzeduration", kProbeTime, 0);
    if (io_) {
        av_dict_set(options, "protocol_whitelist", is_secure(url_) ? "https,tls,tcp" : "http,tcp", 0);
    } else {
        av_dict_set(options, "protocol_whitelist", is_secure(url_) ? "tls,tcp" : "tcp", 0);
        av_dict_set(options, "rtsp_transport", "tcp", 0);
        av_dict_set(options, "timeout", kIOTime, 0);
    }
}

void SourceLink::restart_wait() {
    until_ = std::chrono::steady_clock::now() + kFrameTime;
}

int SourceLink::is_over(void* self) {
    return std::chrono::steady_clock::now() > static_cast<SourceLink*>(self)->until_;
}

}  // namespace framemesh
