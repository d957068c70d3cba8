// Our own detectors' head: for each cell of one or several grids N x (5 + K) x H x W an objectness logit, the centre's
// offset in the cell (logits), the logarithm of the size in cells, and K class values.
#include <algorithm>
#include <cmath>

#include "decoder.hpp"

namespace vision {
namespace {

/// A box of exp(8) cells is larger than any picture; beyond it exp would overflow.
constexpr float max_log_size = 8;

class Grid : public Decoder {
  public:
    explicit Grid(const vision_settings &settings) : classes_(settings.class_count), activation_(settings.activation) {}

    void decode(const Outputs &outputs, const Placement &placement, Wanted wanted,
                std::vector<vision_finding> &found) const override {
        for (const Tensor &tensor : outputs.tensors) {
            require_grid(tensor, outputs.batch, classes_, "grid");
            decode_grid(tensor.slot(outputs.index, outputs.batch), tensor.shape[2], tensor.shape[3], placement, wanted,
                        found);
        }
    }

  private:
    void decode_grid(const float *cell, int rows, int columns, const Placement &placement, Wanted wanted,
                     std::vector<vision_finding> &found) const {
        const size_t plane = static_cast<size_t>(rows) * static_cast<size_t>(columns);
        const auto across = static_cast<float>(columns), down = static_cast<float>(rows);
        std::vector<float> scores(static_cast<size_t>(classes_));
        for (int iy = 0; iy < rows; iy++) {
            for (int ix = 0; ix < columns; ix++, cell++) {
                const float objectness = sigmoid(cell[0]);
                if (!(objectness >= wanted.min_confidence)) continue;
                const int best = class_scores(cell + 5 * plane, plane, scores);
                const float confidence = objectness * scores[static_cast<size_t>(best)];
                if (!(confidence >= wanted.min_confidence)) continue;
                add_box(found, placement, best, confidence, (static_cast<float>(ix) + sigmoid(cell[plane])) / across,
                        (static_cast<float>(iy) + sigmoid(cell[2 * plane])) / down,
                        std::exp(std::min(cell[3 * plane], max_log_size)) / across,
                        std::exp(std::min(cell[4 * plane], max_log_size)) / down);
            }
        }
    }

    /// Fills `scores`; the index of the largest.
    int class_scores(const float *values, size_t step, std::vector<float> &scores) const {
        for (size_t i = 0; i < scores.size(); i++) scores[i] = values[i * step];
        if (activation_ == VISION_ACTIVATION_SOFTMAX) softmax(scores.data(), classes_);
        if (activation_ == VISION_ACTIVATION_SIGMOID)
            std::transform(scores.begin(), scores.end(), scores.begin(), sigmoid);
        return strongest(scores.data(), classes_, 1);
    }

    const int classes_;
    const vision_activation activation_;
};

}  // namespace

std::unique_ptr<Decoder> make_grid(const vision_settings &settings) {
    return std::make_unique<Grid>(settings);
}

}  // namespace vision
