#include <algorithm>
#include <cstring>
#include <iterator>
#include <sstream>
#include <utility>

#include "../engine.hpp"
#include "../guard.hpp"
#include "../pool.hpp"
#include "library.hpp"

namespace vision {
namespace {

using namespace openvino;

/// Of the network's outputs, those that are asked for: all, where none is named.
std::vector<size_t> wanted_outputs(const Library &library, const Compiled *network, const std::string &names,
                                   std::vector<Tensor> &outputs) {
    size_t count = 0;
    library.check(library.outputs_size(network, &count));
    std::vector<std::string> all;
    for (size_t i = 0; i < count; i++) {
        Port *port = nullptr;
        library.check(library.output_port(network, i, &port));
        const OwnedPort owned(port);
        char *name = nullptr;
        library.check(library.port_name(port, &name));
        all.emplace_back(name ? name : "");
        library.text_free(name);
    }
    std::vector<size_t> wanted;
    std::istringstream asked(names);
    std::string name;
    while (std::getline(asked, name)) {
        const auto found = std::find(all.begin(), all.end(), name);
        if (found == all.end()) fail(VISION_BAD_MODEL, "the network has no layer %s as an output", name.c_str());
        wanted.push_back(static_cast<size_t>(found - all.begin()));
    }
    if (wanted.empty()) {
        for (size_t i = 0; i < count; i++) wanted.push_back(i);
    }
    if (wanted.empty()) fail(VISION_BAD_MODEL, "the network has no outputs");
    for (const size_t i : wanted) outputs.push_back({all[i], nullptr, {}, 0});
    return wanted;
}

/// A pass for each picture: whole batches take longer (SqueezeNet 3.8 to 4.7 ms a picture, for eight of them), and a
/// network is compiled for one size.
class OpenVINOEngine final : public Engine {
  public:
    OpenVINOEngine(const Library &library, InputShape shape, OwnedCompiled network, const std::string &outputs)
        : library_(library), shape_(shape), network_(std::move(network)) {
        wanted_ = wanted_outputs(library_, network_.get(), outputs, outputs_);
        Request *request = nullptr;
        library_.check(library_.create_request(network_.get(), &request));
        request_.reset(request);
        Memory *own = nullptr;
        library_.check(library_.get_input(request, &own));
        check_type(OwnedMemory(own).get(), "the network's input");
        gathered_.resize(wanted_.size());
        // What it is to answer is known after a pass.
        std::fill_n(input(1), shape_.size(), 0.0f);
        run();
    }

    float *input(int batch) override {
        batch_ = batch;
        const size_t count = shape_.size();
        const auto pictures = static_cast<size_t>(batch);
        if (pictures > slots_.size()) {
            // The memory before stays until the new one is bound: the request may still point there.
            Buffer pixels(pictures * count * sizeof(float));
            auto *first = reinterpret_cast<float *>(pixels.data());
            std::vector<OwnedMemory> slots;
            int64_t sides[] = {1, shape_.channels, shape_.height, shape_.width};
            for (size_t i = 0; i < pictures; i++) {
                Memory *slot = nullptr;
                library_.check(library_.memory_of(library_.f32, {4, sides}, first + i * count, &slot));
                slots.emplace_back(slot);
            }
            library_.check(library_.set_input(request_.get(), slots.front().get()));
            bound_ = 0;
            slots_ = std::move(slots);
            pixels_ = std::move(pixels);
        }
        return pixels();
    }

    const std::vector<Tensor> &run() override {
        for (int i = 0; i < batch_; i++) {
            if (bound_ != i) {
                library_.check(library_.set_input(request_.get(), slots_[static_cast<size_t>(i)].get()));
                bound_ = i;
            }
            library_.check(library_.infer(request_.get()));
            for (size_t output = 0; output < wanted_.size(); output++) take(output, i);
        }
        return outputs_;
    }

    std::string description() const override {
        return "all layers are OpenVINO's (" + library_.version + ", f32, one thread)";
    }

  private:
    float *pixels() const { return reinterpret_cast<float *>(pixels_.data()); }

    void check_type(const Memory *memory, const std::string &what) const {
        unsigned type = 0;
        library_.check(library_.memory_type(memory, &type));
        if (type != library_.f32) fail(VISION_BAD_MODEL, "%s is no block of floats", what.c_str());
    }

