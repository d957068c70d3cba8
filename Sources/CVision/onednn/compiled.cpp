#include "compiled.hpp"

#include <algorithm>

#include "../guard.hpp"
#include "compiler.hpp"

namespace vision::onednn {
Compiled::Compiled(const Program &program, int batch, std::map<int, Weights> &weights) : stream_(cpu()) {
    Compiler compiler(program, batch, weights);
    compiler.compile();
    arena_ = allocate(compiler.arena_bytes());
    scratch_ = allocate(compiler.scratch_bytes());
    steps_ = compiler.take_steps();
    auto *arena = static_cast<char *>(arena_.get());
    for (Step &step : steps_) {
        for (const Argument &argument : step.arguments) {
            void *data = DNNL_MEMORY_NONE;
            switch (argument.place.kind) {
                case Place::arena:
                    data = arena + compiler.offset(argument.place.index);
                    break;
                case Place::scratch:
                    data = scratch_.get();
                    break;
                case Place::constant:
                    data = const_cast<void *>(argument.place.data);
                    break;
                case Place::layer_input:
                case Place::layer_output:
                    break;
            }
            step.memories.emplace_back(argument.desc, cpu(), data);
            step.bound.push_back({argument.name, step.memories.back().get()});
        }
    }
    const int nodes = program.fast.empty() ? 0 : *program.fast.rbegin() + 1;
    for (int node = 0; node <= nodes; node++) {
        first_.push_back(
            static_cast<size_t>(std::lower_bound(steps_.begin(), steps_.end(), node,
                                                 [](const Step &step, int node) { return step.node < node; }) -
                                steps_.begin()));
    }
}

void Compiled::run(int node, const std::vector<cv::Mat> &inputs, std::vector<cv::Mat> &outputs) {
    const auto index = static_cast<size_t>(node);
    for (size_t i = first_[index]; i < first_[index + 1]; i++) {
        Step &step = steps_[i];
        for (size_t k = 0; k < step.arguments.size(); k++) {
            const Place &place = step.arguments[k].place;
            if (place.kind != Place::layer_input && place.kind != Place::layer_output) continue;
            const cv::Mat &mat = place.kind == Place::layer_input ? inputs.at(static_cast<size_t>(place.index))
                                                                  : outputs.at(static_cast<size_t>(place.index));
            if (mat.type() != CV_32F || !mat.isContinuous() ||
                mat.total() * sizeof(float) != step.arguments[k].desc.get_size()) {
                fail(VISION_INTERNAL, "a blob of %zu numbers has another size than the network was loaded for",
                     mat.total());
            }
            step.memories[k].set_data_handle(mat.data);
        }
        if (step.gather) {
            step.gather->run(static_cast<const float *>(arena_.get()),
                             static_cast<float *>(step.memories[0].get_data_handle()));
        } else {
            dnnl::error::wrap_c_api(dnnl_primitive_execute(step.primitive.get(), stream_.get(),
                                                           static_cast<int>(step.bound.size()), step.bound.data()),
                                    "a primitive of oneDNN failed");
        }
    }
}

}  // namespace vision::onednn
