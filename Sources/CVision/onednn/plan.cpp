#include "plan.hpp"

#include <algorithm>
#include <map>

#include "../guard.hpp"

namespace vision::onednn {
namespace {

/// To compile one takes as long as several pictures; each has memory for what its layers answer.
constexpr size_t kept_sizes = 4;

const char *instruction_set() {
    switch (dnnl::get_effective_cpu_isa()) {
        case dnnl::cpu_isa::sse41:
            return "SSE4.1";
        case dnnl::cpu_isa::avx:
            return "AVX";
        case dnnl::cpu_isa::avx2:
        case dnnl::cpu_isa::avx2_vnni:
            return "AVX2";
        case dnnl::cpu_isa::all:
            return "no limit";
        default:
            return "AVX-512";
    }
}

/// Whether all that fast layers read and write grows with a batch.
bool grows(const Graph &graph, const std::set<int> &fast) {
    return std::all_of(fast.begin(), fast.end(), [&](int index) {
        const Node &node = graph.nodes[static_cast<size_t>(index)];
        return node.grows && std::all_of(node.inputs.begin(), node.inputs.end(),
                                         [&](int input) { return graph.nodes[static_cast<size_t>(input)].grows; });
    });
}

}  // namespace

Plan::Plan(const Graph &graph) {
    std::set<int> excluded;
    for (;;) {
        program_ = make_program(graph, excluded);
        weights_.clear();
        for (const Operation &operation : program_.operations) {
            if (operation.kind == Operation::convolution) weights_.try_emplace(operation.output, operation);
        }
        try {
            sizes_.push_back({1, std::make_unique<Compiled>(program_, 1, weights_)});
            break;
        } catch (const NotCompiled &refused) {
            // One layer more for OpenCV, so this ends.
            if (!excluded.insert(refused.node).second) fail(VISION_INTERNAL, "oneDNN: %s", refused.why.c_str());
        }
    }
    batches_ = grows(graph, program_.fast);
    for (Operation &operation : program_.operations) operation.weights.release();
    for (const int node : program_.fast) nodes_[graph.nodes[static_cast<size_t>(node)].name] = node;
    for (const Export &what : program_.exports) exported_[what.node] = what.view.shape;
    describe(graph);
    if (!batches_) program_ = {{}, {}, {}, std::move(program_.fast)};
}

void Plan::describe(const Graph &graph) {
    std::map<std::string, int> others;
    for (size_t i = 1; i < graph.nodes.size(); i++) {
        if (!program_.fast.count(static_cast<int>(i))) others[graph.nodes[i].type]++;
    }
    description_ = std::to_string(program_.fast.size()) + " of " + std::to_string(graph.nodes.size() - 1) +
                   " layers on oneDNN (" + instruction_set() + ")";
    const char *before = "; OpenCV's own: ";
    for (const auto &[type, number] : others) {
        description_ += before + type + " " + std::to_string(number);
        before = ", ";
    }
}

void Plan::prepare(int batch) {
    if (batch == this->batch()) return;
    if (!batches_) {
        fail(VISION_BAD_MODEL, "the network holds one picture only: its layers' shapes do not grow with a batch of %d",
             batch);
    }
    const auto known =
        std::find_if(sizes_.begin(), sizes_.end(), [&](const Size &size) { return size.batch == batch; });
    if (known != sizes_.end()) {
        std::rotate(sizes_.begin(), known, known + 1);
        return;
    }
    // The oldest one's memory goes before the new one's comes.
    if (sizes_.size() == kept_sizes) sizes_.pop_back();
    try {
        sizes_.insert(sizes_.begin(), {batch, std::make_unique<Compiled>(program_, batch, weights_)});
    } catch (const NotCompiled &refused) {
        fail(VISION_BAD_MODEL, "oneDNN cannot run a batch of %d: %s", batch, refused.why.c_str());
    }
}

const int *Plan::node(const std::string &name) const {
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? nullptr : &found->second;
}

Shape Plan::blob_shape(int node) const {
    const auto found = exported_.find(node);
    // Nobody reads it.
    if (found == exported_.end()) return {1};
    Shape shape = found->second;
    shape[0] *= batch();
    return shape;
}

void Plan::run(int node, const std::vector<cv::Mat> &inputs, std::vector<cv::Mat> &outputs) {
    sizes_.front().compiled->run(node, inputs, outputs);
}

}  // namespace vision::onednn
