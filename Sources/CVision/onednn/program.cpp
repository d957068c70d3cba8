#include "program.hpp"

#include <algorithm>

#include "support.hpp"

namespace vision::onednn {
namespace {

/// Blocks of channels are no wider: values whose channels fill whole blocks can lie one behind the other.
constexpr int widest_block = 16;
/// Numbers of a network that are moved, all layers together; layers beyond stay OpenCV's own.
constexpr size_t max_elements = size_t{1} << 25;
/// Of what fast layers read and write.
constexpr size_t max_sides = 6;

bool is_usable(const Shape &shape) {
    return !shape.empty() && shape.size() <= max_sides &&
           std::all_of(shape.begin(), shape.end(), [](int side) { return side > 0; });
}

class Builder {
  public:
    Builder(const Graph &graph, const std::set<int> &excluded)
        : graph_(graph), excluded_(excluded), views_(graph.nodes.size()) {}

    Program build() {
        for (size_t i = 1; i < graph_.nodes.size(); i++) {
            const auto index = static_cast<int>(i);
            if (views_[i] || excluded_.count(index) || node(index).output_count != 1) continue;
            views_[i] = make(index);
        }
        for (size_t i = 1; i < graph_.nodes.size(); i++) {
            if (!views_[i]) continue;
            program_.fast.insert(static_cast<int>(i));
            const Node &made = graph_.nodes[i];
            const bool read = std::any_of(made.readers.begin(), made.readers.end(),
                                          [&](int reader) { return !views_[static_cast<size_t>(reader)]; });
            if (made.wanted || read) program_.exports.push_back({static_cast<int>(i), *views_[i]});
        }
        return std::move(program_);
    }

  private:
    const Node &node(int index) const { return graph_.nodes[static_cast<size_t>(index)]; }
    const std::optional<View> &view(int index) const { return views_[static_cast<size_t>(index)]; }

    int new_value(const Shape &shape, bool foreign = false) {
        program_.values.push_back({shape, foreign});
        return static_cast<int>(program_.values.size()) - 1;
    }

    View whole(int value) const { return {program_.values[static_cast<size_t>(value)].shape, value, nullptr}; }

    View append(Operation operation, int at, const Shape &shape) {
        operation.node = at;
        operation.output = new_value(shape);
        program_.operations.push_back(std::move(operation));
        return whole(program_.operations.back().output);
    }

    /// What the `which`th input of a layer is; numbers of OpenCV's own layers are copied.
    View input(int at, int which) {
        const int source = node(at).inputs[static_cast<size_t>(which)];
        if (view(source)) return *view(source);
        Operation copy{};
        copy.kind = Operation::copy;
        copy.foreign_input = which;
        return append(std::move(copy), at, node(source).shape);
    }

    /// The same, but read where it is.
    View input_in_place(Operation &operation, int at) {
        const int source = node(at).inputs[0];
        if (view(source)) return *view(source);
        operation.foreign_input = 0;
        return whole(new_value(node(source).shape, true));
    }

    bool reads_fast(int at) const {
        const std::vector<int> &inputs = node(at).inputs;
        return std::any_of(inputs.begin(), inputs.end(), [&](int input) { return view(input).has_value(); });
    }

    std::optional<View> make(int at) {
        const Node &made = node(at);
        if (made.inputs.empty() || !is_usable(made.shape)) return std::nullopt;
        for (const int input : made.inputs) {
            if (!is_usable(node(input).shape) || node(input).output_count != 1) return std::nullopt;
        }
        const Shape &first = node(made.inputs[0]).shape;
        if (auto convolution = convolution_of(made, first)) return make_convolution(std::move(*convolution), at);
        if (auto pooling = pooling_of(made, first)) {
            pooling->inputs = {input_in_place(*pooling, at)};
            return append(std::move(*pooling), at, made.shape);
        }
        if (!reads_fast(at)) return std::nullopt;
        if (passes_through(made)) return View(*view(made.inputs[0]));
        if (moves(made)) return move(at);
        if (const auto axis = concatenation_axis(made, graph_)) return concatenate(at, *axis);
        if (is_sum(made, graph_)) return add(at);
        Operation operation{};
        if (const auto bend = activation_of(made)) {
            operation.kind = Operation::activation;
            operation.bend = bend;
        } else if (const auto axis = softmax_axis(made, first)) {
            operation.kind = Operation::softmax;
            operation.axis = *axis;
        } else if (is_nearest_enlargement(made, first)) {
            operation.kind = Operation::resize;
        } else {
            return std::nullopt;
        }
        operation.inputs = {input(at, 0)};
        return append(std::move(operation), at, made.shape);
    }

