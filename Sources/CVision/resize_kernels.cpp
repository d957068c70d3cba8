#include "resize_kernels.hpp"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vision {

void Taps::set(int from, int to, int pixel_bytes) {
    if (from == from_ && to == to_ && pixel_bytes == pixel_bytes_) return;
    from_ = from, to_ = to, pixel_bytes_ = pixel_bytes;
    const auto size = static_cast<size_t>((to + group - 1) / group * group);
    offsets.assign(size, 0);
    weights.assign(size * 8, 0);
    const double scale = 1 / (static_cast<double>(to) / from);
    for (int i = 0; i < to; i++) {
        auto part = static_cast<float>((i + 0.5) * scale - 0.5);
        auto first = static_cast<int>(std::floor(part));
        part -= static_cast<float>(first);
        if (first < 0) first = 0, part = 0;
        // What is read behind the first pixel should still belong to the row.
        if (first >= from - 1) first = std::max(from - 2, 0), part = from > 1 ? 1 : 0;
        offsets[static_cast<size_t>(i)] = first * pixel_bytes;
        const auto near = static_cast<int16_t>(std::lrintf((1 - part) * 2048));
        const auto far = static_cast<int16_t>(std::lrintf(part * 2048));
        for (size_t pair = 0; pair < 4; pair++) {
            weights[weight(i) + 2 * pair] = near;
            weights[weight(i) + 2 * pair + 1] = far;
        }
    }
}

namespace {

#define INLINE static inline __attribute__((always_inline))

// ---- As the compiler has it; each form of processor gets its own copy.

INLINE int16_t between(int16_t upper, int16_t lower, int16_t upper_weight, int16_t lower_weight) {
    const auto a = static_cast<int16_t>((upper * upper_weight) >> 16);
    const auto b = static_cast<int16_t>((lower * lower_weight) >> 16);
    return static_cast<int16_t>((a + b + 2) >> 2);
}

INLINE void any_across(const uint8_t *row, const Taps &taps, int pixel_bytes, Rows to) {
    const int count = taps.groups() * Taps::group;
    for (int i = 0; i < count; i++) {
        const uint8_t *pixel = row + taps.offsets[static_cast<size_t>(i)];
        const int16_t *weights = taps.weights.data() + Taps::weight(i);
        for (int c = 0; c < 3; c++) {
            to.plane(c)[i] = static_cast<int16_t>((pixel[c] * weights[0] + pixel[c + pixel_bytes] * weights[1]) >> 4);
        }
    }
}

INLINE void any_down(Between rows, int channel, float scale, float bias, int count, float *__restrict to) {
    const int16_t *__restrict upper = rows.upper.plane(channel), *__restrict lower = rows.lower.plane(channel);
    for (int i = 0; i < count; i++) {
        const int16_t pixel = between(upper[i], lower[i], rows.upper_weight, rows.lower_weight);
        to[i] = static_cast<float>(pixel) * scale + bias;
    }
}

INLINE void any_down_grey(Between rows, float scale, float bias, int count, float *__restrict to) {
    constexpr int blue = 3735, green = 19235, red = 9798, shift = 15;
    const int16_t *__restrict u0 = rows.upper.plane(0), *__restrict u1 = rows.upper.plane(1),
                              *__restrict u2 = rows.upper.plane(2), *__restrict l0 = rows.lower.plane(0),
                              *__restrict l1 = rows.lower.plane(1), *__restrict l2 = rows.lower.plane(2);
    const int16_t a = rows.upper_weight, b = rows.lower_weight;
    for (int i = 0; i < count; i++) {
        const int grey = between(u0[i], l0[i], a, b) * blue + between(u1[i], l1[i], a, b) * green +
                         between(u2[i], l2[i], a, b) * red;
        to[i] = static_cast<float>((grey + (1 << (shift - 1))) >> shift) * scale + bias;
    }
}

INLINE uint32_t packed(int luma, int blue, int green, int red) {
    const auto byte = [](int value) { return static_cast<uint32_t>(std::clamp(value >> 20, 0, 255)); };
    return byte(luma + blue) | byte(luma + green) << 8 | byte(luma + red) << 16;
}

/// ITU-R BT.601, numbers of 20 bits, as OpenCV has them.
template <int step>
INLINE void yuv_row(const uint8_t *__restrict y, const uint8_t *__restrict u, const uint8_t *__restrict v, int count,
                    uint32_t *__restrict to) {
    for (int i = 0; i < count / 2; i++) {
        const int du = u[step * i] - 128, dv = v[step * i] - 128;
        constexpr int half = 1 << 19;
        const int blue = half + 2116026 * du, green = half - 852492 * dv - 409993 * du, red = half + 1673527 * dv;
        to[2 * i] = packed(std::max(y[2 * i] - 16, 0) * 1220542, blue, green, red);
        to[2 * i + 1] = packed(std::max(y[2 * i + 1] - 16, 0) * 1220542, blue, green, red);
    }
}

INLINE void any_yuv_to_bgr(YUVRow row, int count, uint32_t *to) {
    if (row.chroma_step == 1) {
        yuv_row<1>(row.y, row.u, row.v, count, to);
    } else {
        yuv_row<2>(row.y, row.u, row.v, count, to);
    }
}

#if defined(__x86_64__)

#define FORM(suffix, target_name)                                                                                  \
    __attribute__((target(target_name))) void down_##suffix(Between rows, int channel, float scale, float bias,    \
                                                            int count, float *to) {                                \
        any_down(rows, channel, scale, bias, count, to);                                                           \
    }                                                                                                              \
    __attribute__((target(target_name))) void down_grey_##suffix(Between rows, float scale, float bias, int count, \
                                                                 float *to) {                                      \
        any_down_grey(rows, scale, bias, count, to);                                                               \
    }                                                                                                              \
    __attribute__((target(target_name))) void yuv_to_bgr_##suffix(YUVRow row, int count, uint32_t *to) {           \
        any_yuv_to_bgr(row, count, to);                                                                            \
    }

