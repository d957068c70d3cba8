// What goes through the pipes between framemesh-video and the process that started it (docs/video.md).
//
// All integers are little-endian. A pipe carries records:
//
//   u32 kind (four letters), u32 byte count of the body, body
//
//   INFO  u32 version (3), u32 width, u32 height, f64 frames a second (0: unknown), i64 frame count (-1: unknown,
//         -2: no end is known), i64 microseconds since the capture times were zero, i64 length in microseconds
//         (0: unknown), u32 and u32: the width of a pixel to its height, u32 whether the frame count is the
//         container's own (1) or an estimate (0), the codec's name in the rest
//   FRAM  u64 index, i64 capture time in microseconds, then width * height * 3 bytes: BGR24, rows packed
//   END_  u64 frames, u64 damaged packets (left out, or decoded with errors), then text: why it ended too
//         early, mostly empty
//   FAIL  one line of text
//
// read:  standard output is INFO FRAM* (END_ | FAIL), or FAIL alone. A pipe that ends without END_ or FAIL means that
//        the process died.
// write: standard input is FRAM* END_ (its index, its damaged packets and its text are not looked at). Standard output
//        is INFO when the file is open (the size is the one that is encoded), and END_ when it is in its place, or
//        FAIL. An input that ends without END_ means abort: nothing is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace framemesh {

constexpr uint32_t kProtocolVersion = 3;
constexpr size_t kMaximumTextBytes = 4096;
// In place of a number of frames.
constexpr int64_t kUnknownCount = -1;
/// There is no end that anybody knows of.
constexpr int64_t kEndless = -2;

constexpr uint32_t four_letters(const char (&name)[5]) {
    return uint32_t(uint8_t(name[0])) | uint32_t(uint8_t(name[1])) << 8 | uint32_t(uint8_t(name[2])) << 16 |
           uint32_t(uint8_t(name[3])) << 24;
}

enum class Kind : uint32_t {
    info = four_letters("INFO"),
    frame = four_letters("FRAM"),
    end = four_letters("END_"),
    fail = four_letters("FAIL"),
};

/// One line that names the file and what is wrong with it.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The other end of a pipe is gone: nobody is left to tell.
struct PipeClosed : std::exception {};

/// The width of a pixel to its height, as displayed.
struct Aspect {
    static constexpr int kMost = 65'535;
    int width = 1;
    int height = 1;
};

struct Info {
    uint32_t width = 0;
    uint32_t height = 0;
    double frame_rate = 0;
    int64_t frame_count = kUnknownCount;
    /// How long ago the zero of the capture times was, in microseconds; 0 for files.
    int64_t age = 0;
    /// How long a file says it is, in microseconds; 0: it says nothing.
    int64_t duration = 0;
    Aspect aspect;
    /// The container counts its frames.
    bool is_frame_count_exact = false;
    std::string codec;
};

/// The head of a FRAM body, before the pixels.
struct FrameHead {
    uint64_t index = 0;
    int64_t capture_time = 0;
};

class RecordWriter {
  public:
    explicit RecordWriter(int descriptor) : descriptor_(descriptor) {}
    void info(const Info& info);
    void frame(FrameHead head, const uint8_t* pixels, size_t count);
    void end(uint64_t frames, uint64_t damaged, std::string_view text);
    void fail(std::string_view text);

  private:
    void record(Kind kind, const std::vector<uint8_t>& head, const uint8_t* rest, size_t rest_count);
    int descriptor_;
};

class RecordReader {
  public:
    explicit RecordReader(int descriptor) : descriptor_(descriptor) {}
    /// The next frame, its pixels into `pixels`, which is of the one right size; false at END_.
    bool frame(FrameHead& head, uint8_t* pixels, size_t count);

  private:
    void exactly(uint8_t* bytes, size_t count);
    int descriptor_;
};

}  // namespace framemesh
