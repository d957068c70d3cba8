#include "source_link.hpp"

#include "network_gate.hpp"
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

constexpr const char* kOtherScheme =
    "it leads to another scheme, where nobody is called: name that URL, if it is one of rtsp, rtsps, http or https";
constexpr const char* kCircle = "it leads from URL to URL without an end: name the one that has the video";
constexpr const char* kNoRTSP =
    "nobody there answers in RTSP: is the port right, or is it a URL of http:// or https://?";

bool begins(const std::string& text, const char* with) {
    return text.rfind(with, 0) == 0;
}

bool is_rtsp(const std::string& url) {
    return begins(url, "rtsp://") || begins(url, "rtsps://");
}

/// Our words, and FFmpeg's as their cause.
std::string caused(const char* words, const std::string& cause) {
    return std::string(words) + " (FFmpeg: " + cause + ")";
}

}  // namespace

std::string SourceLink::name(const std::string& url) {
    size_t start = url.find("://");
    if (start == std::string::npos) return url;
    start += 3;
    size_t end = url.find_first_of("/?#", start);
    size_t at = url.rfind('@', end);
    const size_t query = url.find_first_of("?#", start);
    const size_t host = at == std::string::npos || at < start ? start : at + 1;
    return url.substr(0, start) + url.substr(host, query == std::string::npos ? query : query - host);
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

SourceLink::SourceLink(const std::string& url)
    : url_(url), patience_(kOpenTime), until_(std::chrono::steady_clock::now() + patience_) {
    if (is_rtsp(url)) return;
    if (!begins(url, "http://") && !begins(url, "https://")) {
        throw Failure(name(url) + ": only rtsp://, rtsps://, http:// and https:// are called");
    }
    AVDictionary* options = nullptr;
    // A redirect of a secure source leads to no other.
    av_dict_set(&options, "protocol_whitelist", is_secure(url) ? "https,tls,tcp" : "http,tcp", 0);
    av_dict_set(&options, "rw_timeout", kIOTime, 0);
    av_dict_set(&options, "icy", "0", 0);
    AVIOInterruptCB until = interrupt();
    int status = avio_open2(&io_, url.c_str(), AVIO_FLAG_READ, &until, &options);
    av_dict_free(&options);
    if (status < 0) throw Failure(name(url) + ": " + reason_of_call(status));
}

std::string SourceLink::reason_of_call(int status) const {
    // What FFmpeg refuses in silence.
    if (logged().empty()) {
        const std::string why = framemesh::reason(status);
        if (is_rtsp(url_) && status == AVERROR_INVALIDDATA) return caused(kNoRTSP, why);
        if (!is_rtsp(url_) && status == AVERROR(EINVAL)) return caused(kOtherScheme, why);
        if (!is_rtsp(url_) && status == AVERROR(EIO)) return caused(kCircle, why);
    }
    return reason(status);
}

std::string SourceLink::reason(int status) const {
    if (status == AVERROR_EXIT) return "no picture within " + std::to_string(patience_.count()) + " seconds";
    const std::string why = framemesh::reason(status);
    if (was_kept_from_elsewhere()) return caused("it leads elsewhere, where nobody is called: name that URL", why);
    // The words of FFmpeg for a redirect from http to https, or back.
    if (why.find("not on whitelist") != std::string::npos) return caused(kOtherScheme, why);
    if (why.find("certificate verification") != std::string::npos)
        return "its certificate is of another name, out of date, or of an authority that is not trusted here";
    return why;
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

bool SourceLink::is_end(int status) const {
    return io_ && status == AVERROR(EIO) && !has_size();
}

void SourceLink::restart_wait() {
    patience_ = kFrameTime;
    until_ = std::chrono::steady_clock::now() + patience_;
}

int SourceLink::is_over(void* self) {
    return std::chrono::steady_clock::now() > static_cast<SourceLink*>(self)->until_;
}

}  // namespace framemesh
