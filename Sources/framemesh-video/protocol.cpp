#include "protocol.hpp"

#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace framemesh {
namespace {

void put(std::vector<uint8_t>& bytes, uint64_t value, int count) {
    for (int i = 0; i < count; i++) bytes.push_back(uint8_t(value >> (8 * i)));
}

uint64_t get(const uint8_t* bytes, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value |= uint64_t(bytes[i]) << (8 * i);
    return value;
}

std::string one_line(std::string_view text) {
    std::string line(text.substr(0, kMaximumTextBytes));
    for (char& c : line) {
        if (uint8_t(c) < 0x20 || c == 0x7f) c = ' ';
    }
    return line;
}

}  // namespace

void RecordWriter::record(Kind kind, const std::vector<uint8_t>& head, const uint8_t* rest, size_t rest_count) {
    std::vector<uint8_t> start;
    start.reserve(8 + head.size());
    put(start, uint32_t(kind), 4);
    put(start, head.size() + rest_count, 4);
    start.insert(start.end(), head.begin(), head.end());
    iovec parts[2] = {{start.data(), start.size()}, {const_cast<uint8_t*>(rest), rest_count}};
    iovec* first = parts;
    int count = 2;
    while (count > 0) {
        ssize_t written = writev(descriptor_, first, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw PipeClosed();
        while (count > 0 && size_t(written) >= first->iov_len) {
            written -= ssize_t(first->iov_len);
            first++;
            count--;
        }
        if (count == 0) break;
        first->iov_base = static_cast<uint8_t*>(first->iov_base) + written;
        first->iov_len -= size_t(written);
    }
}

void RecordWriter::info(const Info& info) {
    std::vector<uint8_t> head;
    uint64_t rate = 0;
    static_assert(sizeof(rate) == sizeof(info.frame_rate));
    std::memcpy(&rate, &info.frame_rate, sizeof(rate));
    put(head, kProtocolVersion, 4);
    put(head, info.width, 4);
    put(head, info.height, 4);
    put(head, rate, 8);
    put(head, uint64_t(info.frame_count), 8);
    put(head, uint64_t(info.age), 8);
    put(head, uint64_t(info.duration), 8);
    put(head, uint64_t(info.aspect.width), 4);
    put(head, uint64_t(info.aspect.height), 4);
    put(head, info.is_frame_count_exact, 4);
    std::string codec = one_line(info.codec);
    record(Kind::info, head, reinterpret_cast<const uint8_t*>(codec.data()), codec.size());
}

void RecordWriter::frame(FrameHead frame, const uint8_t* pixels, size_t count) {
    std::vector<uint8_t> head;
    put(head, frame.index, 8);
    put(head, uint64_t(frame.capture_time), 8);
    record(Kind::frame, head, pixels, count);
}

void RecordWriter::end(uint64_t frames, uint64_t damaged, std::string_view text) {
    std::vector<uint8_t> head;
    put(head, frames, 8);
    put(head, damaged, 8);
    std::string line = one_line(text);
    record(Kind::end, head, reinterpret_cast<const uint8_t*>(line.data()), line.size());
}

void RecordWriter::fail(std::string_view text) {
    std::string line = one_line(text);
    record(Kind::fail, {}, reinterpret_cast<const uint8_t*>(line.data()), line.size());
}

void RecordReader::exactly(uint8_t* bytes, size_t count) {
    while (count > 0) {
        ssize_t got = read(descriptor_, bytes, count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) throw PipeClosed();
        bytes += got;
        count -= size_t(got);
    }
}

bool RecordReader::frame(FrameHead& head, uint8_t* pixels, size_t count) {
    uint8_t start[24];
    exactly(start, 8);
    uint64_t body = get(start + 4, 4);
    switch (Kind(get(start, 4))) {
        case Kind::end:
            return false;
        case Kind::frame:
            break;
        default:
            throw Failure("standard input: a record of an unknown kind");
    }
    if (body != 16 + count) {
        throw Failure("standard input: a frame record of " + std::to_string(body) + " bytes instead of " +
                      std::to_string(16 + count));
    }
    exactly(start + 8, 16);
    head.index = get(start + 8, 8);
    head.capture_time = int64_t(get(start + 16, 8));
    exactly(pixels, count);
    return true;
}

}  // namespace framemesh
