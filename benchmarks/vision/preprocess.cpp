// What becomes of a picture before its network sees it: OpenCV's calls one after the other, and the core's one pass, in
// turns.
//   preprocess ROUNDS    prints a line for each size, format and network input: medians of rounds in milliseconds
#include "../../Sources/CVision/preprocess.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <opencv2/imgproc.hpp>
#include <random>
#include <vector>

#include "../../Sources/CVision/mat.hpp"

namespace {

using namespace vision;

/// As the core did it before: each step over the whole picture, with memory that is kept.
class Steps {
  public:
    void write(const vision_settings &settings, const vision_image &image, float *to) {
        cv::Mat pixels;
        if (image.layout == Layout::bgr) {
            pixels = mat(image);
        } else {
            const cv::Mat planes(image.height * 3 / 2, image.width, CV_8UC1, image.buffer.data());
            const int code = image.layout == Layout::nv12 ? cv::COLOR_YUV2BGR_NV12 : cv::COLOR_YUV2BGR_I420;
            cv::cvtColor(planes, converted_, code);
            pixels = converted_;
        }
        cv::resize(pixels, scaled_, {settings.input_width, settings.input_height}, 0, 0, cv::INTER_LINEAR);
        if (settings.channels == VISION_CHANNELS_GRAY) {
            planes_.resize(1);
            cv::cvtColor(scaled_, planes_[0], cv::COLOR_BGR2GRAY);
        } else {
            cv::split(scaled_, planes_);
        }
        for (size_t c = 0; c < planes_.size(); c++, to += settings.input_width * settings.input_height) {
            cv::Mat plane(settings.input_height, settings.input_width, CV_32F, to);
            planes_[c].convertTo(plane, CV_32F, settings.scale[c], -settings.mean[c] * settings.scale[c]);
        }
    }

  private:
    cv::Mat converted_, scaled_;
    std::vector<cv::Mat> planes_;
};

template <typename Work>
double milliseconds(Work work) {
    constexpr int times = 10;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times; i++) work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / times;
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

void measure(int width, int height, Layout layout, const char *format, int side, vision_channels channels, int rounds) {
    vision_image image(width, height, layout);
    std::minstd_rand random(1);
    for (size_t i = 0; i < image.buffer.size(); i++) image.buffer.data()[i] = static_cast<uint8_t>(random() >> 8);
    vision_settings settings{};
    settings.input_width = settings.input_height = side;
    settings.channels = channels;
    for (float &scale : settings.scale) scale = 1 / 255.0f;
    Preprocess preprocess(settings);
    const Placement whole = preprocess.place({&image, 0, 0, 0, 0, 0, 0});
    std::vector<float> input(preprocess.shape().size());
    Steps steps;
    std::vector<double> before, now, ratios;
    for (int round = 0; round <= rounds; round++) {
        const double a = milliseconds([&] { steps.write(settings, image, input.data()); });
        const double b = milliseconds([&] { preprocess.write(image, whole, input.data()); });
        // The first one allocates.
        if (round == 0) continue;
        before.push_back(a), now.push_back(b), ratios.push_back(a / b);
    }
    std::printf("%d x %d %s to %d x %d %s|%.3f|%.3f|%.2f\n", width, height, format, side, side,
                channels == VISION_CHANNELS_GRAY ? "grey" : "BGR", median(before), median(now), median(ratios));
}

}  // namespace

int main(int count, char **arguments) {
    const int rounds = count > 1 ? std::max(std::atoi(arguments[1]), 1) : 7;
    prepare_opencv();
    for (const auto &[width, height] : {std::pair{640, 480}, {1280, 720}, {1920, 1080}}) {
        measure(width, height, Layout::bgr, "BGR", 320, VISION_CHANNELS_BGR, rounds);
        measure(width, height, Layout::nv12, "NV12", 320, VISION_CHANNELS_BGR, rounds);
        measure(width, height, Layout::i420, "I420", 320, VISION_CHANNELS_BGR, rounds);
    }
    measure(640, 480, Layout::bgr, "BGR", 227, VISION_CHANNELS_BGR, rounds);
    measure(640, 480, Layout::bgr, "BGR", 320, VISION_CHANNELS_GRAY, rounds);
    measure(60, 90, Layout::bgr, "BGR", 32, VISION_CHANNELS_GRAY, rounds);
    return 0;
}
