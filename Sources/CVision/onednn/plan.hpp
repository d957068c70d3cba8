// The fast layers of one net: what they compute together, with which weights, for which batch.
#pragma once

#include <memory>
#include <opencv2/dnn.hpp>
#include <string>

#include "compiled.hpp"
#include "graph.hpp"

namespace vision::onednn {

/// Belongs to one thread, like its net.
class Plan {
  public:
    explicit Plan(const Graph &graph);

    /// What follows runs batches of this size; the sizes that were run last stay compiled. Throws where the network holds
    /// one picture only.
    void prepare(int batch);
    int batch() const { return sizes_.empty() ? 0 : sizes_.front().batch; }

    /// The node of a layer with such a name, where it is a fast one.
    const int *node(const std::string &name) const;
    /// What OpenCV is to allocate for a fast layer's answer.
    Shape blob_shape(int node) const;
    bool idle(int node) const { return sizes_.front().compiled->idle(node); }
    void run(int node, const std::vector<cv::Mat> &inputs, std::vector<cv::Mat> &outputs);

    /// One line: how many layers are fast ones, on which instruction set, and which are OpenCV's own.
    const std::string &description() const { return description_; }

  private:
    struct Size {
        int batch;
        std::unique_ptr<Compiled> compiled;
    };

    void describe(const Graph &graph);

    Program program_;
    std::map<int, Weights> weights_;
    std::map<std::string, int> nodes_;
    std::map<int, Shape> exported_;
    bool batches_ = false;
    /// The one that was run last is the first.
    std::vector<Size> sizes_;
    std::string description_;
};

/// A net whose fast layers do the steps of `plan`; all others are OpenCV's own.
cv::dnn::Net import_with(const std::function<cv::dnn::Net()> &import, const std::shared_ptr<Plan> &plan);

}  // namespace vision::onednn
