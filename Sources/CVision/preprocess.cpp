#include "preprocess.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "guard.hpp"

namespace vision {

cv::Rect2f Placement::to_picture(float cx, float cy, float width, float height) const {
    const float sx = static_cast<float>(region.width) / static_cast<float>(target.width);
    const float sy = static_cast<float>(region.height) / static_cast<float>(target.height);
    const auto w = static_cast<float>(input_width), h = static_cast<float>(input_height);
    const auto x = [&](float v) {
        const float in_picture = (v * w - static_cast<float>(target.x)) * sx + static_cast<float>(region.x);
        return std::clamp(in_picture, 0.0f, static_cast<float>(picture_width));
    };
    const auto y = [&](float v) {
        const float in_picture = (v * h - static_cast<float>(target.y)) * sy + static_cast<float>(region.y);
        return std::clamp(in_picture, 0.0f, static_cast<float>(picture_height));
    };
    const float x1 = x(cx - width / 2), y1 = y(cy - height / 2);
    return {x1, y1, x(cx + width / 2) - x1, y(cy + height / 2) - y1};
}

Preprocess::Preprocess(const vision_settings &settings, const Kernels &kernels)
    : settings_(settings), kernels_(kernels) {}

InputShape Preprocess::shape() const {
    return {settings_.channels == VISION_CHANNELS_GRAY ? 1 : 3, settings_.input_height, settings_.input_width};
}

Placement Preprocess::place(const vision_input &input) const {
    const int picture_width = input.image->width, picture_height = input.image->height;
    cv::Rect region(0, 0, picture_width, picture_height);
    if (input.width != 0) {
        const auto limit_x = static_cast<float>(picture_width), limit_y = static_cast<float>(picture_height);
        // Not finite, or beside the picture: clamped to nothing below.
        const float x1 = std::floor(std::clamp(input.x, 0.0f, limit_x));
        const float y1 = std::floor(std::clamp(input.y, 0.0f, limit_y));
        const float x2 = std::ceil(std::clamp(input.x + input.width, 0.0f, limit_x));
        const float y2 = std::ceil(std::clamp(input.y + input.height, 0.0f, limit_y));
        if (!(x2 > x1 && y2 > y1)) {
            fail(VISION_BAD_PICTURE, "region %g, %g, %g x %g lies beside the picture of %d x %d pixels",
                 static_cast<double>(input.x), static_cast<double>(input.y), static_cast<double>(input.width),
                 static_cast<double>(input.height), picture_width, picture_height);
        }
        region = {static_cast<int>(x1), static_cast<int>(y1), static_cast<int>(x2 - x1), static_cast<int>(y2 - y1)};
    }
    cv::Rect target(0, 0, settings_.input_width, settings_.input_height);
    if (settings_.resize == VISION_LETTERBOX) {
        const double scale = std::min(static_cast<double>(target.width) / region.width,
                                      static_cast<double>(target.height) / region.height);
        const int width = std::clamp(static_cast<int>(std::lround(region.width * scale)), 1, target.width);
        const int height = std::clamp(static_cast<int>(std::lround(region.height * scale)), 1, target.height);
        target = {(target.width - width) / 2, (target.height - height) / 2, width, height};
    }
    return {region, picture_width, picture_height, target, settings_.input_width, settings_.input_height};
}

void Preprocess::write(const vision_image &image, const Placement &placement, float *to) {
    const cv::Rect &region = placement.region, &target = placement.target;
    const int pixel_bytes = image.layout == Layout::bgr ? 3 : 4;
    taps_.set(region.width, target.width, pixel_bytes);
    const auto stride = static_cast<size_t>(taps_.groups()) * Taps::group;
    rows_.resize(2 * 3 * stride);
    row_of_[0] = row_of_[1] = -1;
    const auto row = [&](int y) {
        y = std::clamp(y, 0, region.height - 1);
        // Neighbours never share a place.
        const Rows resized{rows_.data() + static_cast<size_t>(y % 2) * 3 * stride, stride};
        if (std::exchange(row_of_[y % 2], y) != y) {
            kernels_.across(pixels(image, region, region.y + y), taps_, pixel_bytes, resized);
        }
        return resized;
    };
    if (target.width != settings_.input_width || target.height != settings_.input_height) fill_borders(target, to);
    const double scale = 1 / (static_cast<double>(target.height) / region.height);
    for (int y = 0; y < target.height; y++) {
        auto part = static_cast<float>((y + 0.5) * scale - 0.5);
        const auto upper = static_cast<int>(std::floor(part));
        part -= static_cast<float>(upper);
        const Between between{row(upper), row(upper + 1), static_cast<int16_t>(std::lrintf((1 - part) * 2048)),
                              static_cast<int16_t>(std::lrintf(part * 2048))};
        write_row(between, target, y, to);
    }
}

const uint8_t *Preprocess::pixels(const vision_image &image, const cv::Rect &region, int y) {
    const auto width = static_cast<size_t>(image.width), x = static_cast<size_t>(region.x);
    const auto line = static_cast<size_t>(y);
    if (image.layout == Layout::bgr) return image.row(y) + 3 * x;
    const uint8_t *luma = image.buffer.data();
    const uint8_t *chroma = luma + width * static_cast<size_t>(image.height);
    // From an even pixel to an even pixel, as two of them share their colour.
    const size_t first = x / 2 * 2, count = (x + static_cast<size_t>(region.width) + 1) / 2 * 2 - first;
    bgr_row_.resize(count + Buffer::readable_behind / sizeof(uint32_t));
    YUVRow row{luma + line * width + first, nullptr, nullptr, 1};
    if (image.layout == Layout::nv12) {
        row.u = chroma + line / 2 * width + first;
        row.v = row.u + 1;
        row.chroma_step = 2;
    } else {
        row.u = chroma + line / 2 * (width / 2) + first / 2;
        row.v = row.u + width / 2 * static_cast<size_t>(image.height / 2);
    }
    kernels_.yuv_to_bgr(row, static_cast<int>(count), bgr_row_.data());
    return reinterpret_cast<const uint8_t *>(bgr_row_.data() + (x - first));
}

void Preprocess::write_row(const Between &rows, const cv::Rect &target, int y, float *to) const {
    const auto width = static_cast<size_t>(settings_.input_width);
    const size_t plane = width * static_cast<size_t>(settings_.input_height);
    to += static_cast<size_t>(target.y + y) * width + static_cast<size_t>(target.x);
    const InputShape input = shape();
    if (input.channels == 1) {
        kernels_.down_grey(rows, settings_.scale[0], -settings_.mean[0] * settings_.scale[0], target.width, to);
        return;
    }
    for (int c = 0; c < 3; c++, to += plane) {
        const float scale = settings_.scale[c];
        const int channel = settings_.channels == VISION_CHANNELS_RGB ? 2 - c : c;
        kernels_.down(rows, channel, scale, -settings_.mean[c] * scale, target.width, to);
    }
}

void Preprocess::fill_borders(const cv::Rect &target, float *to) const {
    const InputShape input = shape();
    const auto width = static_cast<size_t>(input.width);
    for (int c = 0; c < input.channels; c++) {
        const float value = (settings_.border - settings_.mean[c]) * settings_.scale[c];
        for (int y = 0; y < input.height; y++, to += width) {
            const bool beside = y < target.y || y >= target.y + target.height;
            const int left = beside ? input.width : target.x;
            std::fill(to, to + left, value);
            if (!beside) std::fill(to + target.x + target.width, to + width, value);
        }
    }
}

}  // namespace vision
