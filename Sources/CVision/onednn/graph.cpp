#include "graph.hpp"

#include <algorithm>
#include <optional>

#include "../guard.hpp"
#include "factory.hpp"

namespace vision::onednn {
namespace {

using cv::dnn::Layer;
using cv::dnn::LayerParams;
using cv::dnn::MatShape;

struct Shapes {
    std::vector<int> ids;
    std::vector<std::vector<MatShape>> in, out;
};

Shapes shapes(cv::dnn::Net &net, const Shape &input, bool any_size) {
    // Layers that were made for any size have one when they have run.
    if (any_size) {
        net.setInput(cv::Mat(input, CV_32F, cv::Scalar(0)));
        net.forward();
    }
    Shapes all;
    net.getLayersShapes(input, all.ids, all.in, all.out);
    return all;
}

/// Shapes of two pictures; none where the network cannot have two.
std::optional<Shapes> shapes_of_two(cv::dnn::Net &net, Shape input, bool any_size) {
    input[0] *= 2;
    try {
        return shapes(net, input, any_size);
    } catch (const cv::Exception &) {
        return std::nullopt;
    }
}

bool twice_as_long(const std::vector<MatShape> &one, const std::vector<MatShape> &two) {
    if (one.size() != 1 || two.size() != 1 || one[0].empty()) return false;
    MatShape expected = one[0];
    expected[0] *= 2;
    return two[0] == expected;
}

}  // namespace

size_t count(const Shape &shape) {
    size_t product = 1;
    for (const int side : shape) product *= static_cast<size_t>(side);
    return product;
}

Graph read_graph(const std::function<cv::dnn::Net()> &import, const Shape &input,
                 const std::function<std::vector<std::string>(const cv::dnn::Net &)> &outputs) {
    Graph graph;
    {
        const FactoryScope scope([&](LayerParams &params, cv::Ptr<Layer> stock) {
            graph.params[params.name] = params;
            return stock;
        });
        graph.net = import();
        if (graph.net.empty()) fail(VISION_BAD_MODEL, "the network has no layers");
        const std::vector<std::string> wanted = outputs(graph.net);
        const bool any_size = std::any_of(graph.params.begin(), graph.params.end(), [](const auto &layer) {
            return layer.second.template get<bool>("has_dynamic_shapes", false);
        });
        const std::optional<Shapes> two = shapes_of_two(graph.net, input, any_size);
        const Shapes all = shapes(graph.net, input, any_size);
        std::map<std::string, int> index;
        // Ids ascend, and so does the order in which OpenCV runs layers.
        for (size_t i = 0; i < all.ids.size(); i++) {
            Node node;
            node.layer = graph.net.getLayer(all.ids[i]);
            node.name = node.layer->name;
            node.type = node.layer->type;
            node.output_count = all.out[i].size();
            node.grows = two && twice_as_long(all.out[i], two->out[i]);
            if (node.output_count > 0) node.shape = all.out[i][0];
            if (i > 0) {
                for (const auto &source : graph.net.getLayerInputs(all.ids[i])) {
                    const auto found = index.find(source->name);
                    if (found == index.end()) {
                        fail(VISION_BAD_MODEL, "layer %s reads one that comes after it", node.name.c_str());
                    }
                    node.inputs.push_back(found->second);
                    graph.nodes[static_cast<size_t>(node.inputs.back())].readers.push_back(static_cast<int>(i));
                }
            }
            index[node.name] = static_cast<int>(i);
            graph.nodes.push_back(std::move(node));
        }
        for (Node &node : graph.nodes) {
            const auto found = graph.params.find(node.name);
            if (found != graph.params.end()) node.params = &found->second;
            node.wanted = std::find(wanted.begin(), wanted.end(), node.name) != wanted.end();
        }
    }
    return graph;
}

}  // namespace vision::onednn
