#include "nms.hpp"

#include <algorithm>
#include <tuple>

namespace vision {
namespace {

/// The time is quadratic in these; a network that answers with more is not believed.
constexpr size_t max_candidates = 4096;
constexpr size_t max_kept = 1000;

float overlap(const vision_finding &a, const vision_finding &b) {
    const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    if (width <= 0 || height <= 0) return 0;
    const float shared = width * height;
    return shared / (a.width * a.height + b.width * b.height - shared);
}

}  // namespace

void suppress(std::vector<vision_finding> &findings, float iou) {
    // Equal ones in a fixed order, so that the answer is always the same.
    std::sort(findings.begin(), findings.end(), [](const auto &a, const auto &b) {
        return std::tie(b.confidence, a.class_id, a.y, a.x) < std::tie(a.confidence, b.class_id, b.y, b.x);
    });
    if (findings.size() > max_candidates) findings.resize(max_candidates);
    size_t kept = 0;
    for (size_t i = 0; i < findings.size() && kept < max_kept; i++) {
        const vision_finding candidate = findings[i];
        const bool covered =
            std::any_of(findings.begin(), findings.begin() + static_cast<ptrdiff_t>(kept),
                        [&](const auto &f) { return f.class_id == candidate.class_id && overlap(f, candidate) > iou; });
        if (!covered) findings[kept++] = candidate;
    }
    findings.resize(kept);
}

}  // namespace vision
