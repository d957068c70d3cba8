// Weights in the layouts that oneDNN wants: once in a process, however many nets have them.
#pragma once

#include <memory>
#include <vector>

#include "memory.hpp"
#include "program.hpp"

namespace vision::onednn {

/// Bytes that nets with the same ones share.
struct SharedBytes {
    Memory memory;
    size_t size;
};

std::shared_ptr<const SharedBytes> share(Memory memory, size_t size);

/// The weights of one convolution.
class Weights {
  public:
    explicit Weights(const Operation &convolution);

    const dnnl::memory::dims &dims() const { return dims_; }
    /// In such a layout. Each that was asked for stays: programs of other batch sizes may want another.
    const void *in(const dnnl::memory::desc &layout);
    const void *bias() const { return bias_->memory.get(); }

  private:
    struct Packed {
        dnnl::memory::desc layout;
        std::shared_ptr<const SharedBytes> bytes;
    };

    Memory reordered(const dnnl::memory::desc &layout) const;

    dnnl::memory::dims dims_;
    dnnl::memory::desc came_in_;
    /// In packed rows and of this net alone, until something has asked for a layout: what stays is shared.
    Memory as_they_came_;
    /// Mostly one.
    std::vector<Packed> packed_;
    std::shared_ptr<const SharedBytes> bias_;
};

}  // namespace vision::onednn
