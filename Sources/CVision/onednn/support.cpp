#include "support.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <opencv2/dnn/all_layers.hpp>

namespace vision::onednn {
namespace {

/// Numbers up to here are exact as floats.
constexpr size_t max_moved = 1 << 24;

template <typename Layer>
const Layer *as(const Node &node) {
    return dynamic_cast<const Layer *>(node.layer.get());
}

std::vector<int64_t> two(const std::vector<size_t> &sizes) {
    return {sizes.begin(), sizes.end()};
}

std::vector<float> floats(const cv::Mat &mat) {
    const cv::Mat row = mat.reshape(1, 1);
    return {row.ptr<float>(), row.ptr<float>() + row.total()};
}

/// What windows of such a size answer, with borders as given.
bool covers(const Window &window, const Shape &input, const Shape &output) {
    for (size_t i = 0; i < 2; i++) {
        const int64_t reach = window.dilations[i] * (window.kernel[i] - 1) + 1;
        const int64_t whole = input[2 + i] + window.pads_begin[i] + window.pads_end[i];
        if (window.strides[i] < 1 || whole < reach) return false;
        if ((whole - reach) / window.strides[i] + 1 != output[2 + i]) return false;
    }
    return true;
}

/// Borders that a file gives by name ("SAME", "VALID"), as OpenCV works them out: at both ends the same, and zeros
/// where the last window reaches further. False where there is a name that says something else.
bool name_pads(const std::string &mode, const Shape &input, const Shape &output, Window &window) {
    if (mode.empty()) return true;
    if (mode != "SAME" && mode != "VALID") return false;
    window.pads_begin = window.pads_end = {0, 0};
    if (mode == "VALID") return true;
    for (size_t i = 0; i < 2; i++) {
        const int64_t kernel = window.kernel[i], stride = window.strides[i], side = input[2 + i];
        if (window.dilations[i] != 1 || stride < 1) return false;
        if (stride <= kernel) window.pads_begin[i] = (kernel - 1 - (side - 1 + stride) % stride) / 2;
        const int64_t last = (output[2 + i] - 1) * stride + kernel;
        window.pads_end[i] = std::max(window.pads_begin[i], last - side - window.pads_begin[i]);
    }
    return true;
}

bool has(const Node &node, const char *key) {
    return node.params && node.params->has(key);
}

}  // namespace

std::optional<Activation> activation_of(const Node &node) {
    if (!node.params || node.inputs.size() != 1) return std::nullopt;
    if (const auto *relu = as<cv::dnn::ReLULayer>(node)) return Activation{Activation::relu, relu->negativeSlope};
    if (const auto *clip = as<cv::dnn::ReLU6Layer>(node))
        return Activation{Activation::clip, clip->minValue, clip->maxValue};
    if (const auto *elu = as<cv::dnn::ELULayer>(node)) return Activation{Activation::elu, elu->alpha};
    if (as<cv::dnn::TanHLayer>(node)) return Activation{Activation::tanh};
    if (as<cv::dnn::SigmoidLayer>(node)) return Activation{Activation::logistic};
    if (as<cv::dnn::SwishLayer>(node)) return Activation{Activation::swish, 1};
    if (as<cv::dnn::MishLayer>(node)) return Activation{Activation::mish};
    if (as<cv::dnn::HardSwishLayer>(node)) return Activation{Activation::hard_swish};
    return std::nullopt;
}

std::optional<Affine> affine_of(const Node &node) {
    if (!node.params || node.inputs.size() != 1 || node.shape.size() != 4) return std::nullopt;
    const auto channels = static_cast<size_t>(node.shape[1]);
    if (const auto *scale = as<cv::dnn::ScaleLayer>(node)) {
        if (scale->axis != 1 || scale->mode != "scale") return std::nullopt;
    } else if (!as<cv::dnn::BatchNormLayer>(node)) {
        return std::nullopt;
    }
    const cv::Ptr<cv::dnn::Layer> layer = node.layer;
    std::vector<cv::Mat> inputs{cv::Mat(node.shape, CV_32F)}, outputs{cv::Mat(node.shape, CV_32F)};
    layer->finalize(cv::InputArrayOfArrays(inputs), cv::OutputArrayOfArrays(outputs));
    cv::Mat scale, shift;
    layer->getScaleShift(scale, shift);
    Affine affine{std::vector<float>(channels, 1), std::vector<float>(channels, 0)};
    if ((scale.empty() && shift.empty()) || (!scale.empty() && (scale.type() != CV_32F || scale.total() != channels)) ||
        (!shift.empty() && (shift.type() != CV_32F || shift.total() != channels)))
        return std::nullopt;
    if (!scale.empty()) affine.scale = floats(scale);
    if (!shift.empty()) affine.shift = floats(shift);
    return affine;
}

std::optional<Operation> convolution_of(const Node &node, const Shape &input) {
    const auto *layer = as<cv::dnn::ConvolutionLayer>(node);
    if (!node.params || !layer || node.inputs.size() != 1 || input.size() != 4 || node.shape.size() != 4)
        return std::nullopt;
    const std::vector<cv::Mat> &blobs = layer->blobs;
    if (blobs.empty() || blobs.size() > 2 || layer->kernel_size.size() != 2) return std::nullopt;
    const cv::Mat &weights = blobs[0];
    if (weights.type() != CV_32F || weights.dims != 4 || !weights.isContinuous() || weights.empty())
        return std::nullopt;
    Operation result{};
    result.kind = Operation::convolution;
    result.window = {two(layer->kernel_size), two(layer->strides), two(layer->dilations), two(layer->pads_begin),
                     two(layer->pads_end)};
    if (!name_pads(layer->padMode, input, node.shape, result.window)) return std::nullopt;
    const int outputs = weights.size[0], inputs = weights.size[1];
    if (inputs < 1 || input[1] % inputs != 0 || outputs != node.shape[1]) return std::nullopt;
    result.groups = input[1] / inputs;
    if (outputs % result.groups != 0) return std::nullopt;
    if (weights.size[2] != result.window.kernel[0] || weights.size[3] != result.window.kernel[1]) return std::nullopt;
    if (!covers(result.window, input, node.shape)) return std::nullopt;
    result.weights = weights;
    result.bias.assign(static_cast<size_t>(outputs), 0);
    if (blobs.size() == 2 && !blobs[1].empty()) {
        if (blobs[1].type() != CV_32F || blobs[1].total() != static_cast<size_t>(outputs)) return std::nullopt;
        result.bias = floats(blobs[1]);
    }
    return result;
}

std::optional<Operation> pooling_of(const Node &node, const Shape &input) {
    const auto *layer = as<cv::dnn::PoolingLayer>(node);
    if (!node.params || !layer || node.inputs.size() != 1 || node.output_count != 1 || input.size() != 4 ||
        node.shape.size() != 4)
        return std::nullopt;
    std::string pool = node.params->get<cv::String>("pool", "max");
    std::transform(pool.begin(), pool.end(), pool.begin(), [](unsigned char c) { return std::tolower(c); });
    if (pool != "max" && pool != "ave") return std::nullopt;
    Operation result{};
    result.kind = Operation::pooling;
    Window &window = result.window;
    window.dilations = {1, 1};
    if (layer->globalPooling) {
        window.kernel = {input[2], input[3]};
        window.strides = {1, 1};
        window.pads_begin = window.pads_end = {0, 0};
    } else {
        if (layer->kernel_size.size() != 2) return std::nullopt;
        const auto &global = layer->isGlobalPooling;
        if (std::find(global.begin(), global.end(), true) != global.end()) return std::nullopt;
        window.kernel = two(layer->kernel_size);
        window.strides = two(layer->strides);
        window.pads_begin = two(layer->pads_begin);
        window.pads_end = two(layer->pads_end);
        if (!name_pads(layer->padMode, input, node.shape, window)) return std::nullopt;
        // Means over what there is; how many that is at an uneven border, layers of OpenCV decide.
        if (pool == "ave" && window.pads_begin != window.pads_end) return std::nullopt;
        // Rounded up: the last window reaches over the border.
        for (size_t i = 0; i < 2; i++) {
            const int64_t last = (node.shape[2 + i] - 1) * window.strides[i] + window.kernel[i];
            const int64_t reach = last - input[2 + i] - window.pads_begin[i];
            if (reach > window.pads_end[i]) {
                if (pool == "ave" || reach >= window.kernel[i]) return std::nullopt;
                window.pads_end[i] = reach;
            }
        }
    }
    for (size_t i = 0; i < 2; i++) {
        if (window.pads_begin[i] >= window.kernel[i] || window.pads_end[i] >= window.kernel[i]) return std::nullopt;
    }
    if (!covers(window, input, node.shape)) return std::nullopt;
    result.pool = pool == "max"              ? Operation::max
                  : layer->avePoolPaddedArea ? Operation::average_with_border
                                             : Operation::average;
    return result;
}

bool is_sum(const Node &node, const Graph &graph) {
    if (!node.params || !as<cv::dnn::EltwiseLayer>(node) || node.inputs.size() != 2) return false;
    const std::string operation = node.params->get<cv::String>("operation", "sum");
    if ((operation != "sum" && operation != "add") || has(node, "coeff")) return false;
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](int input) { return graph.nodes[static_cast<size_t>(input)].shape == node.shape; });
}

