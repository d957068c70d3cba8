#include "compiler.hpp"

#include <algorithm>
#include <cstring>

namespace vision::onednn {

using dnnl::memory;

bool is_slow(const char *implementation) {
    return std::strncmp(implementation, "ref", 3) == 0 || std::strncmp(implementation, "simple", 6) == 0;
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

void Compiler::compile_export(const Export &what) {
    const memory::desc layout = plain(what.view.shape, batch_);
    const Place to{Place::layer_output, 0};
    if (what.view.value < 0) return add_gather(what.view, {DNNL_ARG_DST, to, layout});
    const int slot = slot_of(what.view);
    const memory::desc desc = slots_[static_cast<size_t>(slot)].desc;
    const dnnl::reorder::primitive_desc reorder(cpu(), desc, cpu(), layout, attributes(std::nullopt));
    add_step(dnnl::reorder(reorder), {{DNNL_ARG_FROM, {Place::arena, slot}, desc}, {DNNL_ARG_TO, to, layout}});
}

}  // namespace vision::onednn
