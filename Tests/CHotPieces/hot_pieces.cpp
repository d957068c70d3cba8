#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "../../Sources/CVision/decoder.hpp"
#include "../../Sources/CVision/image.hpp"
#include "../../Sources/CVision/nms.hpp"
#include "../../Sources/CVision/preprocess.hpp"
#include "CHotPieces.h"

using namespace vision;

__attribute__((noinline)) void hot_pieces_measured(size_t turns, void (*turn)(void *), void *context) {
    for (size_t i = 0; i < turns; i++) turn(context);
}

namespace {

constexpr uint8_t grey = 128;

vision_settings input_settings(int32_t side, vision_resize resize) {
    vision_settings settings{};
    settings.input_width = settings.input_height = side;
    settings.channels = VISION_CHANNELS_RGB;
    for (float &scale : settings.scale) scale = 1;
    settings.resize = resize;
    settings.class_count = 1;
    return settings;
}

}  // namespace

// ---- Preprocessing

struct hot_preprocess {
    hot_preprocess(vision_format format, int width, int height, const vision_settings &settings)
        : preprocess(settings),
          picture(width, height, format == VISION_NV12 ? Layout::nv12 : Layout::bgr),
          tensor(preprocess.shape().size()) {
        std::fill_n(picture.buffer.data(), picture.buffer.size(), grey);
    }

    Preprocess preprocess;
    vision_image picture;
    std::vector<float> tensor;
};

hot_preprocess *hot_preprocess_create(vision_format format, int32_t width, int32_t height, int32_t side,
                                      vision_resize resize) {
    return new hot_preprocess(format, width, height, input_settings(side, resize));
}

int64_t hot_preprocess_run(hot_preprocess *hot) {
    const vision_input input{&hot->picture, 0, 0, 0, 0, 0, 0};
    hot->preprocess.write(hot->picture, hot->preprocess.place(input), hot->tensor.data());
    const InputShape shape = hot->preprocess.shape();
    const auto width = static_cast<size_t>(shape.width);
    return std::lround(hot->tensor[width * static_cast<size_t>(shape.height) / 2 + width / 2]);
}

// ---- Suppression

struct hot_findings {
    std::vector<vision_finding> found, left;
};

hot_findings *hot_findings_create(size_t count) {
    constexpr size_t times = 9, in_a_row = 10, classes = 5;
    constexpr float side = 40, step = 2;
    auto hot = std::make_unique<hot_findings>();
    for (size_t i = 0; i < times * count; i++) {
        // In turns, so that sorting has something to do.
        const size_t object = i % count, again = i / count;
        const auto x = static_cast<float>(object % in_a_row) * 2 * side + static_cast<float>(again % 3) * step;
        const auto y = static_cast<float>(object / in_a_row) * 2 * side + static_cast<float>(again / 3) * step;
        const float confidence = 0.3f + 0.01f * static_cast<float>((7 * i) % 61);
        hot->found.push_back({0, static_cast<int32_t>(object % classes), confidence, x, y, side, side});
    }
    return hot.release();
}

int64_t hot_findings_suppress(hot_findings *hot) {
    hot->left = hot->found;
    suppress(hot->left, 0.45f);
    return static_cast<int64_t>(hot->left.size());
}

// ---- A detector's output

struct hot_grid {
    static constexpr int classes = 10;

    explicit hot_grid(int side)
        : settings(input_settings(8 * side, VISION_STRETCH)), picture(640, 480), preprocess(settings) {
        const auto cells = static_cast<size_t>(side) * static_cast<size_t>(side);
        values.assign((5 + classes) * cells, 0);
        for (size_t i = 0; i < cells; i++) {
            const bool is_object = i % 100 == 0;
            values[i] = is_object ? 3.0f : -6.0f;
            values[(5 + i % classes) * cells + i] = is_object ? 4.0f : 0.0f;
        }
        tensors = {{"grid", values.data(), {1, 5 + classes, side, side}, values.size()}};
        settings.class_count = classes;
        settings.activation = VISION_ACTIVATION_SOFTMAX;
        decoder = make_grid(settings);
    }

    vision_settings settings;
    vision_image picture;
    Preprocess preprocess;
    std::vector<float> values;
    std::vector<Tensor> tensors;
    std::unique_ptr<Decoder> decoder;
    std::vector<vision_finding> found;
};

hot_grid *hot_grid_create(int32_t side) {
    return new hot_grid(side);
}

int64_t hot_grid_decode(hot_grid *hot) {
    hot->found.clear();
    const vision_input input{&hot->picture, 0, 0, 0, 0, 0, 0};
    hot->decoder->decode({hot->tensors, 0, 1}, hot->preprocess.place(input), {0.25f, 0}, hot->found);
    return static_cast<int64_t>(hot->found.size());
}
