#pragma once

#include <cstdint>
#include <string>

#include "camera.hpp"
#include "protocol.hpp"

namespace framemesh {

/// Decodes the file and sends all of it: INFO, frames, END_. What cannot be decoded is left out, and
/// counted with what was decoded with errors.
/// - Throws: Failure when not a single frame is there.
void read_video(const std::string& path, int threads, int64_t max_pixels, RecordWriter& out);

/// The same for a live source, as long as it goes on.
void watch_video(const std::string& url, int threads, RecordWriter& out);

/// The same for a camera of this machine.
void watch_camera(const CameraOptions& options, RecordWriter& out);

}  // namespace framemesh
