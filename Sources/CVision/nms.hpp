#pragma once

#include <vector>

#include "CVision.h"

namespace vision {

/// Non-maximum suppression, greedy and per class: of boxes that overlap by more than `iou`, the strongest stays.
/// Leaves them strongest first, and no more than a bounded number.
void suppress(std::vector<vision_finding> &findings, float iou);

}  // namespace vision
