// framemesh-video: video files to raw frames and back, in a process of its own (docs/video.md).
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "ffmpeg.hpp"
#include "limits.hpp"
#include "network_gate.hpp"
#include "protocol.hpp"
#include "reader.hpp"
#include "source_link.hpp"
#include "tls_gate.hpp"
#include "writer.hpp"

using namespace framemesh;

namespace {

// A number beyond which a double does not count one by one.
constexpr double kMaximumFileBytes = 9e15;
// Characters of the name of a format.
constexpr size_t kMaximumNameBytes = 32;
constexpr int kFailed = 1, kUsage = 2, kNobodyThere = 3;

constexpr const char* kHelp =
    "usage: framemesh-video read PATH [--threads N] [--max-pixels N]\n"
    "       framemesh-video watch ADDRESS:PORT [--threads N] [--authorities FILE]\n"
    "       framemesh-video camera /dev/videoN [--threads N] [--width N --height N] [--format NAME]\n"
    "                              [--frame-rate F]\n"
    "       framemesh-video write PATH --width N --height N --frame-rate F [--aspect N:D] [--threads N]\n"
    "                             [--max-bytes N] [--part CHANCE]\n"
    "\n"
    "read   sends the frames of a video file to standard output as BGR24 pixels with their times.\n"
    "watch  does the same for a live source, whose rtsp://, rtsps://, http:// or https:// URL comes on standard input\n"
    "       (it may have a password in it); only ADDRESS:PORT is called, whatever name the URL has. A source with TLS\n"
    "       has to have a certificate for that name by an authority in FILE (PEM; default: those of the system).\n"
    "camera does the same for a camera of this machine (Video4Linux). --format is FFmpeg's name of a codec or of a\n"
    "       pixel format (mjpeg, yuyv422). It is an error if the camera has not the size or the format.\n"
    "write  takes such frames from standard input and writes an MP4 file.\n"
    "All in the records that docs/video.md describes. --threads (default 1) is for the codec.\n"
    "--max-pixels is of the largest picture that is decoded (default, and most: 50000000).\n"
    "--aspect is the width of a pixel to its height. --max-bytes ends writing where the file would become larger.\n"
    "--part has 16 hexadecimal digits: where the file system has no nameless files, it is called PATH.CHANCE.part until it\n"
    "is whole.\n"
    "\n"
    "example: framemesh-video read street.mp4 | head -c 64 | xxd\n";

struct Usage {
    std::string text;
};

double number(const char* name, const char* text, double least, double most) {
    char* end = nullptr;
    double value = text ? std::strtod(text, &end) : NAN;
    if (!text || end == text || *end != 0 || !(value >= least && value <= most)) {
        throw Usage{std::string(name) + " wants a number from " + std::to_string(least) + " to " +
                    std::to_string(most)};
    }
    return value;
}

std::string chance(const std::string& name, const char* text) {
    const std::string digits = text ? text : "";
    if (digits.size() != 16 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
        throw Usage{name + " wants 16 hexadecimal digits"};
    return digits;
}

Aspect aspect(const char* name, const char* text) {
    const std::string both = text ? text : "";
    const size_t colon = both.find(':');
    if (colon == std::string::npos) throw Usage{std::string(name) + " wants two numbers, N:D"};
    auto part = [&](const std::string& side) { return int(number(name, side.c_str(), 1, Aspect::kMost)); };
    return {part(both.substr(0, colon)), part(both.substr(colon + 1))};
}

std::string format_name(const std::string& name, const char* text) {
    const std::string format = text ? text : "";
    if (format.empty() || format.size() > kMaximumNameBytes ||
        format.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
        throw Usage{name + " wants FFmpeg's name of a format"};
    return format;
}

struct Arguments {
    std::string role;
    WriteOptions options;
    std::string authorities;
    /// Of one that is read.
    int64_t max_pixels = kMaximumPixels;
    /// Of a camera.
    std::string format;

    CameraOptions camera() const {
        return {options.path, options.width, options.height, format, options.frame_rate, options.threads};
    }
};

Arguments parse(int count, char** words) {
    if (count < 3) throw Usage{"a role and a path are needed"};
    Arguments found;
    found.role = words[1];
    found.options.path = words[2];
    for (int i = 3; i < count; i += 2) {
        std::string name = words[i];
        const char* value = i + 1 < count ? words[i + 1] : nullptr;
        const bool has_size = found.role == "write" || found.role == "camera";
        auto whole = [&](double most) { return int(number(words[i], value, 1, most)); };
        if (name == "--threads") {
            found.options.threads = whole(kMaximumThreads);
        } else if (name == "--max-pixels" && found.role == "read") {
            found.max_pixels = int64_t(number(words[i], value, 1, kMaximumPixels));
        } else if (name == "--authorities" && found.role == "watch") {
            if (!value) throw Usage{name + " wants a file"};
            found.authorities = value;
        } else if (name == "--width" && has_size) {
            found.options.width = whole(kMaximumSide);
        } else if (name == "--height" && has_size) {
            found.options.height = whole(kMaximumSide);
        } else if (name == "--format" && found.role == "camera") {
            found.format = format_name(name, value);
        } else if (name == "--frame-rate" && has_size) {
            found.options.frame_rate = number(words[i], value, kMinimumFrameRate, kMaximumFrameRate);
        } else if (name == "--aspect" && found.role == "write") {
            found.options.aspect = aspect(words[i], value);
        } else if (name == "--max-bytes" && found.role == "write") {
            found.options.max_bytes = uint64_t(number(words[i], value, 1, kMaximumFileBytes));
        } else if (name == "--part" && found.role == "write") {
            found.options.chance = chance(name, value);
        } else {
            throw Usage{"unknown option " + name};
        }
    }
    if (found.role == "write" &&
        (!size_is_allowed(found.options.width, found.options.height) || found.options.frame_rate <= 0)) {
        throw Usage{"write wants --width, --height (at most " + std::to_string(kMaximumPixels) +
                    " pixels) and --frame-rate"};
    }
    if (found.role == "camera" && (found.options.width > 0 || found.options.height > 0) &&
        !size_is_allowed(found.options.width, found.options.height)) {
        throw Usage{"--width and --height belong together, at most " + std::to_string(kMaximumPixels) + " pixels"};
    }
    if (found.role != "read" && found.role != "write" && found.role != "watch" && found.role != "camera")
        throw Usage{"unknown role " + found.role};
    return found;
}

/// All that `descriptor` has to say.
std::string read_text(int descriptor) {
    std::string text;
    char part[512];
    while (text.size() <= kMaximumTextBytes) {
        ssize_t got = read(descriptor, part, sizeof(part));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return text;
        text.append(part, size_t(got));
    }
    throw Failure("the URL is longer than " + std::to_string(kMaximumTextBytes) + " bytes");
}

int tell(RecordWriter& out, const std::string& line) {
    std::fprintf(stderr, "framemesh-video: %s\n", line.c_str());
    try {
        out.fail(line);
    } catch (const PipeClosed&) {
        return kNobodyThere;
    }
    return kFailed;
}

}  // namespace

int main(int count, char** words) {
    if (count == 2 && (std::strcmp(words[1], "--help") == 0 || std::strcmp(words[1], "-h") == 0)) {
        std::fputs(kHelp, stdout);
        return 0;
    }
    RecordWriter out(STDOUT_FILENO);
    try {
        Arguments arguments = parse(count, words);
        keep_log_lines();
        std::signal(SIGPIPE, SIG_IGN);
        close_inherited_files();
        if (arguments.role == "read") {
            die_with_parent();
            read_video(arguments.options.path, arguments.options.threads, arguments.max_pixels, out);
        } else if (arguments.role == "watch") {
            die_with_parent();
            allow_only(arguments.options.path);
            std::string url = read_text(STDIN_FILENO);
            if (SourceLink::is_secure(url)) trust_only(SourceLink::host(url), arguments.authorities);
            watch_video(url, arguments.options.threads, out);
        } else if (arguments.role == "camera") {
            die_with_parent();
            watch_camera(arguments.camera(), out);
        } else {
            RecordReader in(STDIN_FILENO);
            write_video(arguments.options, in, out);
        }
        return 0;
    } catch (const Usage& usage) {
        std::fprintf(stderr, "framemesh-video: %s\n%s", usage.text.c_str(), kHelp);
        return kUsage;
    } catch (const PipeClosed&) {
        return kNobodyThere;
    } catch (const Failure& failure) {
        return tell(out, failure.what());
    } catch (const std::bad_alloc&) {
        return tell(out, std::string(words[2]) + ": needs more memory than is allowed");
    } catch (const std::exception& error) {
        return tell(out, std::string(words[2]) + ": " + error.what());
    }
}
