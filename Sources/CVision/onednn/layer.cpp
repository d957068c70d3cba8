#include "factory.hpp"
#include "plan.hpp"

namespace vision::onednn {
namespace {

using cv::dnn::LayerParams;
using cv::dnn::MatShape;

/// A layer of OpenCV's net that does its steps of a plan.
class FastLayer final : public cv::dnn::Layer {
  public:
    FastLayer(const LayerParams &params, cv::Ptr<cv::dnn::Layer> stock, std::shared_ptr<Plan> plan, int node)
        : stock_(std::move(stock)), plan_(std::move(plan)), node_(node) {
        name = params.name;
        type = params.type;
    }

    /// The importer has asked what it asks; from now on shapes and numbers are the plan's. Lets go of the weights.
    void import_ends() { stock_.release(); }

    bool getMemoryShapes(const std::vector<MatShape> &inputs, const int required, std::vector<MatShape> &outputs,
                         std::vector<MatShape> &internals) const override {
        if (stock_) return stock_->getMemoryShapes(inputs, required, outputs, internals);
        outputs.assign(1, plan_->blob_shape(node_));
        return false;
    }

    void forward(cv::InputArrayOfArrays inputs_array, cv::OutputArrayOfArrays outputs_array,
                 cv::OutputArrayOfArrays) override {
        if (plan_->idle(node_)) return;
        std::vector<cv::Mat> inputs, outputs;
        inputs_array.getMatVector(inputs);
        outputs_array.getMatVector(outputs);
        plan_->run(node_, inputs, outputs);
    }

  private:
    cv::Ptr<cv::dnn::Layer> stock_;
    const std::shared_ptr<Plan> plan_;
    const int node_;
};

}  // namespace

cv::dnn::Net import_with(const std::function<cv::dnn::Net()> &import, const std::shared_ptr<Plan> &plan) {
    std::vector<cv::Ptr<FastLayer>> fast;
    cv::dnn::Net net;
    const FactoryScope scope([&](LayerParams &params, cv::Ptr<cv::dnn::Layer> stock) -> cv::Ptr<cv::dnn::Layer> {
        const int *node = plan->node(params.name);
        if (!node) return stock;
        // The net would keep them as well.
        params.blobs.clear();
        fast.push_back(cv::makePtr<FastLayer>(params, std::move(stock), plan, *node));
        return fast.back();
    });
    net = import();
    // Layers are made when they are asked for.
    for (const std::string &name : net.getLayerNames()) net.getLayer(net.getLayerId(name));
    for (const auto &layer : fast) layer->import_ends();
    return net;
}

}  // namespace vision::onednn
