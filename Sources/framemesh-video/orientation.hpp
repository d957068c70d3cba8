// How a picture is turned or mirrored for display.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace framemesh {

/// One of the eight ways. Pixel (x, y) is shown at (a x + c y, b x + d y), moved into the positive.
struct Orientation {
    int a = 1, b = 0, c = 0, d = 1;

    bool is_upright() const { return a == 1 && b == 0 && c == 0 && d == 1; }
    bool swaps_sides() const { return a == 0; }

    /// From the display matrix of a container (16.16 fixed point; libavutil/display.h). A turn that is not by right
    /// angles is ignored.
    static Orientation from_display_matrix(const int32_t matrix[9]) {
        auto sign = [](int32_t v) { return v > 0x8000 ? 1 : v < -0x8000 ? -1 : 0; };
        Orientation o{sign(matrix[0]), sign(matrix[1]), sign(matrix[3]), sign(matrix[4])};
        bool straight = o.a != 0 && o.d != 0 && o.b == 0 && o.c == 0;
        bool turned = o.a == 0 && o.d == 0 && o.b != 0 && o.c != 0;
        return straight || turned ? o : Orientation{};
    }

    /// Copies BGR24 rows that are `stride` bytes apart into packed rows, turned.
    void copy(const uint8_t* from, size_t stride, int width, int height, uint8_t* to) const {
        int64_t shown_width = swaps_sides() ? height : width;
        int64_t x0 = (a < 0 ? width - 1 : 0) + (c < 0 ? height - 1 : 0);
        int64_t y0 = (b < 0 ? width - 1 : 0) + (d < 0 ? height - 1 : 0);
        int64_t step_x = (a + b * shown_width) * 3, step_y = (c + d * shown_width) * 3;
        uint8_t* origin = to + (x0 + y0 * shown_width) * 3;
        for (int y = 0; y < height; y++) {
            const uint8_t* source = from + size_t(y) * stride;
            uint8_t* target = origin + y * step_y;
            if (step_x == 3) {
                std::memcpy(target, source, size_t(width) * 3);
                continue;
            }
            for (int x = 0; x < width; x++, source += 3, target += step_x) {
                target[0] = source[0];
                target[1] = source[1];
                target[2] = source[2];
            }
        }
    }
};

}  // namespace framemesh
