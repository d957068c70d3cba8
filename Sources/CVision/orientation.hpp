#pragma once

#include <memory>

#include "image.hpp"

namespace vision {

/// Turns and mirrors the pixels as an EXIF orientation (1...8) asks.
std::unique_ptr<vision_image> upright(std::unique_ptr<vision_image> image, int orientation);

}  // namespace vision
