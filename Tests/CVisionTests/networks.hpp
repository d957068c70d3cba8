// Networks, and what engines answer for them.
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "../../Sources/CVision/engine.hpp"
#include "test.h"

namespace vision_tests {

using namespace vision;

constexpr float tolerance = 1e-4f;
/// Rounding among numbers that have grown out of all proportion says nothing.
constexpr float largest_compared = 1e6f;

struct Network {
    std::string name;
    std::string text;
    std::string weights;
    InputShape input;
    /// As `NetworkFiles` has them.
    std::string outputs = "";
    vision_network format = weights.empty() ? VISION_ONNX : VISION_DARKNET;

    NetworkFiles files() const { return {format, span(text), span(weights), outputs, input}; }
    static Span span(const std::string &bytes) {
        return {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()};
    }
};

struct Output {
    std::string name;
    std::vector<int> shape;
    std::vector<float> values;
};

/// What an engine answers, or why not.
struct Outcome {
    std::string refused;
    std::vector<Output> outputs;
};

inline void fill(float *to, size_t count, unsigned seed) {
    std::minstd_rand random(seed);
    for (size_t i = 0; i < count; i++) to[i] = static_cast<float>(random() % 2001) / 1000 - 1;
}

inline std::vector<Output> run(Engine &engine, InputShape shape, int batch, unsigned seed) {
    fill(engine.input(batch), shape.size() * static_cast<size_t>(batch), seed);
    std::vector<Output> outputs;
    for (const Tensor &tensor : engine.run()) {
        outputs.push_back({tensor.name, tensor.shape, {tensor.data, tensor.data + tensor.size}});
    }
    return outputs;
}

inline Outcome outcome(vision_engine kind, const Network &network) {
    try {
        const auto engine = load_engine(kind, network.files());
        return {"", run(*engine, network.input, 1, 1)};
    } catch (const std::exception &error) {
        return {error.what(), {}};
    }
}

inline bool close(float a, float b) {
    if (!std::isfinite(b) || std::abs(b) > largest_compared) return true;
    return std::abs(a - b) <= tolerance * std::max(1.0f, std::abs(b));
}

inline void expect_equal(const std::vector<Output> &fast, const std::vector<Output> &reference,
                         const std::string &what) {
    EXPECT(fast.size() == reference.size(), "%s: %zu outputs, not %zu", what.c_str(), fast.size(), reference.size());
    for (size_t i = 0; i < std::min(fast.size(), reference.size()); i++) {
        const Output &a = fast[i], &b = reference[i];
        EXPECT(a.name == b.name && a.shape == b.shape, "%s: output %s has another shape", what.c_str(), b.name.c_str());
        if (a.values.size() != b.values.size()) continue;
        for (size_t k = 0; k < a.values.size(); k++) {
            if (close(a.values[k], b.values[k])) continue;
            EXPECT(false, "%s: %s[%zu] is %g, not %g", what.c_str(), b.name.c_str(), k,
                   static_cast<double>(a.values[k]), static_cast<double>(b.values[k]));
            break;
        }
    }
}

/// As many random numbers as any of the Darknet networks of these tests needs, all above zero: some are variances.
inline std::string weights(unsigned seed) {
    std::minstd_rand random(seed);
    std::string bytes(20, '\0');
    bytes[4] = 2;
    for (int i = 0; i < 60000; i++) {
        const float value = static_cast<float>(random() % 1000 + 1) / 4000;
        bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
    }
    return bytes;
}

inline std::string net(const std::string &layers, int width = 32, int height = 24) {
    return "[net]\nwidth=" + std::to_string(width) + "\nheight=" + std::to_string(height) + "\nchannels=3\n" + layers;
}

inline std::string convolution(int filters, int size, const std::string &more = "", const std::string &bend = "leaky") {
    return "[convolutional]\nfilters=" + std::to_string(filters) + "\nsize=" + std::to_string(size) +
           "\nstride=1\npad=1\n" + more + "activation=" + bend + "\n";
}

inline std::string read_file(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace vision_tests
