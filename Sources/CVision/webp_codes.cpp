#include "webp_codes.hpp"

#include <array>
#include <vector>

#include "guard.hpp"

namespace vision {
namespace {

constexpr int longest_code = 15;
constexpr uint8_t signature = 0x2F;

[[noreturn]] void refuse(const char *what) {
    fail(VISION_BAD_PICTURE, "WebP cannot be decoded: %s", what);
}

/// The least significant bit comes first.
class Bits {
  public:
    explicit Bits(Span bytes) : bytes_(bytes) {}

    uint32_t next(int count) {
        uint32_t value = 0;
        for (int i = 0; i < count; i++, at_++) {
            if (at_ / 8 >= bytes_.size) fail(VISION_BAD_PICTURE, "WebP of %zu bytes is truncated", bytes_.size);
            value |= static_cast<uint32_t>(bytes_.data[at_ / 8] >> at_ % 8 & 1) << i;
        }
        return value;
    }

  private:
    Span bytes_;
    size_t at_ = 0;
};

/// A prefix code, by how many bits the code of each symbol has.
class PrefixCode {
  public:
    explicit PrefixCode(const std::vector<uint8_t> &lengths) {
        std::array<uint32_t, longest_code + 2> starts{};
        for (const uint8_t length : lengths) counts_[length]++;
        counts_[0] = 0;
        for (size_t i = 1; i <= longest_code; i++) starts[i + 1] = starts[i] + counts_[i];
        symbols_.resize(starts[longest_code + 1]);
        for (size_t i = 0; i < lengths.size(); i++) {
            if (lengths[i] > 0) symbols_[starts[lengths[i]]++] = static_cast<uint16_t>(i);
        }
        if (symbols_.empty()) refuse("a prefix code has no symbols");
    }

    uint32_t next(Bits &bits) const {
        // The only one needs none.
        if (symbols_.size() == 1) return symbols_[0];
        uint32_t code = 0, first = 0, passed = 0;
        for (size_t length = 1; length <= longest_code; length++) {
            code |= bits.next(1);
            const uint32_t count = counts_[length];
            if (code >= first && code - first < count) return symbols_[passed + code - first];
            passed += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        refuse("bits that are no prefix code");
    }

  private:
    std::array<uint32_t, longest_code + 1> counts_{};
    /// By their codes.
    std::vector<uint16_t> symbols_;
};

/// One or two symbols, told by themselves.
PrefixCode read_short_code(Bits &bits, size_t symbols) {
    const uint32_t count = bits.next(1) + 1;
    const uint32_t first = bits.next(bits.next(1) ? 8 : 1);
    std::vector<uint8_t> lengths(symbols);
    if (first < symbols) lengths[first] = 1;
    const uint32_t second = count == 2 ? bits.next(8) : first;
    if (second < symbols) lengths[second] = 1;
    return PrefixCode(lengths);
}

PrefixCode read_code(Bits &bits, size_t symbols) {
    if (bits.next(1)) return read_short_code(bits, symbols);
    static constexpr size_t order[] = {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    std::vector<uint8_t> of_lengths(std::size(order));
    const size_t count = bits.next(4) + 4;
    for (size_t i = 0; i < count; i++) of_lengths[order[i]] = static_cast<uint8_t>(bits.next(3));
    const PrefixCode code(of_lengths);
    size_t left = symbols;
    if (bits.next(1)) left = 2 + bits.next(2 + 2 * static_cast<int>(bits.next(3)));
    if (left > symbols) refuse("a prefix code of too many symbols");
    std::vector<uint8_t> lengths(symbols);
    uint8_t last = 8;
    for (size_t at = 0; at < symbols && left > 0; left--) {
        const uint32_t word = code.next(bits);
        if (word <= longest_code) {
            lengths[at++] = static_cast<uint8_t>(word);
            if (word > 0) last = static_cast<uint8_t>(word);
            continue;
        }
        const size_t times = word == 16 ? 3 + bits.next(2) : word == 17 ? 3 + bits.next(3) : 11 + bits.next(7);
        if (times > symbols - at) refuse("a prefix code of too many symbols");
        for (size_t i = 0; i < times; i++) lengths[at++] = word == 16 ? last : 0;
    }
    return PrefixCode(lengths);
}

/// A length or a distance of a copy, as far as its bits go.
uint32_t read_number(Bits &bits, uint32_t prefix) {
    if (prefix < 4) return prefix + 1;
    const int extra = static_cast<int>(prefix - 2) >> 1;
    return ((2 + (prefix & 1)) << extra) + bits.next(extra) + 1;
}

/// How many colours a cache of them has, if there is one.
size_t read_cache(Bits &bits) {
    if (!bits.next(1)) return 0;
    const uint32_t size = bits.next(4);
    if (size < 1 || size > 11) refuse("a colour cache of a size that there is none of");
    return size_t{1} << size;
}

/// Goes over an image of a transform, whose codes are the same everywhere.
void skip_image(Bits &bits, uint64_t pixels) {
    constexpr uint32_t literals = 256, lengths = 24, distances = 40;
    const size_t cached = read_cache(bits);
    const PrefixCode green = read_code(bits, literals + lengths + cached);
    const PrefixCode red = read_code(bits, literals), blue = read_code(bits, literals),
                     alpha = read_code(bits, literals);
    const PrefixCode distance = read_code(bits, distances);
    for (uint64_t at = 0; at < pixels;) {
        const uint32_t symbol = green.next(bits);
        if (symbol < literals) {
            for (const PrefixCode *each : {&red, &blue, &alpha}) each->next(bits);
            at++;
        } else if (symbol < literals + lengths) {
            at += read_number(bits, symbol - literals);
            read_number(bits, distance.next(bits));
        } else {
            at++;
        }
    }
}

uint64_t parts(uint64_t side, int bits) {
    return (side + (uint64_t{1} << bits) - 1) >> bits;
}

/// Goes over the transforms. Those of few colours have several pixels in one: the picture becomes narrower.
void skip_transforms(Bits &bits, uint64_t &width, uint64_t height) {
    // The fourth one, 2, has no image.
    constexpr uint32_t predictor = 0, colour = 1, palette = 3;
    for (uint32_t seen = 0; bits.next(1);) {
        const uint32_t kind = bits.next(2);
        if (seen & 1u << kind) refuse("a transform comes twice");
        seen |= 1u << kind;
        if (kind == predictor || kind == colour) {
            const int size = static_cast<int>(bits.next(3)) + 2;
            skip_image(bits, parts(width, size) * parts(height, size));
        } else if (kind == palette) {
            const uint32_t colours = bits.next(8) + 1;
            skip_image(bits, colours);
            width = parts(width, colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3);
        }
    }
}

}  // namespace

uint64_t count_code_parts(Span lossless) {
    Bits bits(lossless);
    if (bits.next(8) != signature) refuse("it is not what it says");
    uint64_t width = bits.next(14) + 1;
    const uint64_t height = bits.next(14) + 1;
    // Alpha, and a version.
    bits.next(4);
    skip_transforms(bits, width, height);
    read_cache(bits);
    if (!bits.next(1)) return 1;
    const int size = static_cast<int>(bits.next(3)) + 2;
    return parts(width, size) * parts(height, size);
}

}  // namespace vision
