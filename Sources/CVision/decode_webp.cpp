#include <webp/decode.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "decode.hpp"
#include "exif.hpp"
#include "guard.hpp"
#include "webp_codes.hpp"

namespace vision {
namespace {

/// libwebp itself makes 2,600. Tables of so many are 160 MB at most.
constexpr uint64_t max_code_parts = 8192;
constexpr size_t chunk_head = 8;

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

/// The part of a WebP that libwebp decodes, and where in the picture it lies.
struct Part {
    Span bytes;
    size_t x = 0, y = 0;
};

/// Little-endian.
size_t number(const uint8_t *bytes, int count) {
    size_t value = 0;
    for (int i = count; i-- > 0;) value = value << 8 | bytes[i];
    return value;
}

/// The first chunk with such a name from `at` on, its head included; empty if there is none.
Span chunk(Span bytes, size_t at, const char *name) {
    while (at <= bytes.size && bytes.size - at >= 8) {
        const size_t length = number(bytes.data + at + 4, 4);
        if (length > bytes.size - at - 8) break;
        if (std::memcmp(bytes.data + at, name, 4) == 0) return {bytes.data + at, 8 + length};
        at += 8 + length + (length & 1);
    }
    return {nullptr, 0};
}

/// The picture's own chunk from `at` on; empty if there is none. A chunk of its alpha is another one, and left out.
Span picture_chunk(Span bytes, size_t at) {
    const Span lossy = chunk(bytes, at, "VP8 "), lossless = chunk(bytes, at, "VP8L");
    // The first of them, as libwebp has it.
    return lossy.size == 0 || (lossless.size > 0 && lossless.data < lossy.data) ? lossless : lossy;
}

/// The first picture of an animation (Extended File Format, "ANMF"), or the only one.
Part first_picture(Span webp, bool is_animated) {
    constexpr size_t file_head = 12, position = 16;
    const size_t length = number(webp.data + 4, 4);
    if (length > webp.size - chunk_head) refuse(webp, VP8_STATUS_NOT_ENOUGH_DATA);
    // What stands behind its end is nothing of it.
    webp.size = chunk_head + length;
    if (!is_animated) {
        const Span picture = picture_chunk(webp, file_head);
        if (picture.size == 0) refuse(webp, VP8_STATUS_NOT_ENOUGH_DATA);
        return {picture};
    }
    const Span frame = chunk(webp, file_head, "ANMF");
    const Span picture = picture_chunk(frame, chunk_head + position);
    if (picture.size == 0) fail(VISION_BAD_PICTURE, "WebP is animated, and its first picture cannot be read");
    return {picture, 2 * number(frame.data + chunk_head, 3), 2 * number(frame.data + chunk_head + 3, 3)};
}

void check_codes(Span picture) {
    if (std::memcmp(picture.data, "VP8L", 4) != 0) return;
    const uint64_t parts = count_code_parts({picture.data + chunk_head, picture.size - chunk_head});
    if (parts <= max_code_parts) return;
    fail(VISION_BAD_PICTURE, "WebP has prefix codes for %llu parts of it, the limit is %llu",
         static_cast<unsigned long long>(parts), static_cast<unsigned long long>(max_code_parts));
}

/// Where the part begins in the image, which is filled where it does not reach.
uint8_t *place(const Part &part, const vision_image &image) {
    WebPBitstreamFeatures size;
    const VP8StatusCode status = WebPGetFeatures(part.bytes.data, part.bytes.size, &size);
    if (status != VP8_STATUS_OK) refuse(part.bytes, status);
    const auto width = static_cast<size_t>(size.width), height = static_cast<size_t>(size.height);
    const auto across = static_cast<size_t>(image.width), down = static_cast<size_t>(image.height);
    if (part.x > across || width > across - part.x || part.y > down || height > down - part.y) {
        fail(VISION_BAD_PICTURE, "WebP is animated, and its first picture sticks out of the others");
    }
    if (width < across || height < down) std::fill_n(image.buffer.data(), image.buffer.size(), uint8_t{0});
    return image.row(static_cast<int>(part.y)) + part.x * 3;
}

}  // namespace

Decoded decode_webp(Span bytes, vision_limits limits) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config)) fail(VISION_INTERNAL, "libwebp is of another version than its headers");
    const VP8StatusCode status = WebPGetFeatures(bytes.data, bytes.size, &config.input);
    if (status != VP8_STATUS_OK) refuse(bytes, status);
    check_size(config.input.width, config.input.height, limits);
    const Part part = first_picture(bytes, config.input.has_animation);
    check_codes(part.bytes);
    auto image = std::make_unique<vision_image>(config.input.width, config.input.height);
    uint8_t *const to = place(part, *image);
    // Alpha is dropped, as cv::imread does.
    config.output.colorspace = MODE_BGR;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = to;
    config.output.u.RGBA.stride = static_cast<int>(image->row_bytes());
    config.output.u.RGBA.size = image->buffer.size() - static_cast<size_t>(to - image->buffer.data());
    const VP8StatusCode decoded = WebPDecode(part.bytes.data, part.bytes.size, &config);
    WebPFreeDecBuffer(&config.output);
    if (decoded != VP8_STATUS_OK) refuse(bytes, decoded);
    return {std::move(image), webp_orientation(bytes)};
}

}  // namespace vision
