#include "camera.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "camera_formats.hpp"
#include "protocol.hpp"

namespace framemesh {
namespace {

/// Video4Linux's character devices (Linux, admin-guide/devices.txt).
constexpr unsigned kVideoMajor = 81;
constexpr const char* kFolder = "/dev/video";
constexpr unsigned kFrameSeconds = 10;

#define FRAMEMESH_TEXT_OF(number) #number
#define FRAMEMESH_TEXT(number) FRAMEMESH_TEXT_OF(number)
/// Libraries of one FFmpeg that count together.
constexpr const char* kLibrary = "libavdevice.so." FRAMEMESH_TEXT(LIBAVFORMAT_VERSION_MAJOR);

/// For a signal handler.
char silence[256];

void tell_silence(int) {
    // Nothing can be done where nobody reads it.
    if (write(STDERR_FILENO, silence, std::strlen(silence)) < 0) _exit(1);
    _exit(1);
}

void check_camera(const std::string& path) {
    const std::string number = path.substr(std::min(path.size(), std::strlen(kFolder)));
    if (path.rfind(kFolder, 0) != 0 || number.empty() || number.size() > 3 ||
        !std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c); })) {
        throw Failure(path + ": a camera is named /dev/video0, /dev/video1 and so on");
    }
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) throw Failure(path + ": " + std::strerror(errno));
    if (!S_ISCHR(status.st_mode) || major(status.st_rdev) != kVideoMajor) throw Failure(path + ": is no camera");
}

std::string size_text(int width, int height) {
    return std::to_string(width) + "x" + std::to_string(height);
}

/// Behind what is wrong; empty where the driver does not say.
std::string offer(const std::vector<OfferedFormat>& formats) {
    std::string text;
    for (const auto& each : formats) text += (text.empty() ? "; it has " : ", ") + each.name + each.sizes;
    return text;
}

bool is_of_format(const AVCodecParameters* given, const std::string& name) {
    // As FFmpeg reads the name.
    const AVCodecDescriptor* codec = avcodec_descriptor_get_by_name(name.c_str());
    if (codec) return given->codec_id == codec->id;
    return given->codec_id == AV_CODEC_ID_RAWVIDEO && given->format == av_get_pix_fmt(name.c_str());
}

}  // namespace

const AVInputFormat* camera_input(const std::string& path) {
    check_camera(path);
    // Stays loaded: what it registers is used as long as this process is there.
    void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    using Register = void (*)();
    const auto add = library ? reinterpret_cast<Register>(dlsym(library, "avdevice_register_all")) : nullptr;
    if (!add) throw Failure(path + ": cameras need FFmpeg's " + kLibrary + ", which is not here");
    add();
    const AVInputFormat* input = av_find_input_format("v4l2");
    if (!input) throw Failure(path + ": this FFmpeg was built without v4l2");
    return input;
}

void prepare_camera(const CameraOptions& options, AVDictionary** dictionary) {
    if (options.width > 0) {
        av_dict_set(dictionary, "video_size", size_text(options.width, options.height).c_str(), 0);
    }
    if (!options.format.empty()) av_dict_set(dictionary, "input_format", options.format.c_str(), 0);
    if (options.frame_rate > 0) av_dict_set(dictionary, "framerate", std::to_string(options.frame_rate).c_str(), 0);
}

std::string camera_reason(int status) {
    const std::string why = reason(status);
    // Of one camera of USB, /dev/video0 has the pictures and /dev/video1 what is known about them.
    if (status == AVERROR(ENOTTY)) return "gives no pictures, another device of the camera may (FFmpeg: " + why + ")";
    // USB keeps a share of its bus for each camera that has begun.
    if (status == AVERROR(ENOSPC)) return "its bus has no room for another camera's pictures (FFmpeg: " + why + ")";
    return why;
}

std::string camera_opening_reason(const CameraOptions& options, int status) {
    const std::string why = camera_reason(status);
    if (options.format.empty() || status != AVERROR(EINVAL)) return why;
    const auto formats = offered_formats(options.path);
    const bool has_it = std::any_of(formats.begin(), formats.end(),
                                    [&](const OfferedFormat& each) { return each.name == options.format; });
    return formats.empty() || has_it ? why : "gives no " + options.format + offer(formats);
}

void check_pictures(const CameraOptions& options, FormatInput& camera) {
    const AVCodecParameters* given = camera->streams[0]->codecpar;
    std::string why;
    if (!options.format.empty() && !is_of_format(given, options.format)) {
        why = "gives no " + options.format;
    } else if (options.width > 0 && (given->width != options.width || given->height != options.height)) {
        why = "gives " + size_text(given->width, given->height) + ", not " + size_text(options.width, options.height);
    }
    if (why.empty()) return;
    camera.reset();
    throw Failure(options.path + ": " + why + offer(offered_formats(options.path)));
}

void restart_camera_wait(const std::string& path) {
    std::snprintf(silence, sizeof(silence), "framemesh-video: %.100s: no picture for %u seconds\n", path.c_str(),
                  kFrameSeconds);
    signal(SIGALRM, tell_silence);
    alarm(kFrameSeconds);
}

void end_camera_wait() {
    alarm(0);
}

}  // namespace framemesh
