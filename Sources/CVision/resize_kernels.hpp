// The inner loops of a picture's way into a network's input, in the forms that a processor may have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vision {

/// Where the pixels of a resized row come from, with OpenCV's fixed-point weights (INTER_LINEAR, 11 bits).
struct Taps {
    /// Pixels that are worked on together; rows are filled up to whole groups.
    static constexpr int group = 8;

    /// Rows of `from` pixels, each `pixel_bytes` long, become rows of `to` pixels.
    void set(int from, int to, int pixel_bytes);
    int groups() const { return static_cast<int>(offsets.size()) / group; }
    /// Place of the two weights of a pixel. A load of 16 or 32 bytes has those of one pixel or of two, four times each.
    static size_t weight(int pixel) {
        return static_cast<size_t>(pixel / group * 64 + pixel % 4 * 16 + pixel % group / 4 * 8);
    }

    /// Bytes from the row's begin to the first of the two pixels between which each one lies.
    std::vector<int32_t> offsets;
    std::vector<int16_t> weights;

  private:
    int from_ = 0, to_ = 0, pixel_bytes_ = 0;
};

/// Of a row: B, G and R, each `stride` numbers long.
struct Rows {
    int16_t *values;
    size_t stride;

    int16_t *plane(int channel) const { return values + static_cast<size_t>(channel) * stride; }
};

/// Two resized rows, and how much each of them counts, of 2048.
struct Between {
    Rows upper, lower;
    int16_t upper_weight, lower_weight;
};

struct YUVRow {
    const uint8_t *y, *u, *v;
    /// Bytes from one value of `u` and `v` to the next.
    int chroma_step;
};

struct Kernels {
    const char *name;
    /// Resizes a row. 8 bytes from each offset on must be readable.
    void (*across)(const uint8_t *row, const Taps &taps, int pixel_bytes, Rows to);
    /// Pixels of one channel between two rows; to[i] = pixel * scale + bias.
    void (*down)(Between rows, int channel, float scale, float bias, int count, float *to);
    /// The same of their grey (cv::COLOR_BGR2GRAY).
    void (*down_grey)(Between rows, float scale, float bias, int count, float *to);
    /// A row as cv::COLOR_YUV2BGR_NV12 has it, four bytes a pixel: B, G, R, 0. `count` is even.
    void (*yuv_to_bgr)(YUVRow row, int count, uint32_t *to);
};

/// What this processor can run, the fastest last.
const std::vector<Kernels> &kernels();

}  // namespace vision
