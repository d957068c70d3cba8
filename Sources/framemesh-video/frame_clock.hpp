// Capture times that only rise, from timestamps that a file may get wrong.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace framemesh {

/// Microseconds since the start. A frame without a timestamp comes one nominal frame after the last. A timestamp that
/// goes back, or leaps more than an hour, starts a new count one frame after the last: what follows keeps its
/// distances.
class FrameClock {
  public:
    /// `start`: the timestamp that is zero, where the file says it.
    FrameClock(std::optional<int64_t> start, double frame_rate)
        : start_(start), step_(frame_rate > 0 ? std::max<int64_t>(1, int64_t(1e6 / frame_rate)) : kUnknownStep) {}

    int64_t next(std::optional<int64_t> timestamp) {
        if (timestamp && (*timestamp > kSane || *timestamp < -kSane)) timestamp.reset();
        if (!last_) {
            int64_t first = timestamp.value_or(0);
            bool near = start_ && *start_ <= first && first - *start_ <= kMaximumGap && *start_ > -kSane;
            shift_ = near ? -*start_ : -first;
            last_ = first + shift_;
            return *last_;
        }
        int64_t time = timestamp ? *timestamp + shift_ : *last_ + step_;
        if (time <= *last_ || time - *last_ > kMaximumGap) {
            shift_ += *last_ + step_ - time;
            time = *last_ + step_;
        }
        last_ = time;
        return time;
    }

  private:
    static constexpr int64_t kUnknownStep = 40'000;
    static constexpr int64_t kMaximumGap = 3'600'000'000;
    static constexpr int64_t kSane = int64_t(1) << 60;

    std::optional<int64_t> start_;
    int64_t step_;
    int64_t shift_ = 0;
    std::optional<int64_t> last_;
};

}  // namespace framemesh
