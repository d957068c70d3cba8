#pragma once

#include <cstddef>

#include "decode.hpp"

namespace vision {

/// How often a JPEG goes over its picture. As libjpeg reads it: what stands in segments (a preview of a camera, say) is
/// none of it.
size_t count_scans(Span jpeg);

}  // namespace vision
