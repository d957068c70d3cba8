#include "compiler.hpp"

namespace vision::onednn {
namespace {

using dnnl::memory;

memory::dims dilation(const Window &window) {
    return {window.dilations[0] - 1, window.dilations[1] - 1};
}

}  // namespace

void Compiler::compile_convolution(const Operation &operation) {
    using Forward = dnnl::convolution_forward;
    const View &input = operation.inputs[0];
    const Shape &shape = program_.values[static_cast<size_t>(operation.output)].shape;
    Weights &weights = weights_.at(operation.output);
    const auto f32 = memory::data_type::f32;
    const memory::desc any_weights(weights.dims(), f32, memory::format_tag::any);
    const memory::desc bias({shape[1]}, f32, memory::format_tag::x);
    const Window &window = operation.window;
    const auto describe = [&](const memory::desc &from, const memory::desc &to, const dnnl::primitive_attr &how) {
        const Forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, from,
                                 any_weights, bias, to, window.strides, dilation(window), window.pads_begin,
                                 window.pads_end);
        return Forward::primitive_desc(desc, how, cpu());
    };
    const memory::desc any_input = any_layout(input.shape, batch_), any_output = any_layout(shape, batch_);
    // Pictures as they come, not in blocks of channels that they do not have.
    const memory::desc from = foreign(input) ? plain(input.shape, batch_) : any_input;

    const auto run = [&](const Forward::primitive_desc &chosen, int slot) {
        std::vector<Argument> arguments{
            reading(DNNL_ARG_SRC, input, chosen.src_desc(), operation),
            {DNNL_ARG_WEIGHTS, {Place::constant, 0, weights.in(chosen.weights_desc())}, chosen.weights_desc()},
            {DNNL_ARG_BIAS, {Place::constant, 0, weights.bias()}, bias},
            writing(DNNL_ARG_DST, slot)};
        add_step(Forward(chosen), std::move(arguments));
    };

    if (!operation.residual) {
        Forward::primitive_desc chosen = describe(from, any_output, attributes(operation.bend));
        if (is_slow(chosen.impl_info_str())) chosen = describe(any_input, any_output, attributes(operation.bend));
        refuse_slow(chosen.impl_info_str());
        return run(chosen, output(operation, chosen.dst_desc()));
    }
    // In place, where nobody reads what is added to any more.
    const int slot = slot_of(*operation.residual);
    const bool reads_it_too = input.value >= 0 && !foreign(input) && whole_of(slot_of(input)) == whole_of(slot);
    if (!reads_it_too && !is_read_later(whole_of(slot))) {
        dnnl::post_ops added;
        added.append_sum();
        try {
            const auto chosen = describe(from, layout_of(*operation.residual), attributes(operation.bend, added));
            if (!is_slow(chosen.impl_info_str())) {
                const int sum = output(operation, chosen.dst_desc());
                slots_[static_cast<size_t>(sum)].parent = slot;
                return run(chosen, sum);
            }
        } catch (const dnnl::error &) {
            // Not in one: in two steps below.
        }
    }
    const auto chosen = describe(from, any_output, attributes(std::nullopt));
    refuse_slow(chosen.impl_info_str());
    const int sum = add_slot(chosen.dst_desc());
    run(chosen, sum);
    const dnnl::binary::desc desc(dnnl::algorithm::binary_add, chosen.dst_desc(), chosen.dst_desc(), chosen.dst_desc());
    const dnnl::binary::primitive_desc both(desc, attributes(operation.bend), cpu());
    add_step(dnnl::binary(both),
             {writing(DNNL_ARG_SRC_0, sum), reading(DNNL_ARG_SRC_1, *operation.residual, chosen.dst_desc(), operation),
              writing(DNNL_ARG_DST, output(operation, chosen.dst_desc()))});
}

}  // namespace vision::onednn
