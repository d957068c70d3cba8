#include "engine_opencv.hpp"

#include <sstream>

#include "guard.hpp"
#include "mat.hpp"

namespace vision {
namespace {

/// Darknet's region layers set scores at or below their `thresh` (0.2 where the file names none) to zero, and trackers
/// and average precision ask for weaker boxes than that. So the sections that have no `thresh` get this one, and the
/// decoder chooses.
constexpr const char *region_threshold = "thresh=0\n";

std::string with_region_threshold(Span network) {
    std::istringstream lines(std::string(reinterpret_cast<const char *>(network.data), network.size));
    std::string text, line;
    while (std::getline(lines, line)) {
        text += line + "\n";
        if (line.rfind("[yolo]", 0) == 0) text += region_threshold;
    }
    return text;
}

cv::dnn::Net import_network(const NetworkFiles &files) {
    const auto *network = reinterpret_cast<const char *>(files.network.data);
    switch (files.kind) {
        case VISION_DARKNET: {
            const std::string text = with_region_threshold(files.network);
            return cv::dnn::readNetFromDarknet(text.data(), text.size(),
                                               reinterpret_cast<const char *>(files.weights.data), files.weights.size);
        }
        case VISION_ONNX:
            return cv::dnn::readNetFromONNX(network, files.network.size);
        case VISION_TENSORFLOW:
            return cv::dnn::readNetFromTensorflow(network, files.network.size);
        case VISION_CAFFE:
            return cv::dnn::readNetFromCaffe(network, files.network.size,
                                             reinterpret_cast<const char *>(files.weights.data), files.weights.size);
    }
    fail(VISION_BAD_MODEL, "network format %d is unknown", static_cast<int>(files.kind));
}

}  // namespace

cv::dnn::Net read_network(const NetworkFiles &files) {
    try {
        return import_network(files);
    } catch (const cv::Exception &error) {
        fail(VISION_BAD_MODEL, "OpenCV cannot read the network, which should be %s: %s", whose(files.kind),
             error.err.c_str());
    }
}

std::vector<std::string> output_names(const NetworkFiles &files, const cv::dnn::Net &net) {
    std::vector<std::string> names;
    std::istringstream asked(files.outputs);
    std::string name;
    while (std::getline(asked, name)) {
        if (net.getLayerId(name) < 0) fail(VISION_BAD_MODEL, "the network has no layer %s", name.c_str());
        names.push_back(name);
    }
    if (names.empty()) names = net.getUnconnectedOutLayersNames();
    if (names.empty()) fail(VISION_BAD_MODEL, "the network has no outputs");
    return names;
}

OpenCVEngine::OpenCVEngine(const NetworkFiles &files, cv::dnn::Net net) : shape_(files.input), net_(std::move(net)) {
    if (net_.empty()) fail(VISION_BAD_MODEL, "the network has no layers");
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    for (std::string &name : output_names(files, net_)) names_.push_back(std::move(name));
}

float *OpenCVEngine::input(int batch) {
    // The net's own input, once a run has allocated it: `setInput` would copy.
    scratch_used_ = batch != batch_;
    if (!scratch_used_) return own_input_.ptr<float>();
    if (batch != scratch_batch_) {
        const int sizes[] = {batch, shape_.channels, shape_.height, shape_.width};
        scratch_.create(4, sizes, CV_32F);
        scratch_batch_ = batch;
    }
    return scratch_.ptr<float>();
}

const std::vector<Tensor> &OpenCVEngine::run() {
    const int batch = this->batch();
    if (scratch_used_) {
        batch_ = 0;
        net_.setInput(scratch_);
    }
    // Blobs alias the net's memory. The name "" is its input, asked for each time: other outputs mean a new set-up.
    net_.forward(blobs_, names_);
    if (scratch_used_) adopt_input(batch);
    scratch_used_ = false;
    outputs_.resize(names_.size() - 1);
    for (size_t i = 1; i < names_.size(); i++) take_output(names_[i], blobs_[i], batch, outputs_[i - 1]);
    return outputs_;
}

/// Only if it really is what `setInput` filled; otherwise every run goes through `setInput`.
void OpenCVEngine::adopt_input(int batch) {
    const cv::Mat &own = blobs_.at(0).at(0);
    if (own.type() != CV_32F || !own.isContinuous() || own.total() != scratch_.total()) return;
    own_input_ = own;
    batch_ = batch;
    scratch_.release();
    scratch_batch_ = 0;
}

void OpenCVEngine::take_output(const std::string &name, const std::vector<cv::Mat> &blobs, int batch,
                               Tensor &output) const {
    const cv::Mat *blob = blobs.empty() ? nullptr : &blobs[0];
    if (!blob || blob->type() != CV_32F || !blob->isContinuous() || blob->empty() ||
        blob->total() % static_cast<size_t>(batch) != 0) {
        fail(VISION_BAD_MODEL, "output %s of the network is no block of floats", name.c_str());
    }
    output.name = name;
    output.data = blob->ptr<float>();
    output.shape.assign(blob->size.p, blob->size.p + blob->dims);
    output.size = blob->total();
}

std::unique_ptr<Engine> load_opencv(const NetworkFiles &files) {
    prepare_opencv();
    return std::make_unique<OpenCVEngine>(files, read_network(files));
}

}  // namespace vision
