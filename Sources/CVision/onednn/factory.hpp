// OpenCV's layer factory is one for the process. What is registered there makes OpenCV's own layers, for every net,
// until a thread says otherwise for the net that it loads.
#pragma once

#include <functional>
#include <map>
#include <opencv2/dnn.hpp>
#include <string>

namespace vision::onednn {

/// While one lives, layers that this thread makes are shown to `seen`, with what they were made from, and replaced by
/// what it returns.
class FactoryScope {
  public:
    using Seen = std::function<cv::Ptr<cv::dnn::Layer>(cv::dnn::LayerParams &, cv::Ptr<cv::dnn::Layer>)>;

    explicit FactoryScope(Seen seen);
    ~FactoryScope();
    FactoryScope(const FactoryScope &) = delete;
    FactoryScope &operator=(const FactoryScope &) = delete;
};

}  // namespace vision::onednn
