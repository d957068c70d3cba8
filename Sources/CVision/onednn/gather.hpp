// Numbers of the arena in another order.
#pragma once

#include <vector>

#include "weights.hpp"

namespace vision::onednn {

/// Copies numbers from places of the arena; negative places are zeros. Nets with the same places share them.
class Gather {
  public:
    explicit Gather(const std::vector<int> &places);
    void run(const float *from, float *to) const;

  private:
    struct Run {
        int from, to, count;
    };
    std::shared_ptr<const SharedBytes> places_;
    /// `Run`s in place of `places_`, where most neighbours stay neighbours.
    std::shared_ptr<const SharedBytes> runs_;
};

}  // namespace vision::onednn
