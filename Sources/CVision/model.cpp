#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "CVision.h"
#include "batch_check.hpp"
#include "decoder.hpp"
#include "engine.hpp"
#include "guard.hpp"
#include "nms.hpp"
#include "preprocess.hpp"

namespace vision {
namespace {

constexpr int max_input_side = 4096;
constexpr int max_classes = 100'000;

void check(const vision_settings &settings) {
    const auto side = [](int value, const char *name) {
        if (value < 1 || value > max_input_side)
            fail(VISION_BAD_MODEL, "input %s %d is not 1...%d", name, value, max_input_side);
    };
    side(settings.input_width, "width");
    side(settings.input_height, "height");
    if (settings.class_count < 1 || settings.class_count > max_classes) {
        fail(VISION_BAD_MODEL, "%d classes are not 1...%d", settings.class_count, max_classes);
    }
    if (settings.max_batch_size > VISION_MAX_BATCH_SIZE) {
        fail(VISION_BAD_MODEL, "max batch size %d exceeds the limit of %d", settings.max_batch_size,
             VISION_MAX_BATCH_SIZE);
    }
}

std::unique_ptr<Decoder> make_decoder(const vision_settings &settings, const vision_model_parts &parts) {
    switch (settings.decoder) {
        case VISION_DARKNET_REGION:
            return make_darknet_region(settings);
        case VISION_FASTESTDET:
            return make_fastestdet(settings);
        case VISION_ULTRAFACE: {
            std::vector<vision_prior> priors(parts.priors, parts.priors + parts.prior_count);
            for (const vision_prior &prior : priors) {
                if (prior.stride < 1) fail(VISION_BAD_MODEL, "prior stride %d is less than 1", prior.stride);
            }
            return make_ultraface(settings, std::move(priors));
        }
        case VISION_GRID:
            return make_grid(settings);
        case VISION_CLASSIFIER:
            return make_classifier(settings);
    }
    fail(VISION_BAD_MODEL, "decoder %d is unknown", static_cast<int>(settings.decoder));
}

class Stopwatch {
  public:
    /// Microseconds since the last lap.
    uint64_t lap() {
        const auto now = std::chrono::steady_clock::now();
        const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - last_);
        last_ = now;
        return static_cast<uint64_t>(passed.count());
    }

  private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace
}  // namespace vision

using namespace vision;

struct vision_model {
    vision_model(const vision_settings &settings, const vision_model_parts &parts)
        : settings(settings), preprocess(settings), decoder(make_decoder(settings, parts)) {
        const NetworkFiles files{settings.network,
                                 {parts.network, parts.network_length},
                                 {parts.weights, parts.weights_length},
                                 parts.outputs ? parts.outputs : "",
                                 preprocess.shape()};
        engine = load_engine(settings.engine, files);
        max_batch_size = std::max(settings.max_batch_size, 1);
        if (max_batch_size > 1 && !batches_well(max_batch_size)) {
            max_batch_size = 1;
            engine = load_engine(settings.engine, files);
        }
        try_outputs();
        description = engine->description();
    }

    void run(const vision_input *inputs, size_t count, vision_result &result) {
        findings.clear();
        result = {};
        for (size_t first = 0; first < count; first += static_cast<size_t>(max_batch_size)) {
            run_batch(inputs, first, std::min(count - first, static_cast<size_t>(max_batch_size)), result);
        }
        result.findings = findings.data();
        result.count = findings.size();
    }

    int max_batch_size = 1;
    std::string description;

  private:
    bool batches_well(int batch) {
        try {
            return batch_equals_singles(*engine, preprocess.shape(), 2) &&
                   (batch == 2 || batch_equals_singles(*engine, preprocess.shape(), batch));
        } catch (const std::exception &) {
            return false;
        }
    }

    /// Finds a manifest that does not fit its network now, not at the first picture.
    void try_outputs() {
        const vision_image black(1, 1);
        std::fill_n(black.buffer.data(), black.buffer.size(), uint8_t{0});
        const vision_input input{&black, 0, 0, 0, 0, 0, 0};
        vision_result result;
        run(&input, 1, result);
    }

    void run_batch(const vision_input *inputs, size_t first, size_t count, vision_result &result) {
        Stopwatch watch;
        const auto batch = static_cast<int>(count);
        placements.clear();
        for (size_t i = 0; i < count; i++) placements.push_back(preprocess.place(inputs[first + i]));
        float *to = engine->input(batch);
        for (size_t i = 0; i < count; i++, to += preprocess.shape().size()) {
            preprocess.write(*inputs[first + i].image, placements[i], to);
        }
        result.preprocess_microseconds += watch.lap();
        const std::vector<Tensor> &tensors = engine->run();
        result.infer_microseconds += watch.lap();
        for (int i = 0; i < batch; i++) {
            const size_t input = first + static_cast<size_t>(i);
            decode({tensors, i, batch}, inputs[input], static_cast<int>(input));
        }
        result.postprocess_microseconds += watch.lap();
    }

    void decode(const Outputs &outputs, const vision_input &input, int index) {
        const Wanted wanted{input.min_confidence > 0 ? input.min_confidence : settings.min_confidence,
                            input.top_k > 0 ? input.top_k : settings.top_k};
        candidates.clear();
        decoder->decode(outputs, placements[static_cast<size_t>(outputs.index)], wanted, candidates);
        if (decoder->finds_boxes()) suppress(candidates, settings.nms_iou);
        for (vision_finding &finding : candidates) {
            finding.input = index;
            findings.push_back(finding);
        }
    }

    const vision_settings settings;
    Preprocess preprocess;
    std::unique_ptr<Decoder> decoder;
    std::unique_ptr<Engine> engine;
    std::vector<Placement> placements;
    std::vector<vision_finding> candidates;
    std::vector<vision_finding> findings;
};

vision_model *vision_model_create(vision_settings settings, vision_model_parts parts, vision_error *error) {
    return guarded<vision_model *>(error, VISION_BAD_MODEL, nullptr, [&] {
        check(settings);
        return new vision_model(settings, parts);
    });
}

void vision_model_free(vision_model *model) {
    delete model;
}

int32_t vision_model_max_batch_size(const vision_model *model) {
    return model->max_batch_size;
}

const char *vision_model_engine_description(const vision_model *model) {
    return model->description.c_str();
}

bool vision_model_run(vision_model *model, const vision_input *inputs, size_t count, vision_result *result,
                      vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        model->run(inputs, count, *result);
        return true;
    });
}
