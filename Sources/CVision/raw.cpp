#include <cinttypes>
#include <cstring>
#include <mutex>
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

void pack(const uint8_t *from, size_t stride, uint8_t *to, size_t row, size_t rows) {
    if (stride == row) {
        std::memcpy(to, from, row * rows);
    } else {
        for (size_t y = 0; y < rows; y++, from += stride, to += row) std::memcpy(to, from, row);
    }
}

/// 4:2:0 stays what it is, with packed rows.
void take_planes(const uint8_t *from, size_t stride, vision_image &to) {
    const auto row = static_cast<size_t>(to.width), rows = static_cast<size_t>(to.height);
    pack(from, stride, to.buffer.data(), row, rows);
    from += stride * rows;
    uint8_t *chroma = to.buffer.data() + row * rows;
    if (to.layout == Layout::nv12) {
        pack(from, stride, chroma, row, rows / 2);
    } else {
        pack(from, stride / 2, chroma, row / 2, rows);
    }
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
        default:
            break;
    }
}

Layout layout_of(vision_format format) {
    return format == VISION_NV12 ? Layout::nv12 : format == VISION_I420 ? Layout::i420 : Layout::bgr;
}

}  // namespace

std::unique_ptr<vision_image> take_raw(RawLayout layout, Span bytes, vision_limits limits) {
    const Format chosen = format(layout.format);
    if (bytes.size == 0) fail(VISION_BAD_PICTURE, "picture is empty");
    check_size(layout.width, layout.height, limits);
    const int64_t stride = checked_stride(layout, chosen, bytes);
    const auto width = static_cast<int>(layout.width), height = static_cast<int>(layout.height);
    auto image = std::make_unique<vision_image>(width, height, layout_of(layout.format));
    if (image->layout == Layout::bgr) {
        cv::Mat to = mat(*image);
        convert(layout, bytes.data, static_cast<size_t>(stride), to);
    } else {
        take_planes(bytes.data, static_cast<size_t>(stride), *image);
    }
    return image;
}

}  // namespace vision

using namespace vision;

uint8_t *vision_image::bgr() const {
    if (layout == Layout::bgr) return buffer.data();
    std::call_once(converted_, [&] {
        prepare_opencv();
        Buffer pixels(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
        cv::Mat to(height, width, CV_8UC3, pixels.data());
        const int code = layout == Layout::nv12 ? cv::COLOR_YUV2BGR_NV12 : cv::COLOR_YUV2BGR_I420;
        cv::cvtColor(cv::Mat(height * 3 / 2, width, CV_8UC1, buffer.data()), to, code);
        converted_bgr_ = std::move(pixels);
    });
    return converted_bgr_.data();
}
