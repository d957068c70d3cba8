#include <algorithm>

#include "../guard.hpp"
#include "compiler.hpp"

namespace vision::onednn {
namespace {

/// Places in the arena are counted with 32 bits.
constexpr size_t max_arena_bytes = size_t{1} << 32;

}  // namespace

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
