// The same pipeline (pipeline.hpp) as one would write it with nothing but OpenCV.
//   pipeline_opencv yolo-fastest-1.1|FastestDet MODELS JPEG…
#include <algorithm>
#include <cmath>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "pipeline.hpp"

namespace {

using namespace pipeline;

constexpr int class_count = 80;
constexpr float nms_iou = 0.45f;

class Network {
  public:
    Network(cv::dnn::Net net, int side, cv::Scalar mean, double scale, bool is_rgb)
        : net_(std::move(net)),
          names_(net_.getUnconnectedOutLayersNames()),
          side_(side),
          mean_(mean),
          scale_(scale),
          is_rgb_(is_rgb) {}

    std::vector<cv::Mat> run(const cv::Mat &picture, Stopwatch &watch, Times &times) {
        net_.setInput(cv::dnn::blobFromImage(picture, scale_, {side_, side_}, mean_, is_rgb_));
        times.preprocess += watch.lap();
        std::vector<cv::Mat> outputs;
        net_.forward(outputs, names_);
        times.infer += watch.lap();
        return outputs;
    }

  private:
    cv::dnn::Net net_;
    const std::vector<std::string> names_;
    const int side_;
    const cv::Scalar mean_;
    const double scale_;
    const bool is_rgb_;
};

/// Boxes before overlapping ones of a class are left out; relative to the picture.
class Candidates {
  public:
    explicit Candidates(float least) : least_(least) {}

    void add(int class_id, float confidence, float cx, float cy, float width, float height) {
        if (confidence < least_) return;
        // Those of different classes lie apart: NMSBoxes of OpenCV 4.6 knows no classes.
        apart_.emplace_back(cx - width / 2 + 10 * static_cast<float>(class_id), cy - height / 2, width, height);
        boxes_.push_back({class_id, cx - width / 2, cy - height / 2, width, height});
        confidences_.push_back(confidence);
    }

    std::vector<Box> strongest(cv::Size size) const {
        std::vector<int> kept;
        cv::dnn::NMSBoxes(apart_, confidences_, least_, nms_iou, kept);
        std::vector<Box> found;
        for (const int i : kept) {
            const Box &box = boxes_[static_cast<size_t>(i)];
            const float left = std::max(box.x, 0.0f), top = std::max(box.y, 0.0f);
            const float right = std::min(box.x + box.width, 1.0f), bottom = std::min(box.y + box.height, 1.0f);
            const auto wide = static_cast<float>(size.width), high = static_cast<float>(size.height);
            found.push_back({box.class_id, left * wide, top * high, (right - left) * wide, (bottom - top) * high});
        }
        return found;
    }

  private:
    const float least_;
    std::vector<cv::Rect2d> apart_;
    std::vector<Box> boxes_;
    std::vector<float> confidences_;
};

/// Rows of cx, cy, width, height, objectness, and a confidence for each class.
std::vector<Box> yolo(const std::vector<cv::Mat> &outputs, cv::Size size) {
    constexpr float least = 0.3f;
    Candidates candidates(least);
    for (const cv::Mat &output : outputs) {
        for (int i = 0; i < output.rows; i++) {
            const auto *row = output.ptr<float>(i);
            if (row[4] < least) continue;
            const float *best = std::max_element(row + 5, row + 5 + class_count);
            candidates.add(static_cast<int>(best - row) - 5, *best, row[0], row[1], row[2], row[3]);
        }
    }
    return candidates.strongest(size);
}

/// A grid: planes of objectness, dx, dy, width, height, and a probability for each class.
std::vector<Box> fastestdet(const std::vector<cv::Mat> &outputs, cv::Size size) {
    Candidates candidates(0.65f);
    const cv::Mat &grid = outputs.at(0);
    const int rows = grid.size[2], columns = grid.size[3];
    const auto sigmoid = [](float value) { return 1 / (1 + std::exp(-value)); };
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            const auto value = [&](int plane) { return grid.ptr<float>(0, plane, y)[x]; };
            int best = 0;
            for (int i = 1; i < class_count; i++) {
                if (value(5 + i) > value(5 + best)) best = i;
            }
            const float confidence = std::pow(value(0), 0.6f) * std::pow(value(5 + best), 0.4f);
            const float cx = (static_cast<float>(x) + std::tanh(value(1))) / static_cast<float>(columns);
            const float cy = (static_cast<float>(y) + std::tanh(value(2))) / static_cast<float>(rows);
            candidates.add(best, confidence, cx, cy, sigmoid(value(3)), sigmoid(value(4)));
        }
    }
    return candidates.strongest(size);
}

void run(const std::string &name, const std::string &models, std::vector<std::string> pictures) {
    cv::setNumThreads(1);
    const bool is_yolo = name == "yolo-fastest-1.1";
    const std::string path = models + "/" + name;
    Network detector(is_yolo ? cv::dnn::readNetFromDarknet(path + ".cfg", path + ".weights")
                             : cv::dnn::readNetFromONNX(path + ".onnx"),
                     is_yolo ? 320 : 352, {}, 1 / 255.0, is_yolo);
    Network classifier(cv::dnn::readNetFromONNX(models + "/squeezenet_v1.1.onnx"), 227, {104, 117, 123}, 1, false);
    serve(pictures, [&](const std::string &jpeg, Times &times) {
        times = {};
        Stopwatch watch;
        const cv::Mat bytes(1, static_cast<int>(jpeg.size()), CV_8U, const_cast<char *>(jpeg.data()));
        const cv::Mat picture = cv::imdecode(bytes, cv::IMREAD_COLOR);
        if (picture.empty()) throw std::runtime_error("this is no picture");
        times.decode = watch.lap();
        const std::vector<cv::Mat> heads = detector.run(picture, watch, times);
        Found found{0, is_yolo ? yolo(heads, picture.size()) : fastestdet(heads, picture.size())};
        times.postprocess = watch.lap();
        const cv::Mat scores = classifier.run(picture, watch, times).at(0).reshape(1, 1);
        found.top =
            static_cast<int>(std::max_element(scores.begin<float>(), scores.end<float>()) - scores.begin<float>());
        times.postprocess += watch.lap();
        return found;
    });
}

}  // namespace

int main(int count, char **arguments) {
    if (count < 4) {
        std::fprintf(stderr, "usage: pipeline_opencv yolo-fastest-1.1|FastestDet MODELS JPEG...\n");
        return 2;
    }
    try {
        std::vector<std::string> pictures;
        for (int i = 3; i < count; i++) pictures.push_back(read_file(arguments[i]));
        run(arguments[1], arguments[2], std::move(pictures));
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "pipeline_opencv: %s\n", error.what());
        return 1;
    }
}
