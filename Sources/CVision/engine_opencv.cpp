#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <sstream>

#include "engine.hpp"
#include "guard.hpp"

namespace vision {
namespace {

/// Darknet's region layers set scores at or below their `thresh` (0.2 where the file names none) to zero, and a tracker
/// asks for weaker boxes than that. So the sections that have no `thresh` get this one.
constexpr const char *region_threshold = "thresh=0.05\n";

std::string with_region_threshold(Span network) {
    std::istringstream lines(std::string(reinterpret_cast<const char *>(network.data), network.size));
    std::string text, line;
    while (std::getline(lines, line)) {
        text += line + "\n";
        if (line.rfind("[yolo]", 0) == 0) text += region_threshold;
    }
    return text;
}

cv::dnn::Net read(const NetworkFiles &files) {
    const auto *network = reinterpret_cast<const char *>(files.network.data);
    switch (files.kind) {
        case VISION_DARKNET: {
            const std::string text = with_region_threshold(files.network);
            return cv::dnn::readNetFromDarknet(text.data(), text.size(),
                                               reinterpret_cast<const char *>(files.weights.data), files.weights.size);
        }
        case VISION_ONNX:
            return cv::dnn::readNetFromONNX(network, files.network.size);
    }
    fail(VISION_BAD_MODEL, "network format %d is unknown", static_cast<int>(files.kind));
}

class OpenCVEngine : public Engine {
  public:
    explicit OpenCVEngine(const NetworkFiles &files) : shape_(files.input), net_(read(files)) {
        if (net_.empty()) fail(VISION_BAD_MODEL, "the network has no layers");
        net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        std::istringstream asked(files.outputs);
        std::string name;
        while (std::getline(asked, name)) {
            if (net_.getLayerId(name) < 0) fail(VISION_BAD_MODEL, "the network has no layer %s", name.c_str());
            names_.push_back(name);
        }
        if (names_.size() > 1) return;
        for (const std::string &unread : net_.getUnconnectedOutLayersNames()) names_.push_back(unread);
    }

    float *input(int batch) override {
        // The net's own input, once a run has allocated it: `setInput` would copy.
        if (batch == batch_) return own_input_.ptr<float>();
        if (batch != scratch_batch_) {
            const int sizes[] = {batch, shape_.channels, shape_.height, shape_.width};
            scratch_.create(4, sizes, CV_32F);
            scratch_batch_ = batch;
        }
        scratch_used_ = true;
        return scratch_.ptr<float>();
    }

    const std::vector<Tensor> &run() override {
        const int batch = scratch_used_ ? scratch_batch_ : batch_;
        if (scratch_used_) {
            batch_ = 0;
            net_.setInput(scratch_);
        }
        // Blobs alias the net's memory. The name "" is its input, asked for each time: other outputs mean a new set-up.
        net_.forward(blobs_, names_);
        if (scratch_used_) adopt_input(batch);
        scratch_used_ = false;
        outputs_.clear();
        for (size_t i = 1; i < names_.size(); i++) add_output(names_[i], blobs_[i], batch);
        return outputs_;
    }

  private:
    /// Only if it really is what `setInput` filled; otherwise every run goes through `setInput`.
    void adopt_input(int batch) {
        const cv::Mat &own = blobs_.at(0).at(0);
        if (own.type() != CV_32F || !own.isContinuous() || own.total() != scratch_.total()) return;
        own_input_ = own;
        batch_ = batch;
        scratch_.release();
        scratch_batch_ = 0;
    }

    void add_output(const std::string &name, const std::vector<cv::Mat> &blobs, int batch) {
        const cv::Mat *blob = blobs.empty() ? nullptr : &blobs[0];
        if (!blob || blob->type() != CV_32F || !blob->isContinuous() || blob->empty() ||
            blob->total() % static_cast<size_t>(batch) != 0) {
            fail(VISION_BAD_MODEL, "output %s of the network is no block of floats", name.c_str());
        }
        outputs_.push_back(
            {name, blob->ptr<float>(), std::vector<int>(blob->size.p, blob->size.p + blob->dims), blob->total()});
    }

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

}  // namespace

std::unique_ptr<Engine> load_opencv(const NetworkFiles &files) {
    // Parallel work is one net per thread. Its log would repeat on stderr what the exceptions say.
    static const bool quiet = [] {
        cv::setNumThreads(1);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        return true;
    }();
    static_cast<void>(quiet);
    return std::make_unique<OpenCVEngine>(files);
}

}  // namespace vision
