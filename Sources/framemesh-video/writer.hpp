#pragma once

#include <cstdint>
#include <string>

#include "protocol.hpp"

namespace framemesh {

struct WriteOptions {
    std::string path;
    int width = 0;
    int height = 0;
    /// Nominal; the true times come with the frames.
    double frame_rate = 0;
    int threads = 1;
    Aspect aspect;
    /// The largest that the file may become; 0: any size.
    uint64_t max_bytes = 0;
    /// See OutputFile.
    std::string chance;
};

/// Takes frames from `in` and writes an MP4 file with their times, counted from the first frame's.
/// - Throws: Failure; PipeClosed when `in` ends without its end record. No file is left then.
void write_video(const WriteOptions& options, RecordReader& in, RecordWriter& out);

}  // namespace framemesh
