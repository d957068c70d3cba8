#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "CVision.h"
#include "pool.hpp"

namespace vision {
/// A rectangle of a picture, in pixels.
struct Area {
    int x, y, width, height;
};

enum class Layout {
    /// Rows packed.
    bgr,
    /// 4:2:0, packed: a Y plane, then interleaved U and V at half size.
    nv12,
    /// 4:2:0, packed: planes Y, U, V.
    i420,
};
}  // namespace vision

/// As it was decoded, or came; both sides are even but in BGR.
struct vision_image {
    vision_image(int width, int height, vision::Layout layout = vision::Layout::bgr)
        : width(width), height(height), layout(layout), buffer(size(width, height, layout)) {}

    size_t row_bytes() const { return static_cast<size_t>(width) * 3; }
    /// Of a picture in BGR.
    uint8_t *row(int y) const { return buffer.data() + static_cast<size_t>(y) * row_bytes(); }
    /// BGR8, rows packed; made when it is first asked for where the picture came otherwise. Any thread may ask.
    uint8_t *bgr() const;

    const int width;
    const int height;
    const vision::Layout layout;
    vision::Buffer buffer;
    /// Where texts and boxes were drawn; the next texts keep off.
    std::vector<vision::Area> texts, boxes;

  private:
    static size_t size(int width, int height, vision::Layout layout) {
        const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
        return layout == vision::Layout::bgr ? pixels * 3 : pixels / 2 * 3;
    }

    mutable std::once_flag converted_;
    mutable vision::Buffer converted_bgr_;
};

namespace vision {

/// Throws if a picture of this size is not to be decoded.
void check_size(int64_t width, int64_t height, vision_limits limits);

}  // namespace vision
