// Picture bytes to pixels. Each decoder checks the header's size before it decodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "CVision.h"
#include "image.hpp"

namespace vision {

struct Span {
    const uint8_t *data;
    size_t size;
};

struct Decoded {
    std::unique_ptr<vision_image> image;
    /// EXIF, 1...8.
    int orientation = 1;
};

Decoded decode_jpeg(Span bytes, vision_limits limits);
Decoded decode_png(Span bytes, vision_limits limits);
Decoded decode_webp(Span bytes, vision_limits limits);

/// What a sender says of raw pixels.
struct RawLayout {
    vision_format format;
    int64_t width;
    int64_t height;
    /// 0: rows are packed.
    int64_t row_stride;
};

std::unique_ptr<vision_image> take_raw(RawLayout layout, Span bytes, vision_limits limits);

}  // namespace vision
