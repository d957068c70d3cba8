#include <algorithm>
#include <cmath>
#include <numeric>

#include "decoder.hpp"
#include "guard.hpp"

namespace vision {
namespace {

class Classifier : public Decoder {
  public:
    explicit Classifier(const vision_settings &settings)
        : classes_(static_cast<size_t>(settings.class_count)), activation_(settings.activation) {}

    void decode(const Outputs &outputs, const Placement &, Wanted wanted,
                std::vector<vision_finding> &found) const override {
        if (outputs.tensors.size() != 1) {
            fail(VISION_BAD_MODEL, "decoder classifier needs one output, not %zu", outputs.tensors.size());
        }
        const Tensor &tensor = outputs.tensors[0];
        if (tensor.size != classes_ * static_cast<size_t>(outputs.batch)) {
            refuse_shape(tensor, "classifier", "N x " + std::to_string(classes_));
        }
        const float *values = tensor.slot(outputs.index, outputs.batch);
        std::vector<float> scores(values, values + classes_);
        if (activation_ == VISION_ACTIVATION_SOFTMAX) softmax(scores.data(), static_cast<int>(classes_));
        if (activation_ == VISION_ACTIVATION_SIGMOID)
            std::transform(scores.begin(), scores.end(), scores.begin(), sigmoid);
        // So that the order below is one; a network may answer with anything.
        for (float &score : scores) score = std::isfinite(score) ? std::clamp(score, 0.0f, 1.0f) : 0;

        const auto count = static_cast<ptrdiff_t>(std::min(classes_, static_cast<size_t>(std::max(wanted.top_k, 1))));
        std::vector<int> order(classes_);
        std::iota(order.begin(), order.end(), 0);
        std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int a, int b) {
            const float first = scores[static_cast<size_t>(a)], second = scores[static_cast<size_t>(b)];
            return first != second ? first > second : a < b;
        });
        for (ptrdiff_t i = 0; i < count; i++) {
            const int id = order[static_cast<size_t>(i)];
            found.push_back({0, id, scores[static_cast<size_t>(id)], 0, 0, 0, 0});
        }
    }

    bool finds_boxes() const override { return false; }

  private:
    const size_t classes_;
    const vision_activation activation_;
};

}  // namespace

std::unique_ptr<Decoder> make_classifier(const vision_settings &settings) {
    return std::make_unique<Classifier>(settings);
}

}  // namespace vision
