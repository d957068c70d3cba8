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
    /// In such a layout; the one before is let go.
    const void *in(const dnnl::memory::desc &layout);
    const void *bias() const { return bias_->memory.get(); }

  private:
    dnnl::memory::dims dims_;
    dnnl::memory::desc layout_;
    std::shared_ptr<const SharedBytes> bytes_;
    std::shared_ptr<const SharedBytes> bias_;
};

}  // namespace vision::onednn