    /// One picture's part of an output; that of a single is where OpenVINO has it.
    void take(size_t output, int picture) {
        Memory *memory = nullptr;
        library_.check(library_.get_output(request_.get(), wanted_[output], &memory));
        const OwnedMemory owned(memory);
        Tensor &tensor = outputs_[output];
        check_type(memory, "output " + tensor.name + " of the network");
        Shape shape{};
        // OpenVINO has no shape without sides, and says no more than that an argument is wrong.
        if (library_.memory_shape(memory, &shape) != 0 || shape.rank < 1) {
            fail(VISION_BAD_MODEL, "output %s of the network has no shape: it is one number", tensor.name.c_str());
        }
        tensor.shape.assign(shape.dimensions, shape.dimensions + shape.rank);
        library_.check(library_.shape_free(&shape));
        size_t bytes = 0;
        void *data = nullptr;
        library_.check(library_.memory_bytes(memory, &bytes));
        library_.check(library_.memory_data(memory, &data));
        const size_t count = bytes / sizeof(float);
        if (count == 0) fail(VISION_BAD_MODEL, "output %s of the network is empty", tensor.name.c_str());
        tensor.data = static_cast<const float *>(data);
        tensor.size = count;
        if (batch_ == 1) return;
        std::vector<float> &all = gathered_[output];
        const size_t whole = count * static_cast<size_t>(batch_);
        if (picture == 0) all.resize(whole);
        if (all.size() != whole) {
            fail(VISION_BAD_MODEL, "output %s of the network has another size for each picture", tensor.name.c_str());
        }
        std::memcpy(all.data() + count * static_cast<size_t>(picture), data, bytes);
        tensor.shape[0] *= batch_;
        tensor.data = all.data();
        tensor.size = all.size();
    }

    const Library &library_;
    const InputShape shape_;
    const OwnedCompiled network_;
    OwnedRequest request_;
    /// Indices of the network's outputs.
    std::vector<size_t> wanted_;
    std::vector<Tensor> outputs_;
    Buffer pixels_;
    /// The parts of `pixels_`, a picture each.
    std::vector<OwnedMemory> slots_;
    /// The one that the request reads from.
    int bound_ = -1;
    std::vector<std::vector<float>> gathered_;
    int batch_ = 1;
};

OwnedCompiled compiled(const Library &library, const NetworkFiles &files) {
    Network *network = nullptr;
    library.check(library.read_model(library.core, reinterpret_cast<const char *>(files.network.data),
                                     files.network.size, nullptr, &network));
    const OwnedNetwork owned(network);
    size_t inputs = 0;
    library.check(library.inputs_size(network, &inputs));
    if (inputs != 1) fail(VISION_BAD_MODEL, "the network has %zu inputs, not one", inputs);
    Dimension sides[] = {{1, 1},
                         {files.input.channels, files.input.channels},
                         {files.input.height, files.input.height},
                         {files.input.width, files.input.width}};
    library.check(library.reshape(network, {{4, 4}, sides}));
    // One thread for each worker, on any core: with pinning, all processes would take the first one. Without the hint
    // of f32, processors that can compute in 16 bits do.
    const char *properties[] = {"PERFORMANCE_HINT",   "LATENCY", "INFERENCE_NUM_THREADS",    "1",  "NUM_STREAMS", "1",
                                "ENABLE_CPU_PINNING", "NO",      "INFERENCE_PRECISION_HINT", "f32"};
    Compiled *result = nullptr;
    library.check(library.compile(library.core, network, "CPU", std::size(properties), &result, properties[0],
                                  properties[1], properties[2], properties[3], properties[4], properties[5],
                                  properties[6], properties[7], properties[8], properties[9]));
    return OwnedCompiled(result);
}

}  // namespace

std::unique_ptr<Engine> load_openvino(const NetworkFiles &files) {
    const Library &library = Library::shared();
    if (files.kind != VISION_ONNX) {
        fail(VISION_BAD_MODEL, "the engine openvino reads ONNX, and the network is %s", whose(files.kind));
    }
    if (files.network.size == 0) fail(VISION_BAD_MODEL, "the network has no layers");
    return std::make_unique<OpenVINOEngine>(library, files.input, compiled(library, files), files.outputs);
}

void require_openvino() {
    Library::shared();
}

}  // namespace vision
