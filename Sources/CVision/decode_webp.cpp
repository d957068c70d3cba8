#include <webp/decode.h>

#include <memory>

#include "decode.hpp"
#include "exif.hpp"
#include "guard.hpp"

namespace vision {
namespace {

[[noreturn]] void refuse(Span bytes, VP8StatusCode status) {
    switch (status) {
        case VP8_STATUS_NOT_ENOUGH_DATA:
        case VP8_STATUS_SUSPENDED:
            fail(VISION_BAD_PICTURE, "WebP of %zu bytes is truncated", bytes.size);
        case VP8_STATUS_OUT_OF_MEMORY:
            throw std::bad_alloc();
        default:
            fail(VISION_BAD_PICTURE, "WebP cannot be decoded: libwebp's status %d", static_cast<int>(status));
    }
}

}  // namespace

Decoded decode_webp(Span bytes, vision_limits limits) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) fail(VISION_INTERNAL, "libwebp is of another version than its headers");
    const VP8StatusCode status = WebPGetFeatures(bytes.data, bytes.size, &config.input);
    if (status != VP8_STATUS_OK) refuse(bytes, status);
    check_size(config.input.width, config.input.height, limits);
    if (config.input.has_animation) fail(VISION_BAD_PICTURE, "WebP is animated; only still pictures are read");

    auto image = std::make_unique<vision_image>(config.input.width, config.input.height);
    // Alpha is dropped, as cv::imread does.
    config.output.colorspace = MODE_BGR;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = image->buffer.data();
    config.output.u.RGBA.stride = static_cast<int>(image->row_bytes());
    config.output.u.RGBA.size = image->buffer.size();
    const VP8StatusCode decoded = WebPDecode(bytes.data, bytes.size, &config);
    WebPFreeDecBuffer(&config.output);
    if (decoded != VP8_STATUS_OK) refuse(bytes, decoded);
    return {std::move(image), webp_orientation(bytes)};
}

}  // namespace vision
