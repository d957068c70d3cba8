// Darknet's [yolo] layers as OpenCV answers them: rows of cx, cy, w, h (relative), objectness, and class scores that
// are multiplied by the objectness already.
#include "decoder.hpp"

namespace vision {
namespace {

class DarknetRegion : public Decoder {
  public:
    explicit DarknetRegion(const vision_settings &settings) : classes_(settings.class_count) {}

    void decode(const Outputs &outputs, const Placement &placement, Wanted wanted,
                std::vector<vision_finding> &found) const override {
        const int columns = 5 + classes_;
        for (const Tensor &tensor : outputs.tensors) {
            if (tensor.shape.back() != columns) {
                refuse_shape(tensor, "darknet-region", "rows of 5 + " + std::to_string(classes_));
            }
            const size_t rows = tensor.size / static_cast<size_t>(outputs.batch) / static_cast<size_t>(columns);
            const float *row = tensor.slot(outputs.index, outputs.batch);
            for (size_t i = 0; i < rows; i++, row += columns) {
                if (!(row[4] >= wanted.min_confidence)) continue;
                const int best = strongest(row + 5, classes_, 1);
                const float confidence = row[5 + best];
                if (!(confidence >= wanted.min_confidence)) continue;
                add_box(found, placement, best, confidence, row[0], row[1], row[2], row[3]);
            }
        }
    }

  private:
    const int classes_;
};

}  // namespace

std::unique_ptr<Decoder> make_darknet_region(const vision_settings &settings) {
    return std::make_unique<DarknetRegion>(settings);
}

}  // namespace vision