bool is_nearest_enlargement(const Node &node, const Shape &input) {
    if (!node.params || !as<cv::dnn::ResizeLayer>(node) || node.inputs.size() != 1) return false;
    if (node.params->get<cv::String>("interpolation") != "nearest" || node.params->get<bool>("align_corners", false))
        return false;
    if (input.size() != 4 || node.shape.size() != 4) return false;
    return node.shape[2] % input[2] == 0 && node.shape[3] % input[3] == 0;
}

std::optional<int> softmax_axis(const Node &node, const Shape &input) {
    const auto *layer = as<cv::dnn::SoftmaxLayer>(node);
    if (!node.params || !layer || layer->logSoftMax || node.inputs.size() != 1 || node.shape != input)
        return std::nullopt;
    const auto dims = static_cast<int>(input.size());
    int axis = node.params->get<int>("axis", 1);
    if (axis < 0) axis += dims;
    if (axis < 1 || axis >= dims) return std::nullopt;
    return axis;
}

std::optional<int> concatenation_axis(const Node &node, const Graph &graph) {
    const auto *layer = as<cv::dnn::ConcatLayer>(node);
    if (!node.params || !layer || layer->padding || node.inputs.empty()) return std::nullopt;
    const auto dims = static_cast<int>(node.shape.size());
    const int axis = layer->axis < 0 ? layer->axis + dims : layer->axis;
    if (axis < 1 || axis >= dims) return std::nullopt;
    int along = 0;
    for (const int input : node.inputs) {
        Shape shape = graph.nodes[static_cast<size_t>(input)].shape;
        if (static_cast<int>(shape.size()) != dims) return std::nullopt;
        along += shape[static_cast<size_t>(axis)];
        shape[static_cast<size_t>(axis)] = node.shape[static_cast<size_t>(axis)];
        if (shape != node.shape) return std::nullopt;
    }
    if (along != node.shape[static_cast<size_t>(axis)]) return std::nullopt;
    return axis;
}

