// FastestDet (github.com/dog-qiuqiu/FastestDet): one grid of channels objectness, dx, dy, w, h, class scores.
#include <cmath>

#include "decoder.hpp"

namespace vision {
namespace {

class FastestDet : public Decoder {
  public:
    explicit FastestDet(const vision_settings &settings) : classes_(settings.class_count) {}

    void decode(const Outputs &outputs, const Placement &placement, Wanted wanted,
                std::vector<vision_finding> &found) const override {
        for (const Tensor &tensor : outputs.tensors) {
            require_grid(tensor, outputs.batch, classes_, "fastestdet");
            const int rows = tensor.shape[2], columns = tensor.shape[3];
            const size_t plane = static_cast<size_t>(rows) * static_cast<size_t>(columns);
            const float *cell = tensor.slot(outputs.index, outputs.batch);
            for (int iy = 0; iy < rows; iy++) {
                for (int ix = 0; ix < columns; ix++, cell++) {
                    const int best = strongest(cell + 5 * plane, classes_, plane);
                    const float likely = cell[(5 + static_cast<size_t>(best)) * plane];
                    const float confidence = std::pow(cell[0], 0.6f) * std::pow(likely, 0.4f);
                    if (!(confidence >= wanted.min_confidence)) continue;
                    const float cx = (static_cast<float>(ix) + std::tanh(cell[plane])) / static_cast<float>(columns);
                    const float cy = (static_cast<float>(iy) + std::tanh(cell[2 * plane])) / static_cast<float>(rows);
                    add_box(found, placement, best, confidence, cx, cy, sigmoid(cell[3 * plane]),
                            sigmoid(cell[4 * plane]));
                }
            }
        }
    }

  private:
    const int classes_;
};

}  // namespace

std::unique_ptr<Decoder> make_fastestdet(const vision_settings &settings) {
    return std::make_unique<FastestDet>(settings);
}

}  // namespace vision
