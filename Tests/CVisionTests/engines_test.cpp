// Layers on oneDNN against OpenCV's own, on networks of every kind of layer that has a fast form, damaged ones, batches
// and threads. Built without oneDNN there is nothing to compare.
#include <dirent.h>

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../../Sources/CVision/guard.hpp"
#include "networks.hpp"
#include "test.h"

namespace {

using namespace vision;
using namespace vision_tests;

std::vector<Network> networks() {
    const std::string normal = "batch_normalize=1\n";
    const auto make = [](const std::string &name, const std::string &text) {
        return Network{name, text, weights(3), {3, 24, 32}};
    };
    std::vector<Network> all;
    all.push_back(make("residual", net(convolution(16, 3, normal) + convolution(16, 3, normal + "groups=16\n") +
                                       convolution(16, 1, normal, "linear") +
                                       "[shortcut]\nfrom=-3\nactivation=leaky\n" + convolution(24, 1, normal))));
    all.push_back(
        make("residual of what is added to", net(convolution(16, 3) + convolution(16, 3, normal, "linear") +
                                                 "[shortcut]\nfrom=-2\nactivation=leaky\n" + convolution(8, 1))));
    all.push_back(
        make("residual that others read too",
             net(convolution(16, 3) + convolution(16, 3, "", "linear") + "[shortcut]\nfrom=-2\nactivation=linear\n" +
                 convolution(16, 1) + "[route]\nlayers=-1,-4\n" + convolution(8, 1))));
    // What is added to is a part of a concatenation, which has readers afterwards.
    all.push_back(make("residual that lies in what others read",
                       net(convolution(16, 3) + convolution(16, 3) + convolution(16, 3) + "[route]\nlayers=-1,-2\n" +
                           "[route]\nlayers=0\n" + convolution(16, 3, "", "linear") +
                           "[shortcut]\nfrom=-5\nactivation=linear\n" + "[route]\nlayers=-1,3\n" + convolution(8, 1))));
    for (const char *bend : {"relu", "swish", "mish", "logistic", "leaky", "linear"}) {
        all.push_back(make(bend, net(convolution(5, 3, normal, bend) + convolution(19, 3, "", bend))));
    }
    all.push_back(make("concatenation in whole blocks",
                       net(convolution(32, 3) + convolution(16, 3) + "[route]\nlayers=-1,-2\n" + convolution(16, 1))));
    all.push_back(make("concatenation of odd channels", net(convolution(5, 3) + convolution(7, 3) + convolution(3, 1) +
                                                            "[route]\nlayers=-1,-3,-2\n" + convolution(9, 3))));
    all.push_back(
        make("pools and enlargement", net(convolution(12, 3) + "[maxpool]\nsize=2\nstride=2\n" + convolution(20, 3) +
                                          "[maxpool]\nsize=5\nstride=1\n" + "[upsample]\nstride=2\n" +
                                          "[route]\nlayers=-1,-5\n" + convolution(4, 1))));
    all.push_back(make("parts of channels", net(convolution(16, 3) + "[route]\nlayers=-1\ngroups=2\ngroup_id=1\n" +
                                                convolution(8, 3) + "[route]\nlayers=-1,-3\n")));
    all.push_back(make("classifier", net(convolution(10, 3) + "[avgpool]\n[softmax]\n")));
    all.push_back(make("strides", net("[convolutional]\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
                                      "[convolutional]\nfilters=16\nsize=5\nstride=3\npad=0\nactivation=relu\n")));
    all.push_back(make("boxes", net(convolution(18, 1, "", "linear") +
                                    "[yolo]\nmask=0,1,2\nanchors=3,4,5,6,7,8\nclasses=1\nnum=3\n")));
    // OpenCV's own in the middle.
    all.push_back(make("reorganisation", net(convolution(8, 3) + "[reorg]\nstride=2\n" + convolution(8, 1))));
    all.push_back(make("dropout", net(convolution(8, 3) + "[dropout]\nprobability=.5\n" + convolution(8, 1))));
    all.push_back(make(
        "shortcut to other channels",
        net(convolution(8, 3) + convolution(4, 3) + "[shortcut]\nfrom=-2\nactivation=linear\n" + convolution(4, 1))));
    return all;
}

void compare(const Network &network) {
    const Outcome reference = outcome(VISION_ENGINE_OPENCV, network);
    EXPECT(reference.refused.empty(), "%s: %s", network.name.c_str(), reference.refused.c_str());
    try {
        const auto fast = load_engine(VISION_ENGINE_OPENCV_ONEDNN, network.files());
        EXPECT(fast->description().compare(0, 2, "0 ") != 0, "%s has no fast layers", network.name.c_str());
        expect_equal(run(*fast, network.input, 1, 1), reference.outputs, network.name);
        // Again, with other numbers in between.
        run(*fast, network.input, 1, 2);
        expect_equal(run(*fast, network.input, 1, 1), reference.outputs, network.name + ", again");
    } catch (const std::exception &error) {
        EXPECT(false, "%s: %s", network.name.c_str(), error.what());
    }
}

/// Batches give what singles give, or are refused, and singles go on.
void compare_batches(const Network &network, bool must_run) {
    const auto fast = load_engine(VISION_ENGINE_OPENCV_ONEDNN, network.files());
    const std::vector<Output> one = run(*fast, network.input, 1, 1);
    // More sizes than stay compiled, and some of them again.
    for (const int batch : {3, 2, 5, 3, 4, 6, 2, 3}) {
        bool ran = false;
        try {
            const auto reference = load_engine(VISION_ENGINE_OPENCV, network.files());
            const std::vector<Output> many = run(*fast, network.input, batch, 5);
            ran = true;
            expect_equal(many, run(*reference, network.input, batch, 5), network.name + ", batch");
        } catch (const Failure &refused) {
            EXPECT(refused.text.find("one picture only") != std::string::npos, "%s", refused.what());
        }
        EXPECT(ran || !must_run, "%s: a batch of %d was refused", network.name.c_str(), batch);
        expect_equal(run(*fast, network.input, 1, 1), one, network.name + ", single after a batch");
    }
}

/// What OpenCV refuses is refused, and all else is the same, whatever is in the file.
void compare_damaged(const Network &whole, int times) {
    std::minstd_rand random(11);
    int loaded = 0;
    for (int i = 0; i < times; i++) {
        Network network = whole;
        const size_t at = random() % network.text.size();
        network.text[at] = static_cast<char>(network.text[at] ^ (1 << random() % 8));
        const Outcome reference = outcome(VISION_ENGINE_OPENCV, network);
        const Outcome fast = outcome(VISION_ENGINE_OPENCV_ONEDNN, network);
        const std::string what = whole.name + ", bit at " + std::to_string(at);
        EXPECT(fast.refused.empty() == reference.refused.empty(), "%s: '%s', but '%s'", what.c_str(),
               fast.refused.c_str(), reference.refused.c_str());
        if (fast.refused.empty() && reference.refused.empty()) {
            loaded++;
            expect_equal(fast.outputs, reference.outputs, what);
        }
    }
    EXPECT(loaded > 0 && loaded < times, "%s: %d of %d were loaded", whole.name.c_str(), loaded, times);
}

int threads_of_this_process() {
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    while (const dirent *entry = readdir(folder)) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/// Engines of both kinds are loaded and run side by side: each stays what it is, and none starts threads.
void compare_threads(const Network &network) {
    const std::vector<Output> expected = outcome(VISION_ENGINE_OPENCV, network).outputs;
    const int before = threads_of_this_process();
    constexpr int workers = 4;
    std::atomic<int> running{workers}, seen{0}, wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < workers; i++) {
        threads.emplace_back([&, i] {
            try {
                const bool fast = i % 2 == 1;
                for (int times = 0; times < 5; times++) {
                    const auto engine =
                        load_engine(fast ? VISION_ENGINE_OPENCV_ONEDNN : VISION_ENGINE_OPENCV, network.files());
                    const bool has_fast_layers = engine->description().find("on oneDNN") != std::string::npos;
                    wrong += has_fast_layers != fast;
                    const std::vector<Output> outputs = run(*engine, network.input, 1, 1);
                    for (size_t k = 0; k < outputs.size(); k++) {
                        // The plain ones are the very same, not only close.
                        if (!fast) wrong += outputs[k].values != expected[k].values;
                        for (size_t v = 0; v < outputs[k].values.size(); v++) {
                            wrong += !close(outputs[k].values[v], expected[k].values[v]);
                        }
                    }
                }
            } catch (const std::exception &) {
                wrong++;
            }
            running--;
            while (running > 0) std::this_thread::yield();
            if (i == 0) seen = threads_of_this_process();
            running--;
            while (running > -workers) std::this_thread::yield();
        });
    }
    for (std::thread &thread : threads) thread.join();
    EXPECT(wrong == 0, "%d answers differ between threads", wrong.load());
    EXPECT(seen == before + workers, "%d threads, not %d", seen.load(), before + workers);
}

/// The same weights in three formats: every engine has the same answers, and damaged files are refused alike.
void compare_formats(const std::string &fixtures, const std::string &bundled) {
    const InputShape input{1, 32, 32};
    const Network onnx{"digits in ONNX", read_file(bundled + "/digits-keras.onnx"), "", input};
    const Outcome expected = outcome(VISION_ENGINE_OPENCV, onnx);
    const std::string caffe = fixtures + "/digits-keras";
    for (const Network &network :
         {Network{"digits in TensorFlow", read_file(bundled + "/digits-keras.pb"), "", input, "", VISION_TENSORFLOW},
          Network{"digits in Caffe", read_file(caffe + ".prototxt"), read_file(caffe + ".caffemodel"), input, "",
                  VISION_CAFFE}}) {
        compare(network);
        compare_batches(network, true);
        compare_damaged(network, 60);
        Outcome found = outcome(VISION_ENGINE_OPENCV, network);
        EXPECT(found.refused.empty() && found.outputs.size() == 1, "%s: %s", network.name.c_str(),
               found.refused.c_str());
        // Each format has its own names.
        for (size_t i = 0; i < std::min(found.outputs.size(), expected.outputs.size()); i++) {
            found.outputs[i].name = expected.outputs[i].name;
        }
        expect_equal(found.outputs, expected.outputs, network.name);
        for (const size_t half : {size_t{0}, network.text.size() / 2}) {
            Network cut = network;
            cut.text.resize(half);
            const Outcome refused = outcome(VISION_ENGINE_OPENCV, cut);
            EXPECT(!refused.refused.empty(), "%s, %zu bytes of it, was read", network.name.c_str(), half);
        }
        // One format is not another.
        for (const vision_network other : {VISION_DARKNET, VISION_ONNX, VISION_TENSORFLOW, VISION_CAFFE}) {
            if (other == network.format) continue;
            Network wrong = network;
            wrong.format = other;
            EXPECT(!outcome(VISION_ENGINE_OPENCV, wrong).refused.empty(), "%s was read as format %d",
                   network.name.c_str(), static_cast<int>(other));
        }
    }
}

void compare_real_models(const std::string &folder, const std::string &bundled) {
    const auto add = [&](const std::string &place, const char *network, const char *weights, InputShape input,
                         bool batches) {
        const Network whole{network, read_file(place + "/" + network), weights ? read_file(place + "/" + weights) : "",
                            input};
        EXPECT(!whole.text.empty(), "%s/%s cannot be read", place.c_str(), network);
        compare(whole);
        compare_batches(whole, batches);
    };
    add(bundled, "digits-detector.onnx", nullptr, {1, 240, 320}, true);
    add(bundled, "digits-classifier.onnx", nullptr, {1, 32, 32}, true);
    add(bundled, "digits-keras.onnx", nullptr, {1, 32, 32}, true);
    if (folder.empty()) {
        printf("SKIPPED: published networks, there is no ../shared/models\n");
        return;
    }
    add(folder, "yolo-fastest-1.1.cfg", "yolo-fastest-1.1.weights", {3, 320, 320}, true);
    add(folder, "yolo-fastest-1.1-xl.cfg", "yolo-fastest-1.1-xl.weights", {3, 320, 320}, true);
    add(folder, "FastestDet.onnx", nullptr, {3, 352, 352}, false);
    add(folder, "ultraface-RFB-320.onnx", nullptr, {3, 240, 320}, false);
    add(folder, "squeezenet_v1.1.onnx", nullptr, {3, 227, 227}, true);
}

}  // namespace

extern "C" void test_engines(const char *fixtures, const char *bundled, const char *models) {
    vision_error error{};
    if (!vision_engine_check(VISION_ENGINE_OPENCV_ONEDNN, &error)) {
        printf("SKIPPED: layers on oneDNN: %s\n", error.text);
        return;
    }
    const std::vector<Network> all = networks();
    for (const Network &network : all) {
        compare(network);
        compare_batches(network, false);
    }
    compare_batches(all.front(), true);
    compare_formats(fixtures, bundled);
    compare_real_models(models, bundled);
    const Network cells{"bright-cells", read_file(std::string(fixtures) + "/bright-cells.onnx"), "", {3, 32, 32}};
    compare(cells);
    for (const char *name : {"mean-colour.onnx", "mixes-batches.onnx", "many-layers.onnx"}) {
        const Network network{name, read_file(std::string(fixtures) + "/" + name), "", {3, 16, 16}};
        compare(network);
        compare_batches(network, false);
    }
    compare_damaged(cells, 150);
    compare_damaged(all.front(), 150);
    compare_threads(all.front());
}
