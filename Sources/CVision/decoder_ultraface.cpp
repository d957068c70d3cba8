// UltraFace (github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB): SSD offsets against prior boxes, and
// softmax scores of background and face.
#include <algorithm>
#include <cmath>

#include "decoder.hpp"
#include "guard.hpp"

namespace vision {
namespace {

constexpr float centre_variance = 0.1f, size_variance = 0.2f;
/// UltraFace has 4,420 of them, and 17,640 in its larger form.
constexpr uint64_t max_prior_boxes = 1'000'000;

struct Prior {
    float cx, cy, width, height;
};

int cells(float side, float stride) {
    return static_cast<int>(std::ceil(side / stride));
}

/// Throws before any of them takes memory.
void check_count(const std::vector<vision_prior> &given, float input_width, float input_height) {
    uint64_t count = 0;
    for (const vision_prior &prior : given) {
        const auto stride = static_cast<float>(prior.stride);
        count += static_cast<uint64_t>(cells(input_width, stride)) * static_cast<uint64_t>(cells(input_height, stride));
        if (count > max_prior_boxes) {
            fail(VISION_BAD_MODEL, "priors make more than %d boxes", static_cast<int>(max_prior_boxes));
        }
    }
}

/// In the order of the network's rows: stride, y, x, size.
std::vector<Prior> spread(const std::vector<vision_prior> &given, float input_width, float input_height) {
    check_count(given, input_width, input_height);
    std::vector<Prior> all;
    for (size_t first = 0; first < given.size();) {
        size_t end = first;
        while (end < given.size() && given[end].stride == given[first].stride) end++;
        const auto stride = static_cast<float>(given[first].stride);
        const int rows = cells(input_height, stride), columns = cells(input_width, stride);
        for (int y = 0; y < rows; y++) {
            for (int x = 0; x < columns; x++) {
                for (size_t i = first; i < end; i++) {
                    const auto part = [](float value, float whole) { return std::clamp(value / whole, 0.0f, 1.0f); };
                    all.push_back({part((static_cast<float>(x) + 0.5f) * stride, input_width),
                                   part((static_cast<float>(y) + 0.5f) * stride, input_height),
                                   part(given[i].size, input_width), part(given[i].size, input_height)});
                }
            }
        }
        first = end;
    }
    return all;
}

class UltraFace : public Decoder {
  public:
    UltraFace(const vision_settings &settings, const std::vector<vision_prior> &priors)
        : priors_(spread(priors, static_cast<float>(settings.input_width), static_cast<float>(settings.input_height))) {
    }

    void decode(const Outputs &outputs, const Placement &placement, Wanted wanted,
                std::vector<vision_finding> &found) const override {
        const float *box = rows(outputs, 4), *score = rows(outputs, 2);
        for (size_t i = 0; i < priors_.size(); i++, box += 4, score += 2) {
            if (!(score[1] >= wanted.min_confidence)) continue;
            const Prior &prior = priors_[i];
            add_box(found, placement, 0, score[1], box[0] * centre_variance * prior.width + prior.cx,
                    box[1] * centre_variance * prior.height + prior.cy, std::exp(box[2] * size_variance) * prior.width,
                    std::exp(box[3] * size_variance) * prior.height);
        }
    }

  private:
    /// The output with this many columns.
    const float *rows(const Outputs &outputs, int columns) const {
        for (const Tensor &tensor : outputs.tensors) {
            if (tensor.shape.back() != columns) continue;
            if (tensor.size / static_cast<size_t>(outputs.batch) != priors_.size() * static_cast<size_t>(columns)) {
                refuse_shape(tensor, "ultraface", std::to_string(priors_.size()) + " rows, one for each prior");
            }
            return tensor.slot(outputs.index, outputs.batch);
        }
        fail(VISION_BAD_MODEL, "decoder ultraface needs an output with %d columns", columns);
    }

    const std::vector<Prior> priors_;
};

}  // namespace

std::unique_ptr<Decoder> make_ultraface(const vision_settings &settings, std::vector<vision_prior> priors) {
    return std::make_unique<UltraFace>(settings, priors);
}

}  // namespace vision
