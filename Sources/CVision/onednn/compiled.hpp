// A program for one batch size: layouts chosen, memory laid out, kernels made.
#pragma once

#include <dnnl.hpp>
#include <map>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "gather.hpp"
#include "memory.hpp"
#include "program.hpp"
#include "weights.hpp"

namespace vision::onednn {

/// What oneDNN has no good form of: the node stays OpenCV's own.
struct NotCompiled {
    int node;
    std::string why;
};

/// Where an argument of a step lies.
struct Place {
    enum Kind { arena, scratch, constant, layer_input, layer_output } kind;
    /// Index of the slot, or of the layer's input.
    int index = 0;
    const void *data = nullptr;
};

struct Argument {
    int name;
    Place place;
    dnnl::memory::desc desc;
};

struct Step {
    int node;
    /// One of both.
    dnnl::primitive primitive;
    std::unique_ptr<Gather> gather;
    std::vector<Argument> arguments;
    /// As oneDNN takes them; memory of the layer's own blobs is set before each run.
    std::vector<dnnl::memory> memories;
    std::vector<dnnl_exec_arg_t> bound;
};

/// Belongs to one thread.
class Compiled {
  public:
    /// `weights`: of each operation that has some. Throws NotCompiled.
    Compiled(const Program &program, int batch, std::map<int, Weights> &weights);

    /// The steps of one layer.
    void run(int node, const std::vector<cv::Mat> &inputs, std::vector<cv::Mat> &outputs);
    /// Whether it has no steps.
    bool idle(int node) const { return first_[static_cast<size_t>(node)] == first_[static_cast<size_t>(node) + 1]; }

  private:
    std::vector<Step> steps_;
    /// Of each node, where its steps begin.
    std::vector<size_t> first_;
    Memory arena_, scratch_;
    dnnl::stream stream_;
};

}  // namespace vision::onednn
