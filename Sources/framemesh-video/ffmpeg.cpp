#include "ffmpeg.hpp"

#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace framemesh {
namespace {

std::mutex log_lock;
char log_line[256];

void keep_line(void*, int level, const char* format, va_list arguments) {
    if (level > AV_LOG_ERROR) return;
    char line[sizeof(log_line)];
    int count = vsnprintf(line, sizeof(line), format, arguments);
    if (count <= 1) return;
    std::lock_guard<std::mutex> hold(log_lock);
    std::copy(std::begin(line), std::end(line), std::begin(log_line));
}

}  // namespace

void keep_log_lines() {
    av_log_set_callback(keep_line);
}

std::string logged() {
    std::lock_guard<std::mutex> hold(log_lock);
    std::string said(log_line);
    while (!said.empty() && (said.back() == '\n' || said.back() == ' ' || said.back() == '.')) said.pop_back();
    return said;
}

std::string reason(int status) {
    char name[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(status, name, sizeof(name));
    const std::string said = logged();
    return said.empty() ? std::string(name) : std::string(name) + " (" + said + ")";
}

Bytes padded_bytes(size_t count) {
    return Bytes(static_cast<uint8_t*>(not_null(av_mallocz(count + AV_INPUT_BUFFER_PADDING_SIZE))));
}

}  // namespace framemesh
