#include "camera_formats.hpp"

#include <cstdarg>
#include <cstdio>
#include <sstream>

#include "ffmpeg.hpp"

namespace framemesh {
namespace {

/// With what is said besides, an error is shorter than kMaximumTextBytes.
constexpr size_t kMaximumListBytes = 3000;
/// FFmpeg's name for what it has none for.
constexpr const char* kUnsupported = "Unsupported";

std::string listed;

/// The line of a format comes in parts, one for each size.
void collect(void*, int level, const char* format, va_list arguments) {
    if (level != AV_LOG_INFO || listed.size() >= kMaximumListBytes) return;
    char part[256];
    if (vsnprintf(part, sizeof(part), format, arguments) > 0) listed += part;
}

}  // namespace

std::vector<OfferedFormat> offered_formats(const std::string& path) {
    listed.clear();
    // FFmpeg logs the list, and gives it in no other way; then it says that it has opened nothing.
    av_log_set_callback(collect);
    AVDictionary* dictionary = nullptr;
    av_dict_set(&dictionary, "list_formats", "all", 0);
    AVFormatContext* context = nullptr;
    avformat_open_input(&context, path.c_str(), av_find_input_format("v4l2"), &dictionary);
    FormatInput closed(context);
    av_dict_free(&dictionary);
    keep_log_lines();

    std::vector<OfferedFormat> formats;
    std::istringstream lines(listed);
    for (std::string line; std::getline(lines, line);) {
        // "Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 320x240"
        if (line.rfind("Raw ", 0) != 0 && line.rfind("Compressed", 0) != 0) continue;
        const size_t first = line.find(':'), last = line.rfind(':');
        if (first == last) continue;
        std::string name;
        std::istringstream(line.substr(first + 1)) >> name;
        if (name != kUnsupported) formats.push_back({name, line.substr(last + 1)});
    }
    return formats;
}

}  // namespace framemesh
