// A network as OpenCV imported it: what a plan is made from.
#pragma once

#include <functional>
#include <map>
#include <opencv2/dnn.hpp>
#include <set>
#include <string>
#include <vector>

namespace vision::onednn {

using Shape = std::vector<int>;

size_t count(const Shape &shape);

/// One layer; its index is its place in the order in which OpenCV runs layers.
struct Node {
    std::string name;
    std::string type;
    /// Nodes whose output it reads; for the net's own input that is node 0.
    std::vector<int> inputs;
    std::vector<int> readers;
    Shape shape;
    size_t output_count = 1;
    /// With two pictures its output is twice as long; otherwise it holds one picture only.
    bool grows = false;
    /// Somebody asks for its output.
    bool wanted = false;
    /// OpenCV's own.
    cv::Ptr<cv::dnn::Layer> layer;
    /// What it was made from; only of the types that can be replaced.
    const cv::dnn::LayerParams *params = nullptr;
};

struct Graph {
    std::vector<Node> nodes;
    /// By name; outlives `nodes`' pointers into it.
    std::map<std::string, cv::dnn::LayerParams> params;
    /// Kept, since it owns layers.
    cv::dnn::Net net;
};

/// Imports the network with OpenCV's own layers. `outputs` says which layers' answers are asked for.
Graph read_graph(const std::function<cv::dnn::Net()> &import, const Shape &input,
                 const std::function<std::vector<std::string>(const cv::dnn::Net &)> &outputs);

}  // namespace vision::onednn
