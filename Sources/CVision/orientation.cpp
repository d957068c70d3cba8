#include "orientation.hpp"

#include <opencv2/core.hpp>

#include "mat.hpp"

namespace vision {

std::unique_ptr<vision_image> upright(std::unique_ptr<vision_image> image, int orientation) {
    if (orientation <= 1 || orientation > 8) return image;
    cv::Mat from = mat(*image);
    // Around both axes, around x, around y.
    constexpr int both = -1, up_down = 0, left_right = 1;
    if (orientation <= 4) {
        static const int codes[] = {left_right, both, up_down};
        cv::flip(from, from, codes[orientation - 2]);
        return image;
    }
    auto turned = std::make_unique<vision_image>(image->height, image->width);
    cv::Mat to = mat(*turned);
    cv::transpose(from, to);
    switch (orientation) {
        case 6:
            cv::flip(to, to, left_right);
            break;
        case 7:
            cv::flip(to, to, both);
            break;
        case 8:
            cv::flip(to, to, up_down);
            break;
        default:
            break;
    }
    return turned;
}

}  // namespace vision
