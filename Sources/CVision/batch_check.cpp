#include "batch_check.hpp"

#include <cmath>
#include <random>

namespace vision {
namespace {

constexpr float absolute_tolerance = 1e-3f, relative_tolerance = 1e-3f;

using Values = std::vector<std::vector<float>>;

/// Noise about as large as normalised pixels; each picture another one.
void fill(float *to, size_t count, unsigned seed) {
    std::minstd_rand random(seed);
    for (size_t i = 0; i < count; i++) to[i] = static_cast<float>(random() % 2001) / 1000 - 1;
}

Values copy(const std::vector<Tensor> &tensors) {
    Values all;
    for (const Tensor &tensor : tensors) all.emplace_back(tensor.data, tensor.data + tensor.size);
    return all;
}

bool equal(const float *a, const std::vector<float> &b) {
    for (size_t i = 0; i < b.size(); i++) {
        const float distance = std::abs(a[i] - b[i]);
        if (!(distance <= absolute_tolerance + relative_tolerance * std::abs(b[i]))) return false;
    }
    return true;
}

}  // namespace

bool batch_equals_singles(Engine &engine, InputShape shape, int batch) {
    std::vector<Values> singles;
    for (int i = 0; i < batch; i++) {
        fill(engine.input(1), shape.size(), static_cast<unsigned>(i + 1));
        singles.push_back(copy(engine.run()));
    }
    float *input = engine.input(batch);
    for (int i = 0; i < batch; i++) {
        fill(input + static_cast<size_t>(i) * shape.size(), shape.size(), static_cast<unsigned>(i + 1));
    }
    const std::vector<Tensor> &outputs = engine.run();
    for (size_t output = 0; output < outputs.size(); output++) {
        for (int i = 0; i < batch; i++) {
            const std::vector<float> &single = singles[static_cast<size_t>(i)][output];
            if (outputs[output].size != single.size() * static_cast<size_t>(batch)) return false;
            if (!equal(outputs[output].slot(i, batch), single)) return false;
        }
    }
    return true;
}

}  // namespace vision
