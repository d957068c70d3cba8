#include <cinttypes>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "decode.hpp"
#include "guard.hpp"
#include "mat.hpp"

namespace vision {
namespace {

struct Format {
    const char *name;
    /// Of the first plane.
    int bytes_per_pixel;
    /// Chroma at half size follows.
    bool halved;
};

Format format(vision_format value) {
    switch (value) {
        case VISION_BGR8:
            return {"BGR8", 3, false};
        case VISION_RGB8:
            return {"RGB8", 3, false};
        case VISION_GRAY8:
            return {"GRAY8", 1, false};
        case VISION_NV12:
            return {"NV12", 1, true};
        case VISION_I420:
            return {"I420", 1, true};
    }
    fail(VISION_BAD_PICTURE, "raw format %d is unknown", static_cast<int>(value));
}

/// The row stride. Throws where the layout is impossible or the bytes are not as many as it says.
int64_t checked_stride(RawLayout layout, Format format, Span bytes) {
    const int64_t row = layout.width * format.bytes_per_pixel;
    const int64_t stride = layout.row_stride == 0 ? row : layout.row_stride;
    // No row is so long that sums below could overflow.
    if (stride < row || stride > INT32_MAX) {
        fail(VISION_BAD_PICTURE, "row stride %" PRId64 " of %s does not fit rows of %" PRId64 " bytes", stride,
             format.name, row);
    }
    if (format.halved && (layout.width % 2 || layout.height % 2 || stride % 2)) {
        fail(VISION_BAD_PICTURE,
             "%s needs an even width, height and row stride, not %" PRId64 " x %" PRId64 ", %" PRId64, format.name,
             layout.width, layout.height, stride);
    }
    const int64_t rows = format.halved ? layout.height * 3 / 2 : layout.height;
    const int64_t whole = stride * rows;
    // The padding of the very last row may be left out.
    const int64_t last = layout.format == VISION_I420 ? stride / 2 - row / 2 : stride - row;
    const auto size = static_cast<uint64_t>(bytes.size);
    if (size < static_cast<uint64_t>(whole - last) || size > static_cast<uint64_t>(whole)) {
        fail(VISION_BAD_PICTURE, "%s of %" PRId64 " x %" PRId64 " pixels needs %" PRId64 " bytes, not %zu", format.name,
             layout.width, layout.height, whole, bytes.size);
    }
    return stride;
}

/// OpenCV takes the planes of I420 only packed.
void i420_to_bgr(RawLayout layout, const uint8_t *from, size_t stride, cv::Mat &to) {
    const int width = to.cols, height = to.rows;
    const auto row = static_cast<size_t>(width);
    if (stride == row) {
        cv::cvtColor(cv::Mat(height * 3 / 2, width, CV_8UC1, const_cast<uint8_t *>(from)), to, cv::COLOR_YUV2BGR_I420);
        return;
    }
    Buffer packed(row * static_cast<size_t>(height) * 3 / 2);
    uint8_t *at = packed.data();
    for (int y = 0; y < height; y++, from += stride, at += row) std::memcpy(at, from, row);
    for (int y = 0; y < height; y++, from += stride / 2, at += row / 2) std::memcpy(at, from, row / 2);
    i420_to_bgr(layout, packed.data(), row, to);
}

void convert(RawLayout layout, const uint8_t *from, size_t stride, cv::Mat &to) {
    // cv::Mat has no form for memory that is only read.
    auto *pixels = const_cast<uint8_t *>(from);
    const int width = to.cols, height = to.rows;
    switch (layout.format) {
        case VISION_BGR8:
            cv::Mat(height, width, CV_8UC3, pixels, stride).copyTo(to);
            break;
        case VISION_RGB8:
            cv::cvtColor(cv::Mat(height, width, CV_8UC3, pixels, stride), to, cv::COLOR_RGB2BGR);
            break;
        case VISION_GRAY8:
            cv::cvtColor(cv::Mat(height, width, CV_8UC1, pixels, stride), to, cv::COLOR_GRAY2BGR);
            break;
        case VISION_NV12: {
            const cv::Mat luma(height, width, CV_8UC1, pixels, stride);
            const cv::Mat chroma(height / 2, width / 2, CV_8UC2, pixels + stride * static_cast<size_t>(height), stride);
            cv::cvtColorTwoPlane(luma, chroma, to, cv::COLOR_YUV2BGR_NV12);
            break;
        }
        case VISION_I420:
            i420_to_bgr(layout, from, stride, to);
            break;
    }
}

}  // namespace

std::unique_ptr<vision_image> take_raw(RawLayout layout, Span bytes, vision_limits limits) {
    const Format chosen = format(layout.format);
    if (bytes.size == 0) fail(VISION_BAD_PICTURE, "picture is empty");
    check_size(layout.width, layout.height, limits);
    const int64_t stride = checked_stride(layout, chosen, bytes);
    auto image = std::make_unique<vision_image>(static_cast<int>(layout.width), static_cast<int>(layout.height));
    cv::Mat to = mat(*image);
    convert(layout, bytes.data, static_cast<size_t>(stride), to);
    return image;
}

}  // namespace vision
