#pragma once

#include <cstdint>
#include <vector>

#include "CVision.h"
#include "pool.hpp"

namespace vision {
/// A rectangle of a picture, in pixels.
struct Area {
    int x, y, width, height;
};
}  // namespace vision

/// BGR8, rows packed.
struct vision_image {
    vision_image(int width, int height)
        : width(width), height(height), buffer(static_cast<size_t>(width) * static_cast<size_t>(height) * 3) {}

    size_t row_bytes() const { return static_cast<size_t>(width) * 3; }
    uint8_t *row(int y) const { return buffer.data() + static_cast<size_t>(y) * row_bytes(); }

    int width;
    int height;
    vision::Buffer buffer;
    /// Where texts and boxes were drawn; the next texts keep off.
    std::vector<vision::Area> texts, boxes;
};

namespace vision {

/// Throws if a picture of this size is not to be decoded.
void check_size(int64_t width, int64_t height, vision_limits limits);

}  // namespace vision
