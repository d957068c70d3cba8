// OpenCV's DNN module: the reference, and what other engines put their layers into.
#pragma once

#include <opencv2/dnn.hpp>

#include "engine.hpp"

namespace vision {

/// Imports the network, without running anything.
cv::dnn::Net read_network(const NetworkFiles &files);

/// The layers that `files` asks for, or all that no other layer reads. Throws where there are none.
std::vector<std::string> output_names(const NetworkFiles &files, const cv::dnn::Net &net);

class OpenCVEngine : public Engine {
  public:
    OpenCVEngine(const NetworkFiles &files, cv::dnn::Net net);

    float *input(int batch) override;
    const std::vector<Tensor> &run() override;
    std::string description() const override { return "all layers are OpenCV's own"; }

  protected:
    /// Pictures of the next run.
    int batch() const { return scratch_used_ ? scratch_batch_ : batch_; }

  private:
    void adopt_input(int batch);
    void take_output(const std::string &name, const std::vector<cv::Mat> &blobs, int batch, Tensor &output) const;

    const InputShape shape_;
    cv::dnn::Net net_;
    std::vector<std::string> names_{""};
    std::vector<std::vector<cv::Mat>> blobs_;
    std::vector<Tensor> outputs_;
    cv::Mat own_input_;
    /// Pictures in `own_input_`; 0 before the first run.
    int batch_ = 0;
    cv::Mat scratch_;
    int scratch_batch_ = 0;
    bool scratch_used_ = false;
};

}  // namespace vision
