#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "CVision.h"
#include "engine.hpp"
#include "image.hpp"
#include "resize_kernels.hpp"

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

/// Picture to tensor in one pass: each row of the input is made from two rows of the picture, resized, and written
/// where the network reads it. Pixels are those of cv::cvtColor and cv::resize (INTER_LINEAR). Keeps its scratch, so
/// one belongs to one thread.
class Preprocess {
  public:
    explicit Preprocess(const vision_settings &settings, const Kernels &kernels = vision::kernels().back());

    InputShape shape() const;
    /// Throws if the region does not touch the picture.
    Placement place(const vision_input &input) const;
    /// Writes one picture's planes at `to`.
    void write(const vision_image &image, const Placement &placement, float *to);

  private:
    /// A row of the region in BGR: three bytes a pixel, or four where the picture is not in BGR.
    const uint8_t *pixels(const vision_image &image, const cv::Rect &region, int y);
    void write_row(const Between &rows, const cv::Rect &target, int y, float *to) const;
    void fill_borders(const cv::Rect &target, float *to) const;

    const vision_settings settings_;
    const Kernels &kernels_;
    Taps taps_;
    /// Two resized rows, and which ones of the region they are.
    std::vector<int16_t> rows_;
    int row_of_[2] = {-1, -1};
    std::vector<uint32_t> bgr_row_;
};

}  // namespace vision
