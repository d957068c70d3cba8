#include "compiler.hpp"

#include <algorithm>
#include <cstring>

#include "../guard.hpp"

namespace vision::onednn {
namespace {

using dnnl::memory;

/// Places in the arena are counted with 32 bits.
constexpr size_t max_arena_bytes = size_t{1} << 32;

bool is_slow(const char *implementation) {
    return std::strncmp(implementation, "ref", 3) == 0 || std::strncmp(implementation, "simple", 6) == 0;
}

memory::dims dilation(const Window &window) {
    return {window.dilations[0] - 1, window.dilations[1] - 1};
}

void append(dnnl::post_ops &operations, const Activation &bend) {
    using dnnl::algorithm;
    switch (bend.kind) {
        case Activation::relu:
            return operations.append_eltwise(1, algorithm::eltwise_relu, bend.alpha, 0);
        case Activation::clip:
            return operations.append_eltwise(1, algorithm::eltwise_clip, bend.alpha, bend.beta);
        case Activation::elu:
            return operations.append_eltwise(1, algorithm::eltwise_elu, bend.alpha, 0);
        case Activation::tanh:
            return operations.append_eltwise(1, algorithm::eltwise_tanh, 0, 0);
        case Activation::logistic:
            return operations.append_eltwise(1, algorithm::eltwise_logistic, 0, 0);
        case Activation::swish:
            return operations.append_eltwise(1, algorithm::eltwise_swish, bend.alpha, 0);
        case Activation::mish:
            return operations.append_eltwise(1, algorithm::eltwise_mish, 0, 0);
        case Activation::hard_swish:
            return operations.append_eltwise(1, algorithm::eltwise_hardswish, 0, 0);
    }
}

dnnl::eltwise_forward::desc alone(const Activation &bend, const memory::desc &desc) {
    dnnl::post_ops operations;
    append(operations, bend);
    float scale, alpha, beta;
    dnnl::algorithm algorithm;
    operations.get_params_eltwise(0, scale, algorithm, alpha, beta);
    return {dnnl::prop_kind::forward_inference, algorithm, desc, alpha, beta};
}

/// One picture's channels in whole blocks, or in planes: then those of several tensors can lie one behind the other.
bool can_be_part(const memory::desc &desc) {
    const dnnl_memory_desc_t &data = desc.data;
    if (data.dims[0] != 1 || data.dims[1] != data.padded_dims[1]) return false;
    const dnnl_blocking_desc_t &blocking = data.format_desc.blocking;
    const bool in_blocks = blocking.inner_nblks == 1 && blocking.inner_idxs[0] == 1;
    if (blocking.inner_nblks != 0 && !in_blocks) return false;
    int64_t plane = in_blocks ? blocking.inner_blks[0] : 1;
    for (int d = 2; d < data.ndims; d++) plane *= data.dims[d];
    return blocking.strides[1] == plane;
}

/// The layout of `desc` for another number of channels.
memory::desc like(const memory::desc &desc, const Shape &shape, int batch) {
    const dnnl_blocking_desc_t &blocking = desc.data.format_desc.blocking;
    using tag = memory::format_tag;
    if (blocking.inner_nblks == 0 && blocking.strides[1] != 1) return plain(shape, batch);
    const tag chosen = blocking.inner_nblks == 0      ? tag::nhwc
                       : blocking.inner_blks[0] == 16 ? tag::nChw16c
                                                      : tag::nChw8c;
    return {dims(shape, batch), memory::data_type::f32, chosen};
}

bool same_blocks(const memory::desc &a, const memory::desc &b) {
    const dnnl_blocking_desc_t &x = a.data.format_desc.blocking, &y = b.data.format_desc.blocking;
    if (x.inner_nblks != y.inner_nblks) return false;
    return x.inner_nblks == 0 || x.inner_blks[0] == y.inner_blks[0];
}

}  // namespace

Compiler::Compiler(const Program &program, int batch, std::map<int, Weights> &weights)
    : program_(program),
      batch_(batch),
      weights_(weights),
      slot_of_value_(program.values.size(), -1),
      last_reader_(program.values.size(), 0) {}

size_t Compiler::offset(int slot) const {
    const Slot &found = slots_[static_cast<size_t>(slot)];
    return found.parent < 0 ? found.offset : offset(found.parent) + found.shift;
}

void Compiler::compile() {
    const auto reads = [&](const View &view, size_t when) {
        if (view.value >= 0) last_reader_[static_cast<size_t>(view.value)] = when;
        if (!view.elements) return;
        for (const Element &element : *view.elements) last_reader_[static_cast<size_t>(element.value)] = when;
    };
    for (size_t i = 0; i < program_.operations.size(); i++) {
        for (const View &view : program_.operations[i].inputs) reads(view, i);
        if (program_.operations[i].residual) reads(*program_.operations[i].residual, i);
    }
    for (const Export &what : program_.exports) reads(what.view, program_.operations.size());

    auto exported = program_.exports.begin();
    for (at_ = 0; at_ <= program_.operations.size(); at_++) {
        const bool end = at_ == program_.operations.size();
        // A layer's answer is handed out at its own turn, after what it computes.
        while (exported != program_.exports.end() && (end || exported->node < program_.operations[at_].node)) {
            node_ = exported->node;
            compile_export(*exported++);
        }
        if (end) break;
        node_ = program_.operations[at_].node;
        try {
            compile(program_.operations[at_]);
        } catch (const dnnl::error &error) {
            throw NotCompiled{node_, error.what()};
        }
    }
    place_slots();
    finish_gathers();
}

int Compiler::add_slot(const memory::desc &desc) {
    Slot slot;
    slot.desc = desc;
    slots_.push_back(std::move(slot));
    return static_cast<int>(slots_.size()) - 1;
}

int Compiler::whole_of(int slot) const {
    const int parent = slots_[static_cast<size_t>(slot)].parent;
    return parent < 0 ? slot : whole_of(parent);
}

bool Compiler::is_read_later(int whole) const {
    for (size_t value = 0; value < slot_of_value_.size(); value++) {
        const int slot = slot_of_value_[value];
        if (slot >= 0 && last_reader_[value] > at_ && whole_of(slot) == whole) return true;
    }
    return false;
}

void Compiler::refuse_slow(const char *implementation) const {
    // Larger batches have what one picture has.
    if (batch_ == 1 && is_slow(implementation)) throw NotCompiled{node_, implementation};
}

bool Compiler::foreign(const View &view) const {
    return view.value >= 0 && program_.values[static_cast<size_t>(view.value)].foreign;
}

memory::desc Compiler::layout_of(const View &view) const {
    if (view.value < 0 || foreign(view)) return plain(view.shape, batch_);
    return slots_[static_cast<size_t>(slot_of(view))].desc;
}

int Compiler::output(const Operation &operation, const memory::desc &desc) {
    return slot_of_value_[static_cast<size_t>(operation.output)] = add_slot(desc);
}

dnnl::primitive_attr Compiler::attributes(const std::optional<Activation> &bend, dnnl::post_ops before) const {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (bend) append(before, *bend);
    attributes.set_post_ops(before);
    return attributes;
}

void Compiler::add_step(const dnnl::primitive &primitive, std::vector<Argument> arguments) {
    const memory::desc scratch(
        *dnnl_primitive_desc_query_md(primitive.get_primitive_desc(), dnnl_query_scratchpad_md, 0));
    if (scratch.get_size() > 0) {
        scratch_bytes_ = std::max(scratch_bytes_, scratch.get_size());
        arguments.push_back({DNNL_ARG_SCRATCHPAD, {Place::scratch}, scratch});
    }
    const auto now = static_cast<int>(steps_.size());
    for (const Argument &argument : arguments) {
        if (argument.place.kind != Place::arena) continue;
        Slot &slot = slots_[static_cast<size_t>(argument.place.index)];
        slot.read = now;
        if (slot.written < 0) slot.written = now;
    }
    Step step{};
    step.node = node_;
    step.primitive = primitive;
    step.arguments = std::move(arguments);
    steps_.push_back(std::move(step));
}

void Compiler::add_gather(const View &view, Argument to) {
    const auto now = static_cast<int>(steps_.size());
    for (const Element &element : *view.elements) {
        slots_[static_cast<size_t>(slot_of_value_[static_cast<size_t>(element.value)])].read = now;
    }
    if (to.place.kind == Place::arena) {
        Slot &slot = slots_[static_cast<size_t>(to.place.index)];
        slot.written = slot.read = now;
    }
    Step step{};
    step.node = node_;
    gathers_.push_back({steps_.size(), view.elements, to.desc});
    step.arguments.push_back(std::move(to));
    steps_.push_back(std::move(step));
}

int Compiler::gathered(const View &view, const memory::desc &layout) {
    for (const int made : gathered_[view.elements.get()]) {
        if (slots_[static_cast<size_t>(made)].desc == layout) return made;
    }
    const int slot = add_slot(layout);
    add_gather(view, writing(DNNL_ARG_DST, slot));
    gathered_[view.elements.get()].push_back(slot);
    return slot;
}

int Compiler::in_layout(const View &view, const memory::desc &layout) {
    if (view.value < 0) return gathered(view, layout);
    const int slot = slot_of(view);
    const memory::desc desc = slots_[static_cast<size_t>(slot)].desc;
    if (desc == layout) return slot;
    for (const int made : reordered_[slot]) {
        if (slots_[static_cast<size_t>(made)].desc == layout) return made;
    }
    const int made = add_slot(layout);
    const dnnl::reorder::primitive_desc reorder(cpu(), desc, cpu(), layout, attributes(std::nullopt));
    add_step(dnnl::reorder(reorder), {{DNNL_ARG_FROM, {Place::arena, slot}, desc}, writing(DNNL_ARG_TO, made)});
    reordered_[slot].push_back(made);
    return made;
}

Argument Compiler::writing(int name, int slot) {
    return {name, {Place::arena, slot}, slots_[static_cast<size_t>(slot)].desc};
}

Argument Compiler::reading(int name, const View &view, const memory::desc &layout, const Operation &operation) {
    if (!foreign(view)) return {name, {Place::arena, in_layout(view, layout)}, layout};
    const memory::desc desc = plain(view.shape, batch_);
    const Argument input{name, {Place::layer_input, operation.foreign_input}, desc};
    if (desc == layout) return input;
    const int made = add_slot(layout);
    const dnnl::reorder::primitive_desc reorder(cpu(), desc, cpu(), layout, attributes(std::nullopt));
    add_step(dnnl::reorder(reorder), {{DNNL_ARG_FROM, input.place, desc}, writing(DNNL_ARG_TO, made)});
    return {name, {Place::arena, made}, layout};
}

void Compiler::compile(const Operation &operation) {
    switch (operation.kind) {
        case Operation::convolution:
            return compile_convolution(operation);
        case Operation::pooling:
            return compile_pooling(operation);
        case Operation::addition:
            return compile_addition(operation);
        case Operation::activation:
            return compile_activation(operation);
        case Operation::resize:
            return compile_resize(operation);
        case Operation::softmax:
            return compile_softmax(operation);
        case Operation::copy:
            return compile_copy(operation);
        case Operation::concatenation:
            return compile_concatenation(operation);
    }
}

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

void Compiler::compile_concatenation(const Operation &operation) {
    const Shape &shape = program_.values[static_cast<size_t>(operation.output)].shape;
    const memory::desc first = layout_of(operation.inputs[0]);
    std::vector<int> parts;
    bool whole = true;
    for (const View &input : operation.inputs) {
        const int slot = slot_of(input);
        const memory::desc desc = layout_of(input);
        whole = whole && !foreign(input) && can_be_part(desc) && same_blocks(desc, first) &&
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

void Compiler::compile_export(const Export &what) {
    const memory::desc layout = plain(what.view.shape, batch_);
    const Place to{Place::layer_output, 0};
    if (what.view.value < 0) return add_gather(what.view, {DNNL_ARG_DST, to, layout});
    const int slot = slot_of(what.view);
    const memory::desc desc = slots_[static_cast<size_t>(slot)].desc;
    const dnnl::reorder::primitive_desc reorder(cpu(), desc, cpu(), layout, attributes(std::nullopt));
    add_step(dnnl::reorder(reorder), {{DNNL_ARG_FROM, {Place::arena, slot}, desc}, {DNNL_ARG_TO, to, layout}});
}

/// The lowest free place for each, in the order in which they are written.
void Compiler::place_slots() {
    // A whole lives as long as its parts.
    for (size_t i = 0; i < slots_.size(); i++) {
        for (int up = slots_[i].parent; up >= 0; up = slots_[static_cast<size_t>(up)].parent) {
            Slot &whole = slots_[static_cast<size_t>(up)];
            const Slot &part = slots_[i];
            if (part.written >= 0 && (whole.written < 0 || part.written < whole.written)) whole.written = part.written;
            whole.read = std::max(whole.read, part.read);
        }
    }
    std::vector<size_t> order;
    for (size_t i = 0; i < slots_.size(); i++) {
        if (slots_[i].parent < 0 && slots_[i].written >= 0) order.push_back(i);
    }
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return std::pair(slots_[a].written, a) < std::pair(slots_[b].written, b); });
    std::vector<size_t> live;
    for (const size_t i : order) {
        Slot &slot = slots_[i];
        live.erase(
            std::remove_if(live.begin(), live.end(), [&](size_t other) { return slots_[other].read < slot.written; }),
            live.end());
        const size_t size = aligned(slot.desc.get_size());
        size_t offset = 0;
        for (const size_t other : live) {  // In the order of their places.
            if (slots_[other].offset >= offset + size) break;
            offset = std::max(offset, slots_[other].offset + aligned(slots_[other].desc.get_size()));
        }
        slot.offset = offset;
        live.insert(std::upper_bound(live.begin(), live.end(), i,
                                     [&](size_t a, size_t b) { return slots_[a].offset < slots_[b].offset; }),
                    i);
        arena_bytes_ = std::max(arena_bytes_, offset + size);
    }
    if (arena_bytes_ > max_arena_bytes) {
        fail(VISION_BAD_MODEL, "the network needs %zu bytes between its layers, more than %zu", arena_bytes_,
             max_arena_bytes);
    }
}

void Compiler::finish_gathers() {
    std::map<int, Layout> layouts;
    const auto batch = static_cast<size_t>(batch_);
    for (const Pending &pending : gathers_) {
        const Layout to(pending.desc);
        const size_t next_to = to.from_picture_to_picture(batch_);
        std::vector<int> places(pending.desc.get_size() / sizeof(float), -1);
        for (size_t i = 0; i < pending.elements->size(); i++) {
            const Element &element = (*pending.elements)[i];
            const int slot = slot_of_value_[static_cast<size_t>(element.value)];
            const Layout &from = layouts.try_emplace(slot, slots_[static_cast<size_t>(slot)].desc).first->second;
            const size_t next_from = from.from_picture_to_picture(batch_);
            size_t at = to.place(i);
            size_t source = offset(slot) / sizeof(float) + from.place(static_cast<size_t>(element.index));
            for (size_t picture = 0; picture < batch; picture++, at += next_to, source += next_from) {
                places[at] = static_cast<int>(source);
            }
        }
        steps_[pending.step].gather = std::make_unique<Gather>(places);
    }
}

}  // namespace vision::onednn
