#include "weights.hpp"

#include <cstring>
#include <map>
#include <mutex>
#include <string_view>

namespace vision::onednn {
namespace {

class Registry {
  public:
    std::shared_ptr<const SharedBytes> share(Memory memory, size_t size) {
        const std::string_view bytes(static_cast<const char *>(memory.get()), size);
        const size_t key = std::hash<std::string_view>()(bytes);
        const std::lock_guard<std::mutex> guard(lock_);
        auto [at, end] = known_.equal_range(key);
        while (at != end) {
            const auto known = at->second.lock();
            if (!known) {
                at = known_.erase(at);
                continue;
            }
            if (known->size == size && std::memcmp(known->memory.get(), memory.get(), size) == 0) return known;
            ++at;
        }
        auto fresh = std::make_shared<const SharedBytes>(SharedBytes{std::move(memory), size});
        known_.emplace(key, fresh);
        return fresh;
    }

  private:
    std::mutex lock_;
    std::multimap<size_t, std::weak_ptr<const SharedBytes>> known_;
};

Memory copy(const void *from, size_t size) {
    Memory memory = allocate(size);
    std::memcpy(memory.get(), from, size);
    return memory;
}

}  // namespace

std::shared_ptr<const SharedBytes> share(Memory memory, size_t size) {
    // Never destroyed: nets may outlive static destructors.
    static auto *const registry = new Registry;
    return registry->share(std::move(memory), size);
}

Weights::Weights(const Operation &convolution) {
    const cv::Mat &weights = convolution.weights;
    Shape shape{weights.size[0], weights.size[1], weights.size[2], weights.size[3]};
    if (convolution.groups > 1) {
        shape[0] /= convolution.groups;
        shape.insert(shape.begin(), convolution.groups);
    }
    dims_ = onednn::dims(shape, 1);
    came_in_ = plain(shape, 1);
    as_they_came_ = copy(weights.ptr(), weights.total() * sizeof(float));
    const size_t bias = convolution.bias.size() * sizeof(float);
    bias_ = share(copy(convolution.bias.data(), bias), bias);
}

Memory Weights::reordered(const dnnl::memory::desc &layout) const {
    Memory packed = allocate(layout.get_size());
    const dnnl::memory::desc &known = as_they_came_ ? came_in_ : packed_.front().layout;
    const void *bytes = as_they_came_ ? as_they_came_.get() : packed_.front().bytes->memory.get();
    const dnnl::memory from(known, cpu(), const_cast<void *>(bytes));
    dnnl::memory to(layout, cpu(), packed.get());
    dnnl::stream stream(cpu());
    dnnl::reorder(from, to).execute(stream, const_cast<dnnl::memory &>(from), to);
    stream.wait();
    return packed;
}

const void *Weights::in(const dnnl::memory::desc &layout) {
    for (const Packed &known : packed_) {
        if (known.layout == layout) return known.bytes->memory.get();
    }
    Memory packed = as_they_came_ && layout == came_in_ ? std::move(as_they_came_) : reordered(layout);
    as_they_came_.reset();
    packed_.push_back({layout, share(std::move(packed), layout.get_size())});
    return packed_.back().bytes->memory.get();
}

}  // namespace vision::onednn
