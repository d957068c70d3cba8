// Outputs of a network to findings.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "CVision.h"
#include "engine.hpp"
#include "preprocess.hpp"

namespace vision {

/// One picture's part of a batch of outputs.
struct Outputs {
    const std::vector<Tensor> &tensors;
    int index;
    int batch;
};

/// What an input asks for.
struct Wanted {
    float min_confidence;
    int top_k;
};

class Decoder {
  public:
    virtual ~Decoder() = default;
    /// Adds what one picture's outputs hold, in pixels of the picture. Throws if the outputs have not the shape that
    /// the manifest promises.
    virtual void decode(const Outputs &outputs, const Placement &placement, Wanted wanted,
                        std::vector<vision_finding> &found) const = 0;
    /// Boxes, to which suppression applies.
    virtual bool finds_boxes() const { return true; }
};

std::unique_ptr<Decoder> make_darknet_region(const vision_settings &settings);
std::unique_ptr<Decoder> make_fastestdet(const vision_settings &settings);
std::unique_ptr<Decoder> make_ultraface(const vision_settings &settings, std::vector<vision_prior> priors);
std::unique_ptr<Decoder> make_grid(const vision_settings &settings);
std::unique_ptr<Decoder> make_classifier(const vision_settings &settings);

/// Adds a box given by centre and size relative to the input; leaves out what is empty or not finite.
void add_box(std::vector<vision_finding> &found, const Placement &placement, int class_id, float confidence, float cx,
             float cy, float width, float height);

float sigmoid(float x);
/// In place.
void softmax(float *values, int count);

/// Index of the largest of `count` values that lie `step` floats apart.
int strongest(const float *values, int count, size_t step);

/// Refuses all but `batch` x (5 + `classes`) x H x W.
void require_grid(const Tensor &tensor, int batch, int classes, const char *decoder);

[[noreturn]] void refuse_shape(const Tensor &tensor, const char *decoder, const std::string &expected);

}  // namespace vision
