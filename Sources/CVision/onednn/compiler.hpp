// Chooses layouts, lays out memory and makes kernels, for `Compiled`.
#pragma once

#include "compiled.hpp"

namespace vision::onednn {

/// Whether it is one of oneDNN's ways for what it has no good one for.
bool is_slow(const char *implementation);
/// The last thing that a primitive does.
void append(dnnl::post_ops &operations, const Activation &bend);

class Compiler {
  public:
    Compiler(const Program &program, int batch, std::map<int, Weights> &weights);

    void compile();
    std::vector<Step> take_steps() { return std::move(steps_); }
    size_t arena_bytes() const { return arena_bytes_; }
    size_t scratch_bytes() const { return scratch_bytes_; }
    /// Of a slot in the arena, in bytes.
    size_t offset(int slot) const;

  private:
    /// A tensor in the arena: a value, or a value in another layout.
    struct Slot {
        dnnl::memory::desc desc;
        /// Steps that write it first and read it last.
        int written = -1, read = -1;
        /// It is a part of this one.
        int parent = -1;
        size_t shift = 0;
        size_t offset = 0;
    };
    struct Pending {
        size_t step;
        std::shared_ptr<const std::vector<Element>> elements;
        dnnl::memory::desc desc;
    };

    int add_slot(const dnnl::memory::desc &desc);
    int slot_of(const View &view) const { return slot_of_value_[static_cast<size_t>(view.value)]; }
    /// What the slot is a part of, at last.
    int whole_of(int slot) const;
    /// Whether anything that lies in the whole has readers after the operation in hand.
    bool is_read_later(int whole) const;
    bool foreign(const View &view) const;
    void refuse_slow(const char *implementation) const;
    dnnl::memory::desc layout_of(const View &view) const;

    void compile(const Operation &operation);
    void compile_convolution(const Operation &operation);
    void compile_pooling(const Operation &operation);
    void compile_addition(const Operation &operation);
    void compile_activation(const Operation &operation);
    void compile_resize(const Operation &operation);
    void compile_softmax(const Operation &operation);
    void compile_copy(const Operation &operation);
    void compile_concatenation(const Operation &operation);
    void compile_export(const Export &what);

    /// An argument that reads the view in this layout; makes it where it is not there yet.
    Argument reading(int name, const View &view, const dnnl::memory::desc &layout, const Operation &operation);
    Argument writing(int name, int slot);
    /// The slot of an operation's output.
    int output(const Operation &operation, const dnnl::memory::desc &desc);
    int in_layout(const View &view, const dnnl::memory::desc &layout);
    int gathered(const View &view, const dnnl::memory::desc &layout);
    void add_step(const dnnl::primitive &primitive, std::vector<Argument> arguments);
    void add_gather(const View &view, Argument to);
    dnnl::primitive_attr attributes(const std::optional<Activation> &bend, dnnl::post_ops before = {}) const;

    void place_slots();
    void finish_gathers();

    const Program &program_;
    const int batch_;
    std::map<int, Weights> &weights_;
    std::vector<Slot> slots_;
    std::vector<int> slot_of_value_;
    /// Of each value, the last operation that reads it; beyond all where it is handed out.
    std::vector<size_t> last_reader_;
    std::map<const void *, std::vector<int>> gathered_;
    std::map<int, std::vector<int>> reordered_;
    std::vector<Step> steps_;
    std::vector<Pending> gathers_;
    size_t at_ = 0;
    int node_ = 0;
    size_t arena_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace vision::onednn
