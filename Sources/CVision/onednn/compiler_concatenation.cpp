#include <algorithm>

#include "compiler.hpp"

namespace vision::onednn {
namespace {

using dnnl::memory;

/// Of how many channels the blocks of a layout are; 1: there are none; 0: they are others than tensors are put together
/// of.
int64_t block_of(const memory::desc &desc) {
    const dnnl_blocking_desc_t &blocking = desc.data.format_desc.blocking;
    if (blocking.inner_nblks == 0) return 1;
    const int64_t size = blocking.inner_blks[0];
    return blocking.inner_nblks == 1 && blocking.inner_idxs[0] == 1 && (size == 8 || size == 16) ? size : 0;
}

/// One picture's channels in whole blocks, or in planes: then those of several tensors can lie one behind the other.
bool can_be_part(const memory::desc &desc) {
    const dnnl_memory_desc_t &data = desc.data;
    const int64_t block = block_of(desc);
    if (block == 0 || data.dims[0] != 1 || data.dims[1] != data.padded_dims[1]) return false;
    int64_t plane = block;
    for (int d = 2; d < data.ndims; d++) plane *= data.dims[d];
    return data.format_desc.blocking.strides[1] == plane;
}

/// The layout of `desc` for another number of channels; of its own blocks where `block_of` knows them.
memory::desc like(const memory::desc &desc, const Shape &shape, int batch) {
    using tag = memory::format_tag;
    const auto in = [&](tag chosen) { return memory::desc(dims(shape, batch), memory::data_type::f32, chosen); };
    switch (block_of(desc)) {
        case 16:
            return in(tag::nChw16c);
        case 8:
            return in(tag::nChw8c);
        case 1:
            return desc.data.format_desc.blocking.strides[1] == 1 ? in(tag::nhwc) : plain(shape, batch);
        default:
            return plain(shape, batch);
    }
}

}  // namespace

void Compiler::compile_concatenation(const Operation &operation) {
    const Shape &shape = program_.values[static_cast<size_t>(operation.output)].shape;
    const memory::desc first = layout_of(operation.inputs[0]);
    std::vector<int> parts;
    bool whole = true;
    for (const View &input : operation.inputs) {
        const int slot = slot_of(input);
        const memory::desc desc = layout_of(input);
        whole = whole && !foreign(input) && can_be_part(desc) && block_of(desc) == block_of(first) &&
                slots_[static_cast<size_t>(slot)].parent < 0 &&
                std::find(parts.begin(), parts.end(), slot) == parts.end();
        parts.push_back(slot);
    }
    const memory::desc all_desc = like(first, shape, batch_);
    const int all = output(operation, all_desc);
    if (whole) {
        // Those who write the parts write them where they belong.
        size_t shift = 0;
        for (const int part : parts) {
            slots_[static_cast<size_t>(part)].parent = all;
            slots_[static_cast<size_t>(part)].shift = shift;
            shift += slots_[static_cast<size_t>(part)].desc.get_size();
        }
        return;
    }
    std::vector<Argument> arguments;
    std::vector<memory::desc> descs;
    for (const View &input : operation.inputs) {
        descs.push_back(like(first, input.shape, batch_));
        arguments.push_back(
            reading(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(arguments.size()), input, descs.back(), operation));
    }
    arguments.push_back(writing(DNNL_ARG_DST, all));
    const dnnl::concat::primitive_desc chosen(all_desc, 1, descs, cpu(), attributes(std::nullopt));
    add_step(dnnl::concat(chosen), std::move(arguments));
}

}  // namespace vision::onednn
