// Which layers of OpenCV's there is a fast form of: only what gives the same numbers.
#pragma once

#include "program.hpp"

namespace vision::onednn {

std::optional<Activation> activation_of(const Node &node);
/// y = scale * x + shift, for each channel.
struct Affine {
    std::vector<float> scale, shift;
};
std::optional<Affine> affine_of(const Node &node);
/// Without inputs, output and node.
std::optional<Operation> convolution_of(const Node &node, const Shape &input);
std::optional<Operation> pooling_of(const Node &node, const Shape &input);
bool is_sum(const Node &node, const Graph &graph);
bool is_nearest_enlargement(const Node &node, const Shape &input);
std::optional<int> softmax_axis(const Node &node, const Shape &input);
std::optional<int> concatenation_axis(const Node &node, const Graph &graph);
bool passes_through(const Node &node);
/// Only moves numbers.
bool moves(const Node &node);
/// Which number of its input each of its output is.
std::optional<std::vector<int>> moved(const Node &node, const Shape &input);

}  // namespace vision::onednn
