#include "preprocess.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "guard.hpp"
#include "mat.hpp"

namespace vision {
namespace {

void pack_one(const cv::Mat &from, const vision_settings &s, float *to, size_t to_stride) {
    for (int y = 0; y < from.rows; y++, to += to_stride) {
        const uint8_t *pixel = from.ptr<uint8_t>(y);
        for (int x = 0; x < from.cols; x++) to[x] = (static_cast<float>(pixel[x]) - s.mean[0]) * s.scale[0];
    }
}

/// The three planes of a BGR row in one walk over it.
void pack_three(const cv::Mat &from, const vision_settings &s, bool rgb, float *to, size_t to_stride, size_t plane_size) {
    const int first = rgb ? 2 : 0, last = rgb ? 0 : 2;
    for (int y = 0; y < from.rows; y++) {
        const uint8_t *__restrict pixel = from.ptr<uint8_t>(y);
        float *__restrict a = to + static_cast<size_t>(y) * to_stride;
        float *__restrict b = a + plane_size;
        float *__restrict c = b + plane_size;
        for (int x = 0; x < from.cols; x++, pixel += 3) {
            a[x] = (static_cast<float>(pixel[first]) - s.mean[0]) * s.scale[0];
            b[x] = (static_cast<float>(pixel[1]) - s.mean[1]) * s.scale[1];
            c[x] = (static_cast<float>(pixel[last]) - s.mean[2]) * s.scale[2];
        }
    }
}

}  // namespace

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

Preprocess::Preprocess(const vision_settings &settings) : settings_(settings) {}

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
    const InputShape input = shape();
    const auto stride = static_cast<size_t>(input.width);
    const size_t plane = stride * static_cast<size_t>(input.height);
    // A view, not a copy.
    cv::Mat pixels = mat(image)(placement.region);
    if (pixels.size() != placement.target.size()) {
        cv::resize(pixels, scaled_, placement.target.size(), 0, 0, cv::INTER_LINEAR);
        pixels = scaled_;
    }
    if (placement.target.width != input.width || placement.target.height != input.height) {
        for (int c = 0; c < input.channels; c++) {
            const float border = (settings_.border - settings_.mean[c]) * settings_.scale[c];
            std::fill_n(to + static_cast<size_t>(c) * plane, plane, border);
        }
    }
    to += static_cast<size_t>(placement.target.y) * stride + static_cast<size_t>(placement.target.x);
    if (input.channels == 1) {
        cv::cvtColor(pixels, grey_, cv::COLOR_BGR2GRAY);
        pack_one(grey_, settings_, to, stride);
    } else {
        pack_three(pixels, settings_, settings_.channels == VISION_CHANNELS_RGB, to, stride, plane);
    }
}

}  // namespace vision
