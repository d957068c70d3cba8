// Aligned memory, and where in it a number of a tensor lies.
#pragma once

#include <cstdlib>
#include <dnnl.hpp>
#include <memory>
#include <new>

#include "graph.hpp"

namespace vision::onednn {

constexpr size_t alignment = 64;

inline size_t aligned(size_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

struct FreeMemory {
    void operator()(void *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<void, FreeMemory>;

inline Memory allocate(size_t bytes) {
    Memory memory(std::aligned_alloc(alignment, aligned(bytes ? bytes : 1)));
    if (!memory) throw std::bad_alloc();
    return memory;
}

const dnnl::engine &cpu();

/// Packed rows, the first side `batch` times as long.
dnnl::memory::desc plain(const Shape &shape, int batch);
/// The same size in whatever layout oneDNN likes best.
dnnl::memory::desc any_layout(const Shape &shape, int batch);

dnnl::memory::dims dims(const Shape &shape, int batch);

/// Places of a tensor's numbers.
class Layout {
  public:
    explicit Layout(const dnnl::memory::desc &desc);
    /// Of the number with such a place among the packed ones, in numbers.
    size_t place(size_t index) const;
    /// From one picture of a batch to the next, in numbers.
    size_t from_picture_to_picture(int batch) const;

  private:
    const dnnl_memory_desc_t desc_;
};

}  // namespace vision::onednn
