#pragma once

#include <opencv2/core.hpp>

#include "image.hpp"

namespace vision {

/// OpenCV without threads and without a log of its own: parallel work is a worker per thread, and what the log says on
/// stderr the exceptions say too. Whoever uses OpenCV calls this first.
void prepare_opencv();

/// The image's BGR pixels as OpenCV sees them; no copy.
inline cv::Mat mat(const vision_image &image) {
    prepare_opencv();
    return cv::Mat(image.height, image.width, CV_8UC3, image.bgr());
}

}  // namespace vision
