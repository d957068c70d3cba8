#include "memory.hpp"

#include "../guard.hpp"

namespace vision::onednn {

const dnnl::engine &cpu() {
    // Never destroyed: nets may outlive static destructors.
    static const auto *const engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
    return *engine;
}

dnnl::memory::dims dims(const Shape &shape, int batch) {
    dnnl::memory::dims result(shape.begin(), shape.end());
    result.at(0) *= batch;
    return result;
}

dnnl::memory::desc plain(const Shape &shape, int batch) {
    const dnnl::memory::dims sides = dims(shape, batch);
    dnnl::memory::dims strides(sides.size(), 1);
    for (size_t i = sides.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * sides[i + 1];
    return {sides, dnnl::memory::data_type::f32, strides};
}

dnnl::memory::desc any_layout(const Shape &shape, int batch) {
    return {dims(shape, batch), dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

Layout::Layout(const dnnl::memory::desc &desc) : desc_(desc.data) {
    if (desc_.format_kind != dnnl_blocked) fail(VISION_INTERNAL, "oneDNN chose a layout without places");
}

size_t Layout::from_picture_to_picture(int batch) const {
    return static_cast<size_t>(desc_.dims[0] / batch * desc_.format_desc.blocking.strides[0]);
}

size_t Layout::place(size_t index) const {
    const dnnl_blocking_desc_t &blocking = desc_.format_desc.blocking;
    int64_t position[DNNL_MAX_NDIMS];
    for (int d = desc_.ndims; d-- > 0;) {
        position[d] = static_cast<int64_t>(index) % desc_.dims[d];
        index /= static_cast<size_t>(desc_.dims[d]);
    }
    int64_t place = desc_.offset0, inner = 1;
    for (int block = blocking.inner_nblks; block-- > 0;) {
        const auto d = blocking.inner_idxs[block];
        place += position[d] % blocking.inner_blks[block] * inner;
        position[d] /= blocking.inner_blks[block];
        inner *= blocking.inner_blks[block];
    }
    for (int d = 0; d < desc_.ndims; d++) place += position[d] * blocking.strides[d];
    return static_cast<size_t>(place);
}

}  // namespace vision::onednn
