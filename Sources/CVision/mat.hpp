#pragma once

#include <opencv2/core.hpp>

#include "image.hpp"

namespace vision {

/// The image's own pixels as OpenCV sees them; no copy.
inline cv::Mat mat(const vision_image &image) {
    return cv::Mat(image.height, image.width, CV_8UC3, image.buffer.data());
}

}  // namespace vision
