#include "reference.h"

#include <cstdlib>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "CVision.h"

static bytes copy(const uint8_t *data, size_t length) {
    bytes result{static_cast<uint8_t *>(std::malloc(length + 1)), length};
    if (length) std::memcpy(result.data, data, length);
    return result;
}

static bytes copy(const cv::Mat &image) {
    return copy(image.data, image.total() * image.elemSize());
}

bytes reference_decode(bytes picture, int *width, int *height) {
    const cv::Mat from(1, static_cast<int>(picture.length), CV_8UC1, picture.data);
    const cv::Mat image = cv::imdecode(from, cv::IMREAD_COLOR);
    *width = image.cols;
    *height = image.rows;
    return copy(image);
}

bytes reference_encode(const char *extension, const uint8_t *pixels, int width, int height, int channels, int depth,
                       int option, int value) {
    cv::Mat image(height, width, CV_MAKETYPE(CV_8U, channels), const_cast<uint8_t *>(pixels));
    if (depth == 16) image.convertTo(image, CV_16U, 257.0, 77);
    std::vector<int> options;
    if (option) options = {option, value};
    std::vector<uint8_t> out;
    cv::imencode(extension, image, out, options);
    return copy(out.data(), out.size());
}

bytes reference_convert(int format, const uint8_t *pixels, int width, int height) {
    auto *data = const_cast<uint8_t *>(pixels);
    cv::Mat result;
    switch (format) {
        case VISION_BGR8:
            return copy(pixels, static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
        case VISION_RGB8:
            cv::cvtColor(cv::Mat(height, width, CV_8UC3, data), result, cv::COLOR_RGB2BGR);
            break;
        case VISION_GRAY8:
            cv::cvtColor(cv::Mat(height, width, CV_8UC1, data), result, cv::COLOR_GRAY2BGR);
            break;
        case VISION_NV12:
            cv::cvtColor(cv::Mat(height * 3 / 2, width, CV_8UC1, data), result, cv::COLOR_YUV2BGR_NV12);
            break;
        default:
            cv::cvtColor(cv::Mat(height * 3 / 2, width, CV_8UC1, data), result, cv::COLOR_YUV2BGR_I420);
            break;
    }
    return copy(result);
}
