#include "image.hpp"

#include <cinttypes>
#include <cstring>
#include <memory>
#include <opencv2/imgproc.hpp>

#include "decode.hpp"
#include "guard.hpp"
#include "mat.hpp"
#include "orientation.hpp"

namespace vision {
namespace {

enum class Magic { unknown, jpeg, png, webp };

Magic magic(Span bytes) {
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    if (bytes.size >= 3 && bytes.data[0] == 0xFF && bytes.data[1] == 0xD8 && bytes.data[2] == 0xFF) return Magic::jpeg;
    if (bytes.size >= 8 && std::memcmp(bytes.data, png, 8) == 0) return Magic::png;
    if (bytes.size >= 12 && std::memcmp(bytes.data, "RIFF", 4) == 0 && std::memcmp(bytes.data + 8, "WEBP", 4) == 0) {
        return Magic::webp;
    }
    return Magic::unknown;
}

Decoded decode(Span bytes, vision_limits limits) {
    if (bytes.size == 0) fail(VISION_BAD_PICTURE, "picture is empty");
    switch (magic(bytes)) {
        case Magic::jpeg:
            return decode_jpeg(bytes, limits);
        case Magic::png:
            return decode_png(bytes, limits);
        case Magic::webp:
            return decode_webp(bytes, limits);
        case Magic::unknown:
            break;
    }
    fail(VISION_BAD_PICTURE, "picture of %zu bytes is no JPEG, PNG or WebP", bytes.size);
}

}  // namespace

void check_size(int64_t width, int64_t height, vision_limits limits) {
    if (width <= 0 || height <= 0) {
        fail(VISION_BAD_PICTURE, "picture of %" PRId64 " x %" PRId64 " pixels has no pixels", width, height);
    }
    if (width > limits.max_side || height > limits.max_side) {
        fail(VISION_BAD_PICTURE, "%" PRId64 " x %" PRId64 " pixels exceed the limit of %" PRId64 " a side", width,
             height, limits.max_side);
    }
    // Sides are small enough here that the product fits.
    if (width > INT32_MAX || height > INT32_MAX || width * height > limits.max_pixels) {
        fail(VISION_BAD_PICTURE, "%" PRId64 " x %" PRId64 " pixels exceed the limit of %" PRId64 " pixels", width,
             height, limits.max_pixels);
    }
}

}  // namespace vision

using namespace vision;

vision_image *vision_image_decode(const uint8_t *bytes, size_t length, vision_limits limits, vision_error *error) {
    return guarded<vision_image *>(error, VISION_BAD_PICTURE, nullptr, [&] {
        Decoded decoded = decode({bytes, length}, limits);
        return upright(std::move(decoded.image), decoded.orientation).release();
    });
}

vision_image *vision_image_create(vision_format format, int64_t width, int64_t height, int64_t row_stride,
                                  const uint8_t *bytes, size_t length, vision_limits limits, vision_error *error) {
    return guarded<vision_image *>(error, VISION_BAD_PICTURE, nullptr, [&] {
        return take_raw({format, width, height, row_stride}, {bytes, length}, limits).release();
    });
}

vision_image *vision_image_create_copy(const vision_image *image, vision_error *error) {
    return guarded<vision_image *>(error, VISION_INTERNAL, nullptr, [&] {
        auto copy = std::make_unique<vision_image>(image->width, image->height);
        std::memcpy(copy->buffer.data(), image->bgr(), copy->buffer.size());
        return copy.release();
    });
}

vision_image *vision_image_create_resized(const vision_image *image, int64_t width, int64_t height,
                                          vision_limits limits, vision_error *error) {
    return guarded<vision_image *>(error, VISION_INTERNAL, nullptr, [&] {
        check_size(width, height, limits);
        auto copy = std::make_unique<vision_image>(static_cast<int>(width), static_cast<int>(height));
        cv::Mat target = mat(*copy);
        const bool shrinks = copy->width <= image->width && copy->height <= image->height;
        cv::resize(mat(*image), target, target.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
        return copy.release();
    });
}

void vision_image_free(vision_image *image) {
    delete image;
}

int32_t vision_image_width(const vision_image *image) {
    return image->width;
}
int32_t vision_image_height(const vision_image *image) {
    return image->height;
}
const uint8_t *vision_image_pixels(const vision_image *image) {
    vision_error ignored;
    return guarded<const uint8_t *>(&ignored, VISION_INTERNAL, nullptr, [&] { return image->bgr(); });
}
