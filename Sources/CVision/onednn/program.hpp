// What the fast layers of a network do, before memory layouts and batch are chosen: shapes are those of one picture.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph.hpp"

namespace vision::onednn {

/// Something that operations read and write; made by one operation, or by one of OpenCV's own layers.
struct Value {
    Shape shape;
    /// Lies in a blob of OpenCV's.
    bool foreign = false;
};

/// One number of one value, of the first picture.
struct Element {
    int value;
    int index;
};

/// What a layer answers with: a value as it is, or numbers of values in another order (what Reshape, Permute, Slice and
/// Concat make), which nobody moves until somebody needs them in their order.
struct View {
    Shape shape;
    int value = -1;
    std::shared_ptr<const std::vector<Element>> elements;
};

struct Activation {
    enum Kind { relu, clip, elu, tanh, logistic, swish, mish, hard_swish } kind;
    float alpha = 0, beta = 0;
};

struct Window {
    std::vector<int64_t> kernel, strides, dilations, pads_begin, pads_end;
};

struct Operation {
    enum Kind { convolution, pooling, addition, activation, resize, softmax, copy, concatenation } kind;
    /// The node at whose turn it runs.
    int node;
    std::vector<View> inputs;
    int output;
    /// Of `convolution` and `pooling`.
    Window window;
    int groups = 1;
    /// Of `convolution`: [groups x] outputs x inputs x height x width; with scales of a BatchNorm already in it.
    cv::Mat weights;
    std::vector<float> bias;
    /// Then, in this order: added, and bent.
    std::optional<View> residual;
    std::optional<Activation> bend;
    enum Pool { max, average, average_with_border } pool = max;
    /// Of `softmax` and `concatenation`.
    int axis = 1;
    /// Of `copy`: which of the layer's inputs.
    int foreign_input = 0;
};

/// A fast layer's answer, for one of OpenCV's own or for the caller.
struct Export {
    int node;
    View view;
};

struct Program {
    std::vector<Value> values;
    std::vector<Operation> operations;
    std::vector<Export> exports;
    /// Nodes that are fast layers.
    std::set<int> fast;
};

/// `excluded`: nodes that are to stay OpenCV's own.
Program make_program(const Graph &graph, const std::set<int> &excluded);

}  // namespace vision::onednn
