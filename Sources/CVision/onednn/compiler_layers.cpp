#include "compiler.hpp"

namespace vision::onednn {
namespace {

using dnnl::memory;

dnnl::eltwise_forward::desc alone(const Activation &bend, const memory::desc &desc) {
    dnnl::post_ops operations;
    append(operations, bend);
    float scale, alpha, beta;
    dnnl::algorithm algorithm;
    operations.get_params_eltwise(0, scale, algorithm, alpha, beta);
    return {dnnl::prop_kind::forward_inference, algorithm, desc, alpha, beta};
}

}  // namespace

void Compiler::compile_pooling(const Operation &operation) {
    using Forward = dnnl::pooling_forward;
    const View &input = operation.inputs[0];
    const Shape &shape = program_.values[static_cast<size_t>(operation.output)].shape;
    const Window &window = operation.window;
    const auto algorithm = operation.pool == Operation::max       ? dnnl::algorithm::pooling_max
                           : operation.pool == Operation::average ? dnnl::algorithm::pooling_avg_exclude_padding
                                                                  : dnnl::algorithm::pooling_avg_include_padding;
    const Forward::desc desc(dnnl::prop_kind::forward_inference, algorithm, layout_of(input), any_layout(shape, batch_),
                             window.strides, window.kernel, window.pads_begin, window.pads_end);
    const Forward::primitive_desc chosen(desc, attributes(std::nullopt), cpu());
    Argument from = reading(DNNL_ARG_SRC, input, chosen.src_desc(), operation);
    add_step(Forward(chosen), {std::move(from), writing(DNNL_ARG_DST, output(operation, chosen.dst_desc()))});
}

void Compiler::compile_addition(const Operation &operation) {
    // In the layout of what lies somewhere already.
    const View &leading = operation.inputs[0].value >= 0 ? operation.inputs[0] : operation.inputs[1];
    const memory::desc layout = layout_of(leading);
    const dnnl::binary::desc desc(dnnl::algorithm::binary_add, layout, layout, layout);
    const dnnl::binary::primitive_desc chosen(desc, attributes(operation.bend), cpu());
    Argument first = reading(DNNL_ARG_SRC_0, operation.inputs[0], layout, operation);
    Argument second = reading(DNNL_ARG_SRC_1, operation.inputs[1], layout, operation);
    add_step(dnnl::binary(chosen),
             {std::move(first), std::move(second), writing(DNNL_ARG_DST, output(operation, layout))});
}

void Compiler::compile_activation(const Operation &operation) {
    const memory::desc layout = layout_of(operation.inputs[0]);
    const dnnl::eltwise_forward::primitive_desc chosen(alone(*operation.bend, layout), attributes(std::nullopt), cpu());
    Argument from = reading(DNNL_ARG_SRC, operation.inputs[0], layout, operation);
    add_step(dnnl::eltwise_forward(chosen), {std::move(from), writing(DNNL_ARG_DST, output(operation, layout))});
}

void Compiler::compile_resize(const Operation &operation) {
    using Forward = dnnl::resampling_forward;
    const Shape &shape = program_.values[static_cast<size_t>(operation.output)].shape;
    const Forward::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::resampling_nearest,
                             layout_of(operation.inputs[0]), any_layout(shape, batch_));
    const Forward::primitive_desc chosen(desc, attributes(std::nullopt), cpu());
    Argument from = reading(DNNL_ARG_SRC, operation.inputs[0], chosen.src_desc(), operation);
    add_step(Forward(chosen), {std::move(from), writing(DNNL_ARG_DST, output(operation, chosen.dst_desc()))});
}

void Compiler::compile_softmax(const Operation &operation) {
    using Forward = dnnl::softmax_forward;
    const memory::desc layout = plain(operation.inputs[0].shape, batch_);
    const Forward::desc desc(dnnl::prop_kind::forward_inference, layout, operation.axis);
    const Forward::primitive_desc chosen(desc, attributes(std::nullopt), cpu());
    Argument from = reading(DNNL_ARG_SRC, operation.inputs[0], layout, operation);
    add_step(Forward(chosen), {std::move(from), writing(DNNL_ARG_DST, output(operation, layout))});
}

void Compiler::compile_copy(const Operation &operation) {
    const memory::desc layout = plain(program_.values[static_cast<size_t>(operation.output)].shape, batch_);
    const dnnl::reorder::primitive_desc chosen(cpu(), layout, cpu(), layout, attributes(std::nullopt));
    add_step(dnnl::reorder(chosen), {{DNNL_ARG_FROM, {Place::layer_input, operation.foreign_input}, layout},
                                     writing(DNNL_ARG_TO, output(operation, layout))});
}

}  // namespace vision::onednn
