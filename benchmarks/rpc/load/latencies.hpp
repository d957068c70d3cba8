#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

using Clock = std::chrono::steady_clock;

/// Times of calls that ended, in microseconds.
class Latencies {
  public:
    void add(Clock::time_point begin, Clock::time_point end) {
        micros_.push_back(std::chrono::duration<float, std::micro>(end - begin).count());
    }

    std::size_t count() const { return micros_.size(); }

    /// The latency that `share` of the calls kept; zero if there were none.
    double quantile(double share) {
        if (micros_.empty()) return 0;
        const auto index = std::min(micros_.size() - 1, static_cast<std::size_t>(share * micros_.size()));
        std::nth_element(micros_.begin(), micros_.begin() + index, micros_.end());
        return micros_[index];
    }

  private:
    std::vector<float> micros_;
};
