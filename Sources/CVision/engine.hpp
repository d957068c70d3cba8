// The seam between our code and what runs a network. OpenCV's DNN module is the reference.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "CVision.h"
#include "decode.hpp"

namespace vision {

/// An output, borrowed until the next run.
struct Tensor {
    std::string name;
    const float *data;
    /// At least one side.
    std::vector<int> shape;
    size_t size;

    /// The part of one picture of a batch.
    const float *slot(int index, int batch) const {
        return data + static_cast<size_t>(index) * (size / static_cast<size_t>(batch));
    }
};

/// Planar float input: batch x channels x height x width.
struct InputShape {
    int channels;
    int height;
    int width;

    size_t size() const {
        return static_cast<size_t>(channels) * static_cast<size_t>(height) * static_cast<size_t>(width);
    }
};

/// One network, loaded; belongs to one thread.
class Engine {
  public:
    virtual ~Engine() = default;
    /// Where the inputs of the next run go: `batch` pictures, all of them to be written.
    virtual float *input(int batch) = 0;
    /// Runs what was written to `input`.
    virtual const std::vector<Tensor> &run() = 0;
    /// One line: what runs the layers.
    virtual std::string description() const = 0;
};

struct NetworkFiles {
    vision_network kind;
    Span network;
    Span weights;
    /// Newline separated; may be empty.
    std::string outputs;
    InputShape input;
};

/// What messages call a format: the network "is …".
const char *whose(vision_network format);

std::unique_ptr<Engine> load_opencv(const NetworkFiles &files);
/// OpenCV's net with layers on oneDNN; not in every build.
std::unique_ptr<Engine> load_opencv_onednn(const NetworkFiles &files);

/// OpenVINO, from its shared library.
std::unique_ptr<Engine> load_openvino(const NetworkFiles &files);
/// Throws where its library is not found.
void require_openvino();

/// Throws where the engine is not in this build, or its library not on this machine.
void require(vision_engine engine);
/// Likewise.
std::unique_ptr<Engine> load_engine(vision_engine engine, const NetworkFiles &files);

}  // namespace vision
