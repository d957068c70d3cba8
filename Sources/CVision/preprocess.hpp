#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "CVision.h"
#include "engine.hpp"
#include "image.hpp"

namespace vision {

/// How a region of a picture lies in the network's input, and the way back.
struct Placement {
    /// Region of the picture that the network sees, pixels.
    cv::Rect region;
    int picture_width;
    int picture_height;
    /// Where it lies in the input, pixels.
    cv::Rect target;
    int input_width;
    int input_height;

    /// From a box given by its centre and size relative to the input (0...1) to pixels of the picture, clipped to it.
    cv::Rect2f to_picture(float cx, float cy, float width, float height) const;
};

/// Picture to tensor. Keeps its scratch, so one belongs to one thread.
class Preprocess {
  public:
    explicit Preprocess(const vision_settings &settings);

    InputShape shape() const;
    /// Throws if the region does not touch the picture.
    Placement place(const vision_input &input) const;
    /// Writes one picture's planes at `to`.
    void write(const vision_image &image, const Placement &placement, float *to);

  private:
    const vision_settings settings_;
    cv::Mat scaled_;
    std::vector<cv::Mat> planes_;
};

}  // namespace vision