bool passes_through(const Node &node) {
    return node.params && node.inputs.size() == 1 && (node.type == "Identity" || node.type == "Dropout");
}

bool moves(const Node &node) {
    if (!node.params || node.inputs.size() != 1 || node.output_count != 1) return false;
    return node.type == "Reshape" || node.type == "Permute" || node.type == "Flatten" || node.type == "Slice";
}

std::optional<std::vector<int>> moved(const Node &node, const Shape &input) {
    const size_t from = count(input), to = count(node.shape);
    if (from == 0 || from > max_moved || to == 0 || to > max_moved) return std::nullopt;
    // OpenCV's own layer says it: it is run once, on numbers that name their places.
    std::vector<cv::Mat> inputs{cv::Mat(input, CV_32F)}, outputs{cv::Mat(node.shape, CV_32F, cv::Scalar(-1))},
        internals;
    std::iota(inputs[0].ptr<float>(), inputs[0].ptr<float>() + from, 0.0f);
    const cv::Ptr<cv::dnn::Layer> layer = node.layer;
    layer->finalize(cv::InputArrayOfArrays(inputs), cv::OutputArrayOfArrays(outputs));
    layer->forward(cv::InputArrayOfArrays(inputs), cv::OutputArrayOfArrays(outputs),
                   cv::OutputArrayOfArrays(internals));
    if (outputs.size() != 1 || outputs[0].type() != CV_32F || !outputs[0].isContinuous() || outputs[0].total() != to)
        return std::nullopt;
    std::vector<int> result(to);
    for (size_t i = 0; i < to; i++) {
        const float place = outputs[0].ptr<float>()[i];
        if (!(place >= 0 && place < static_cast<float>(from))) return std::nullopt;
        result[i] = static_cast<int>(place);
    }
    return result;
}

}  // namespace vision::onednn
