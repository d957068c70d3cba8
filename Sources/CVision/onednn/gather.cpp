#include "gather.hpp"

#include <algorithm>
#include <cstring>

namespace vision::onednn {
namespace {

/// Fewer numbers that stay neighbours are not worth a loop of their own.
constexpr size_t shortest_run = 4;

template <typename Item>
std::shared_ptr<const SharedBytes> shared(const std::vector<Item> &items) {
    const size_t size = items.size() * sizeof(Item);
    Memory memory = allocate(size);
    std::memcpy(memory.get(), items.data(), size);
    return share(std::move(memory), size);
}

}  // namespace

Gather::Gather(const std::vector<int> &places) {
    std::vector<Run> runs;
    for (size_t i = 0; i < places.size(); i++) {
        const int from = std::max(places[i], -1);
        const bool goes_on =
            !runs.empty() &&
            (from < 0 ? runs.back().from < 0 : runs.back().from >= 0 && runs.back().from + runs.back().count == from);
        if (goes_on) {
            runs.back().count++;
        } else {
            runs.push_back({from, static_cast<int>(i), 1});
        }
    }
    if (runs.size() * shortest_run <= places.size()) {
        runs_ = shared(runs);
    } else {
        places_ = shared(places);
    }
}

void Gather::run(const float *from, float *to) const {
    if (runs_) {
        const auto *run = static_cast<const Run *>(runs_->memory.get());
        for (const Run *end = run + runs_->size / sizeof(Run); run != end; run++) {
            if (run->from < 0) {
                std::fill_n(to + run->to, run->count, 0.0f);
            } else {
                std::memcpy(to + run->to, from + run->from, static_cast<size_t>(run->count) * sizeof(float));
            }
        }
        return;
    }
    const auto *places = static_cast<const int *>(places_->memory.get());
    for (size_t i = 0, count = places_->size / sizeof(int); i < count; i++) {
        to[i] = places[i] < 0 ? 0 : from[places[i]];
    }
}

}  // namespace vision::onednn
