// OpenVINO against OpenCV's own layers. Where its library is not found there is nothing to compare.
#include <dlfcn.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "networks.hpp"
#include "test.h"

// TBB opens a library of its own in a way (RTLD_DEEPBIND) that the address sanitizer does not take.
extern "C" void *__interceptor_dlopen(const char *file, int flags);
extern "C" void *dlopen(const char *file, int flags) noexcept {
    return __interceptor_dlopen(file, flags & ~RTLD_DEEPBIND);
}

namespace {

using namespace vision_tests;

constexpr const char *variable = "FRAMEMESH_OPENVINO";

std::string why_not() {
    vision_error error{};
    return vision_engine_check(VISION_ENGINE_OPENVINO, &error) ? "" : error.text;
}

/// Before it is loaded: what is no OpenVINO is refused in words, and the next try may find it.
void refuse_other_libraries() {
    const char *given = std::getenv(variable);
    const std::string before = given ? given : "";
    const auto expect = [](const char *place, const char *words) {
        setenv(variable, place, 1);
        const std::string why = why_not();
        EXPECT(why.find(words) != std::string::npos, "no '%s' in: %s", words, why.c_str());
    };
    expect("/nonexistent", "FRAMEMESH_OPENVINO names /nonexistent, where there is no libopenvino_c.so");
    expect("/etc/passwd", "OpenVINO is not here: /etc/passwd: ");
    expect("/proc/self/exe", "OpenVINO is not here: ");
    if (given) {
        setenv(variable, before.c_str(), 1);
    } else {
        unsetenv(variable);
    }
}

void compare(const Network &network) {
    const Outcome reference = outcome(VISION_ENGINE_OPENCV, network);
    EXPECT(reference.refused.empty(), "%s: %s", network.name.c_str(), reference.refused.c_str());
    const auto engine = load_engine(VISION_ENGINE_OPENVINO, network.files());
    expect_equal(run(*engine, network.input, 1, 1), reference.outputs, network.name);
    // A batch, which is as many passes, and singles between batches of other sizes.
    for (const int batch : {3, 1, 2, 5}) {
        const std::vector<Output> many = run(*engine, network.input, batch, 1);
        for (size_t i = 0; i < many.size() && i < reference.outputs.size(); i++) {
            const Output &single = reference.outputs[i];
            EXPECT(many[i].shape[0] == batch * single.shape[0] &&
                       many[i].values.size() == single.values.size() * static_cast<size_t>(batch),
                   "%s: a batch of %d has another shape", network.name.c_str(), batch);
            // The first picture of a batch is the same for each size.
            for (size_t k = 0; k < std::min(single.values.size(), many[i].values.size()); k++) {
                if (close(many[i].values[k], single.values[k])) continue;
                EXPECT(false, "%s: batch of %d, [%zu] is %g, not %g", network.name.c_str(), batch, k,
                       static_cast<double>(many[i].values[k]), static_cast<double>(single.values[k]));
                break;
            }
        }
        std::vector<float> last(network.input.size());
        float *input = engine->input(batch);
        fill(input, network.input.size() * static_cast<size_t>(batch), 9);
        std::copy_n(input + network.input.size() * static_cast<size_t>(batch - 1), last.size(), last.begin());
        std::vector<std::vector<float>> parts;
        for (const Tensor &tensor : engine->run()) {
            const float *slot = tensor.slot(batch - 1, batch);
            parts.emplace_back(slot, slot + tensor.size / static_cast<size_t>(batch));
        }
        std::copy(last.begin(), last.end(), engine->input(1));
        const std::vector<Tensor> &alone = engine->run();
        for (size_t i = 0; i < parts.size(); i++) {
            EXPECT(parts[i] == std::vector<float>(alone[i].data, alone[i].data + alone[i].size),
                   "%s: the last of %d is not what it is alone", network.name.c_str(), batch);
        }
    }
}

void expect_refused(const Network &network, const char *words) {
    const Outcome answer = outcome(VISION_ENGINE_OPENVINO, network);
    EXPECT(answer.refused.find(words) != std::string::npos, "no '%s' in: %s", words, answer.refused.c_str());
}

/// An answer without sides, which a decoder would look at the last one of.
void refuse_one_number(const std::string &network) {
    expect_refused({"one number", network, "", {3, 16, 16}}, "output number of the network has no shape: it is one number");
}

/// Whatever is in the file, it is an answer or an error.
void survive_damage(const Network &whole, int times) {
    std::minstd_rand random(11);
    int loaded = 0;
    for (int i = 0; i < times; i++) {
        Network network = whole;
        const size_t at = random() % network.text.size();
        network.text[at] = static_cast<char>(network.text[at] ^ (1 << random() % 8));
        loaded += outcome(VISION_ENGINE_OPENVINO, network).refused.empty();
    }
    EXPECT(loaded > 0 && loaded < times, "%d of %d were loaded", loaded, times);
}

void run_side_by_side(const Network &network) {
    const std::vector<Output> expected = outcome(VISION_ENGINE_OPENCV, network).outputs;
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++) {
        threads.emplace_back([&] {
            try {
                const auto engine = load_engine(VISION_ENGINE_OPENVINO, network.files());
                for (int times = 0; times < 20; times++) {
                    const std::vector<Output> outputs = run(*engine, network.input, 1, 1);
                    for (size_t v = 0; v < expected[0].values.size(); v++) {
                        wrong += !close(outputs[0].values[v], expected[0].values[v]);
                    }
                }
            } catch (const std::exception &) {
                wrong++;
            }
        });
    }
    for (std::thread &thread : threads) thread.join();
    EXPECT(wrong == 0, "%d numbers differ between threads", wrong.load());
}

}  // namespace

extern "C" void test_openvino(const char *fixtures, const char *bundled, const char *models) {
    refuse_other_libraries();
    const std::string why = why_not();
    if (!why.empty()) {
        printf("SKIPPED: OpenVINO: %s\n", why.c_str());
        return;
    }
    const auto network = [](const std::string &folder, const char *name, InputShape input, const char *outputs) {
        return Network{name, read_file(folder + "/" + name), "", input, outputs};
    };
    const Network cells = network(fixtures, "bright-cells.onnx", {3, 32, 32}, "grid");
    try {
        compare(cells);
        compare(network(bundled, "digits-detector.onnx", {1, 240, 320}, "grid"));
        compare(network(bundled, "digits-classifier.onnx", {1, 32, 32}, "logits"));
        if (*models) {
            compare(network(models, "FastestDet.onnx", {3, 352, 352}, "758"));
            compare(network(models, "ultraface-RFB-320.onnx", {3, 240, 320}, "boxes\nscores"));
            compare(network(models, "squeezenet_v1.1.onnx", {3, 227, 227}, "prob"));
        } else {
            printf("SKIPPED: published networks on OpenVINO, there is no ../shared/models\n");
        }
    } catch (const std::exception &error) {
        EXPECT(false, "%s", error.what());
    }
    Network other = cells;
    other.outputs = "nothing";
    expect_refused(other, "no layer nothing");
    other = cells;
    other.text.resize(other.text.size() / 2);
    expect_refused(other, "OpenVINO: ");
    other.text.clear();
    expect_refused(other, "no layers");
    other = cells;
    other.input.channels = 4;
    expect_refused(other, "OpenVINO: ");
    other = cells;
    other.format = VISION_DARKNET;
    expect_refused(other, "reads ONNX, and the network is Darknet's");
    refuse_one_number(read_file(std::string(fixtures) + "/one-number.onnx"));
    survive_damage(cells, 100);
    run_side_by_side(cells);
}
