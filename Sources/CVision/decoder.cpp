#include "decoder.hpp"

#include <algorithm>
#include <cmath>

#include "guard.hpp"

namespace vision {

void add_box(std::vector<vision_finding> &found, const Placement &placement, int class_id, float confidence, float cx,
             float cy, float width, float height) {
    if (!std::isfinite(confidence) || !std::isfinite(cx + cy + width + height)) return;
    const cv::Rect2f box = placement.to_picture(cx, cy, width, height);
    if (!(box.width > 0 && box.height > 0)) return;
    found.push_back({0, class_id, std::min(confidence, 1.0f), box.x, box.y, box.width, box.height});
}

float sigmoid(float x) {
    return 1 / (1 + std::exp(-x));
}

void softmax(float *values, int count) {
    const float largest = *std::max_element(values, values + count);
    float sum = 0;
    for (int i = 0; i < count; i++) sum += values[i] = std::exp(values[i] - largest);
    for (int i = 0; i < count; i++) values[i] /= sum;
}

int strongest(const float *values, int count, size_t step) {
    int best = 0;
    for (int i = 1; i < count; i++) {
        if (values[static_cast<size_t>(i) * step] > values[static_cast<size_t>(best) * step]) best = i;
    }
    return best;
}

void require_grid(const Tensor &tensor, int batch, int classes, const char *decoder) {
    const std::vector<int> &shape = tensor.shape;
    if (shape.size() == 4 && shape[0] == batch && shape[1] == 5 + classes) return;
    refuse_shape(tensor, decoder, std::to_string(batch) + " x (5 + " + std::to_string(classes) + ") x H x W");
}

void refuse_shape(const Tensor &tensor, const char *decoder, const std::string &expected) {
    std::string shape;
    for (const int side : tensor.shape) shape += (shape.empty() ? "" : " x ") + std::to_string(side);
    fail(VISION_BAD_MODEL, "output %s has shape %s, but decoder %s needs %s", tensor.name.c_str(), shape.c_str(),
         decoder, expected.c_str());
}

}  // namespace vision