    /// The only reader of a layer whose answer nobody else asks for.
    std::optional<int> only_reader(int at) const {
        const Node &made = node(at);
        if (made.wanted || made.readers.size() != 1) return std::nullopt;
        const int reader = made.readers[0];
        if (excluded_.count(reader) || node(reader).output_count != 1) return std::nullopt;
        return reader;
    }

    View make_convolution(Operation convolution, int at) {
        convolution.inputs = {input_in_place(convolution, at)};
        std::vector<int> taken{at};
        while (const auto reader = only_reader(taken.back())) {
            const Node &next = node(*reader);
            if (!passes_through(next) && !absorb(convolution, next, taken.back())) break;
            taken.push_back(*reader);
        }
        const View made = append(std::move(convolution), at, node(taken.back()).shape);
        for (const int node : taken) views_[static_cast<size_t>(node)] = made;
        return made;
    }

    /// What follows a convolution becomes part of it where it can.
    bool absorb(Operation &convolution, const Node &next, int previous) {
        if (convolution.bend) return false;
        if (const auto bend = activation_of(next)) {
            convolution.bend = bend;
            return true;
        }
        if (convolution.residual) return false;
        if (const auto affine = affine_of(next)) {
            scale(convolution, *affine);
            return true;
        }
        if (!is_sum(next, graph_)) return false;
        const int other = next.inputs[0] == previous ? next.inputs[1] : next.inputs[0];
        // Only what is there already.
        if (!view(other) || view(other)->value < 0) return false;
        convolution.residual = view(other);
        return true;
    }

    static void scale(Operation &convolution, const Affine &affine) {
        convolution.weights = convolution.weights.clone();
        const size_t outputs = convolution.bias.size(), each = convolution.weights.total() / outputs;
        auto *weights = convolution.weights.ptr<float>();
        for (size_t i = 0; i < outputs; i++) {
            for (size_t k = 0; k < each; k++) weights[i * each + k] *= affine.scale[i];
            convolution.bias[i] = convolution.bias[i] * affine.scale[i] + affine.shift[i];
        }
    }

    View add(int at) {
        Operation addition{};
        addition.kind = Operation::addition;
        addition.inputs = {input(at, 0), input(at, 1)};
        const auto reader = only_reader(at);
        if (reader) addition.bend = activation_of(node(*reader));
        const View made = append(std::move(addition), at, node(at).shape);
        if (program_.operations.back().bend) views_[static_cast<size_t>(*reader)] = made;
        return made;
    }

    static Element element(const View &view, size_t index) {
        return view.value >= 0 ? Element{view.value, static_cast<int>(index)} : (*view.elements)[index];
    }

    std::optional<View> move(int at) {
        const View &from = *view(node(at).inputs[0]);
        if (!has_room(node(at).shape)) return std::nullopt;
        const auto places = moved(node(at), from.shape);
        if (!places) return std::nullopt;
        elements_ += places->size();
        auto elements = std::make_shared<std::vector<Element>>();
        elements->reserve(places->size());
        for (const int place : *places) elements->push_back(element(from, static_cast<size_t>(place)));
        return View{node(at).shape, -1, std::move(elements)};
    }

    bool has_room(const Shape &shape) const { return count(shape) <= max_elements - elements_; }

    std::optional<View> concatenate(int at, int axis) {
        if (!has_room(node(at).shape)) return std::nullopt;
        std::vector<View> inputs;
        bool in_blocks = axis == 1 && node(at).shape.size() == 4;
        for (size_t i = 0; i < node(at).inputs.size(); i++) {
            inputs.push_back(input(at, static_cast<int>(i)));
            in_blocks = in_blocks && inputs.back().value >= 0 && inputs.back().shape[1] % widest_block == 0;
        }
        if (in_blocks) {
            Operation concatenation{};
            concatenation.kind = Operation::concatenation;
            concatenation.inputs = std::move(inputs);
            return append(std::move(concatenation), at, node(at).shape);
        }
        auto elements = std::make_shared<std::vector<Element>>();
        elements->reserve(count(node(at).shape));
        elements_ += count(node(at).shape);
        const auto split = static_cast<size_t>(axis);
        const size_t outer = count({node(at).shape.begin(), node(at).shape.begin() + axis});
        for (size_t o = 0; o < outer; o++) {
            for (const View &part : inputs) {
                const size_t run = count({part.shape.begin() + static_cast<long>(split), part.shape.end()});
                for (size_t i = 0; i < run; i++) elements->push_back(element(part, o * run + i));
            }
        }
        return View{node(at).shape, -1, std::move(elements)};
    }

    const Graph &graph_;
    const std::set<int> &excluded_;
    std::vector<std::optional<View>> views_;
    Program program_;
    size_t elements_ = 0;
};

}  // namespace

Program make_program(const Graph &graph, const std::set<int> &excluded) {
    return Builder(graph, excluded).build();
}

}  // namespace vision::onednn
