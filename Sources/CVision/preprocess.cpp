#include "preprocess.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "guard.hpp"
#include "mat.hpp"

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
    // A view, not a copy.
    cv::Mat pixels = mat(image)(placement.region);
    if (pixels.size() != placement.target.size()) {
        cv::resize(pixels, scaled_, placement.target.size(), 0, 0, cv::INTER_LINEAR);
        pixels = scaled_;
    }
    if (input.channels == 1) {
        planes_.resize(1);
        cv::cvtColor(pixels, planes_[0], cv::COLOR_BGR2GRAY);
    } else {
        cv::split(pixels, planes_);
        if (settings_.channels == VISION_CHANNELS_RGB) std::swap(planes_[0], planes_[2]);
    }
    for (int c = 0; c < input.channels; c++, to += input.width * input.height) {
        const float mean = settings_.mean[c], scale = settings_.scale[c];
        cv::Mat plane(input.height, input.width, CV_32F, to);
        if (placement.target.size() != plane.size()) plane.setTo((settings_.border - mean) * scale);
        // Straight into the network's input.
        cv::Mat inner = plane(placement.target);
        planes_[static_cast<size_t>(c)].convertTo(inner, CV_32F, scale, -mean * scale);
    }
}

}  // namespace vision
