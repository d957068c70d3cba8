#include "factory.hpp"

#include <opencv2/dnn/all_layers.hpp>
#include <opencv2/dnn/layer.hpp>

namespace vision::onednn {
namespace {

using cv::Ptr;
using cv::dnn::Layer;
using cv::dnn::LayerParams;

thread_local FactoryScope::Seen current;

template <typename Stock>
Ptr<Layer> make(LayerParams &params) {
    Ptr<Layer> stock = Stock::create(params);
    return current ? current(params, stock) : stock;
}

void register_once() {
    static const bool once = [] {
        using cv::dnn::LayerFactory;
        LayerFactory::registerLayer("Convolution", make<cv::dnn::ConvolutionLayer>);
        LayerFactory::registerLayer("BatchNorm", make<cv::dnn::BatchNormLayer>);
        LayerFactory::registerLayer("Scale", make<cv::dnn::ScaleLayer>);
        LayerFactory::registerLayer("Eltwise", make<cv::dnn::EltwiseLayer>);
        LayerFactory::registerLayer("Pooling", make<cv::dnn::PoolingLayer>);
        LayerFactory::registerLayer("Resize", make<cv::dnn::ResizeLayer>);
        LayerFactory::registerLayer("Softmax", make<cv::dnn::SoftmaxLayer>);
        LayerFactory::registerLayer("SoftMax", make<cv::dnn::SoftmaxLayer>);
        LayerFactory::registerLayer("Concat", make<cv::dnn::ConcatLayer>);
        LayerFactory::registerLayer("Permute", make<cv::dnn::PermuteLayer>);
        LayerFactory::registerLayer("Reshape", make<cv::dnn::ReshapeLayer>);
        LayerFactory::registerLayer("Flatten", make<cv::dnn::FlattenLayer>);
        LayerFactory::registerLayer("Slice", make<cv::dnn::SliceLayer>);
        LayerFactory::registerLayer("Identity", make<cv::dnn::BlankLayer>);
        LayerFactory::registerLayer("Dropout", make<cv::dnn::BlankLayer>);
        LayerFactory::registerLayer("ReLU", make<cv::dnn::ReLULayer>);
        LayerFactory::registerLayer("ReLU6", make<cv::dnn::ReLU6Layer>);
        LayerFactory::registerLayer("ELU", make<cv::dnn::ELULayer>);
        LayerFactory::registerLayer("TanH", make<cv::dnn::TanHLayer>);
        LayerFactory::registerLayer("Sigmoid", make<cv::dnn::SigmoidLayer>);
        LayerFactory::registerLayer("Swish", make<cv::dnn::SwishLayer>);
        LayerFactory::registerLayer("Mish", make<cv::dnn::MishLayer>);
        LayerFactory::registerLayer("HardSwish", make<cv::dnn::HardSwishLayer>);
        return true;
    }();
    static_cast<void>(once);
}

}  // namespace

FactoryScope::FactoryScope(Seen seen) {
    register_once();
    current = std::move(seen);
}

FactoryScope::~FactoryScope() {
    current = nullptr;
}

}  // namespace vision::onednn
