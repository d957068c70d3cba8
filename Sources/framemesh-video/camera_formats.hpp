// What a camera says it has.
#pragma once

#include <string>
#include <vector>

namespace framemesh {

struct OfferedFormat {
    /// As FFmpeg's input_format takes it.
    std::string name;
    /// " 640x480 320x240", or a range of them; empty: the driver does not say.
    std::string sizes;
};

/// Opens the camera at `path`, by FFmpeg's v4l2, which must be there; the camera must be closed.
/// Returns what FFmpeg can read of it; nothing where it cannot be told.
std::vector<OfferedFormat> offered_formats(const std::string& path);

}  // namespace framemesh