FORM(sse41, "sse4.1")
FORM(avx2, "avx2,fma")

#undef FORM

/// Of two neighbouring pixels: B B 0 0 as 16-bit pairs, then G, then R.
alignas(16) const int8_t of_three[16] = {0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1};
alignas(16) const int8_t of_four[16] = {0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, -1, -1, -1, -1};
/// B G R 0 of two pixels to B B G G R R 0 0, 16 bits each.
alignas(16) const int8_t by_channel[16] = {0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15};

__attribute__((target("sse4.1"))) void across_sse41(const uint8_t *row, const Taps &taps, int pixel_bytes, Rows to) {
    const __m128i pairs = _mm_load_si128(reinterpret_cast<const __m128i *>(pixel_bytes == 3 ? of_three : of_four));
    const __m128i channels = _mm_load_si128(reinterpret_cast<const __m128i *>(by_channel));
    const int32_t *offsets = taps.offsets.data();
    const int16_t *weights = taps.weights.data();
    int16_t *blue = to.plane(0), *green = to.plane(1), *red = to.plane(2);
    for (int group = 0; group < taps.groups(); group++, offsets += Taps::group, weights += 64) {
        for (int half = 0; half < 2; half++, blue += 4, green += 4, red += 4) {
            __m128i sums[4];
            for (int i = 0; i < 4; i++) {
                const __m128i pixels = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(row + offsets[4 * half + i]));
                const __m128i factors = _mm_loadu_si128(reinterpret_cast<const __m128i *>(weights + 16 * i + 8 * half));
                sums[i] = _mm_srli_epi32(_mm_madd_epi16(_mm_shuffle_epi8(pixels, pairs), factors), 4);
            }
            const __m128i a = _mm_shuffle_epi8(_mm_packs_epi32(sums[0], sums[1]), channels);
            const __m128i b = _mm_shuffle_epi8(_mm_packs_epi32(sums[2], sums[3]), channels);
            const __m128i low = _mm_unpacklo_epi32(a, b), high = _mm_unpackhi_epi32(a, b);
            _mm_storel_epi64(reinterpret_cast<__m128i *>(blue), low);
            _mm_storel_epi64(reinterpret_cast<__m128i *>(green), _mm_unpackhi_epi64(low, low));
            _mm_storel_epi64(reinterpret_cast<__m128i *>(red), high);
        }
    }
}

__attribute__((target("avx2"))) void across_avx2(const uint8_t *row, const Taps &taps, int pixel_bytes, Rows to) {
    const __m256i pairs = _mm256_broadcastsi128_si256(
        _mm_load_si128(reinterpret_cast<const __m128i *>(pixel_bytes == 3 ? of_three : of_four)));
    const __m256i channels = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i *>(by_channel)));
    const int32_t *offsets = taps.offsets.data();
    const int16_t *weights = taps.weights.data();
    int16_t *blue = to.plane(0), *green = to.plane(1), *red = to.plane(2);
    for (int group = 0; group < taps.groups(); group++, offsets += Taps::group, weights += 64) {
        __m256i sums[4];
        for (int i = 0; i < 4; i++) {
            const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(row + offsets[i]));
            const __m128i second = _mm_loadl_epi64(reinterpret_cast<const __m128i *>(row + offsets[4 + i]));
            const __m256i pixels = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
            const __m256i factors = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(weights + 16 * i));
            sums[i] = _mm256_srli_epi32(_mm256_madd_epi16(_mm256_shuffle_epi8(pixels, pairs), factors), 4);
        }
        const __m256i a = _mm256_shuffle_epi8(_mm256_packs_epi32(sums[0], sums[1]), channels);
        const __m256i b = _mm256_shuffle_epi8(_mm256_packs_epi32(sums[2], sums[3]), channels);
        // Each lane: four of blue, four of green; four of red.
        const __m256i low = _mm256_permute4x64_epi64(_mm256_unpacklo_epi32(a, b), 0xD8);
        const __m256i high = _mm256_permute4x64_epi64(_mm256_unpackhi_epi32(a, b), 0xD8);
        _mm_storeu_si128(reinterpret_cast<__m128i *>(blue), _mm256_castsi256_si128(low));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(green), _mm256_extracti128_si256(low, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i *>(red), _mm256_castsi256_si128(high));
        blue += Taps::group, green += Taps::group, red += Taps::group;
    }
}

#endif

std::vector<Kernels> runnable() {
    std::vector<Kernels> all{{"plain", any_across, any_down, any_down_grey, any_yuv_to_bgr}};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.1")) return all;
    all.push_back({"SSE4.1", across_sse41, down_sse41, down_grey_sse41, yuv_to_bgr_sse41});
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return all;
    // With AVX-512 the same loops are no faster.
    all.push_back({"AVX2", across_avx2, down_avx2, down_grey_avx2, yuv_to_bgr_avx2});
#endif
    return all;
}

}  // namespace

const std::vector<Kernels> &kernels() {
    static const std::vector<Kernels> all = runnable();
    return all;
}

}  // namespace vision
