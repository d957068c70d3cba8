// The core's pipeline (pipeline.hpp) on one engine, through its C header, as a node calls it.
//   pipeline ENGINE yolo-fastest-1.1|FastestDet MODELS JPEG…
#include "pipeline.hpp"

#include <stdexcept>

#include "CVision.h"

namespace {

using namespace pipeline;

constexpr vision_limits limits{100'000'000, 20'000};

/// What fails fills it, and then the run ends.
struct Failure {
    vision_error error{};

    void require(bool succeeded) const {
        if (!succeeded) throw std::runtime_error(error.text);
    }
};

class Image {
  public:
    explicit Image(const std::string &jpeg) {
        Failure failure;
        const auto *bytes = reinterpret_cast<const uint8_t *>(jpeg.data());
        image_ = vision_image_decode(bytes, jpeg.size(), limits, &failure.error);
        failure.require(image_);
    }
    ~Image() { vision_image_free(image_); }
    Image(const Image &) = delete;

    operator const vision_image *() const { return image_; }

  private:
    vision_image *image_;
};

class Model {
  public:
    /// `weights`: of Darknet's networks, else empty.
    Model(const vision_settings &settings, const std::string &network, const std::string &weights,
          const char *outputs) {
        const std::string first = read_file(network), second = weights.empty() ? "" : read_file(weights);
        const auto bytes = [](const std::string &text) { return reinterpret_cast<const uint8_t *>(text.data()); };
        const vision_model_parts parts{bytes(first), first.size(), bytes(second), second.size(), outputs, nullptr, 0};
        Failure failure;
        model_ = vision_model_create(settings, parts, &failure.error);
        failure.require(model_);
    }
    ~Model() { vision_model_free(model_); }
    Model(const Model &) = delete;

    vision_result run(const Image &image, Times &times) {
        const vision_input input{image, 0, 0, 0, 0, 0, 0};
        vision_result result;
        Failure failure;
        failure.require(vision_model_run(model_, &input, 1, &result, &failure.error));
        times.preprocess += static_cast<double>(result.preprocess_microseconds) / 1000;
        times.infer += static_cast<double>(result.infer_microseconds) / 1000;
        times.postprocess += static_cast<double>(result.postprocess_microseconds) / 1000;
        return result;
    }

  private:
    vision_model *model_;
};

vision_engine engine_named(const std::string &name) {
    if (name == "openvino") return VISION_ENGINE_OPENVINO;
    return name == "opencv+onednn" ? VISION_ENGINE_OPENCV_ONEDNN : VISION_ENGINE_OPENCV;
}

/// As the manifests have them.
vision_settings settings_of(const std::string &model, const std::string &engine) {
    vision_settings settings{};
    settings.engine = engine_named(engine);
    settings.nms_iou = 0.45f;
    settings.class_count = 80;
    for (float &scale : settings.scale) scale = 1 / 255.0f;
    if (model == "yolo-fastest-1.1") {
        settings.network = VISION_DARKNET;
        settings.input_width = settings.input_height = 320;
        settings.channels = VISION_CHANNELS_RGB;
        settings.decoder = VISION_DARKNET_REGION;
        settings.min_confidence = 0.3f;
    } else if (model == "FastestDet") {
        settings.network = VISION_ONNX;
        settings.input_width = settings.input_height = 352;
        settings.decoder = VISION_FASTESTDET;
        settings.min_confidence = 0.65f;
    } else {
        settings.network = VISION_ONNX;
        settings.input_width = settings.input_height = 227;
        settings.decoder = VISION_CLASSIFIER;
        settings.class_count = 1000;
        settings.top_k = 5;
        constexpr float mean[] = {104, 117, 123};
        for (int c = 0; c < 3; c++) settings.mean[c] = mean[c], settings.scale[c] = 1;
    }
    return settings;
}

void run(const std::string &engine, const std::string &name, const std::string &models,
         std::vector<std::string> pictures) {
    const bool is_yolo = name == "yolo-fastest-1.1";
    Model detector(settings_of(name, engine), models + "/" + name + (is_yolo ? ".cfg" : ".onnx"),
                   is_yolo ? models + "/" + name + ".weights" : "", is_yolo ? "yolo_121\nyolo_130" : "758");
    Model classifier(settings_of("squeezenet-1.1", engine), models + "/squeezenet_v1.1.onnx", "", "prob");
    serve(pictures, [&](const std::string &jpeg, Times &times) {
        times = {};
        Stopwatch watch;
        const Image image(jpeg);
        times.decode = watch.lap();
        const vision_result boxes = detector.run(image, times);
        const vision_result classes = classifier.run(image, times);
        Found found{classes.findings[0].class_id, {}};
        for (size_t i = 0; i < boxes.count; i++) {
            const vision_finding &box = boxes.findings[i];
            found.boxes.push_back({box.class_id, box.x, box.y, box.width, box.height});
        }
        return found;
    });
}

}  // namespace

int main(int count, char **arguments) {
    if (count < 5) {
        std::fprintf(stderr, "usage: pipeline ENGINE yolo-fastest-1.1|FastestDet MODELS JPEG...\n");
        return 2;
    }
    try {
        std::vector<std::string> pictures;
        for (int i = 4; i < count; i++) pictures.push_back(read_file(arguments[i]));
        run(arguments[1], arguments[2], arguments[3], std::move(pictures));
        return 0;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "pipeline: %s\n", error.what());
        return 1;
    }
}
