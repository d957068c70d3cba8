// Exif 2.3 (CIPA DC-008), TIFF 6.0. Every read is checked against the end: the bytes come from strangers.
#include "exif.hpp"

#include <cstring>

namespace vision {
namespace {

constexpr uint16_t orientation_tag = 0x0112;
constexpr uint16_t type_short = 3;
/// Segments or chunks that are looked at before giving up.
constexpr int max_segments = 256;

/// Reads numbers in the structure's own byte order; what lies beyond the end reads as 0.
struct Reader {
    Span bytes;
    bool big_endian;

    bool has(uint64_t offset, uint64_t count) const { return offset <= bytes.size && bytes.size - offset >= count; }
    uint32_t number(uint64_t offset, int count) const {
        if (!has(offset, static_cast<uint64_t>(count))) return 0;
        uint32_t value = 0;
        for (int i = 0; i < count; i++) {
            const int at = big_endian ? i : count - 1 - i;
            value = value << 8 | bytes.data[offset + static_cast<uint64_t>(at)];
        }
        return value;
    }
};

Span without_exif_mark(Span bytes) {
    if (bytes.size >= 6 && std::memcmp(bytes.data, "Exif\0\0", 6) == 0) return {bytes.data + 6, bytes.size - 6};
    return bytes;
}

}  // namespace

int tiff_orientation(Span tiff) {
    if (tiff.size < 8) return 1;
    Reader reader{tiff, tiff.data[0] == 'M'};
    const char *order = reader.big_endian ? "MM" : "II";
    if (std::memcmp(tiff.data, order, 2) != 0 || reader.number(2, 2) != 42) return 1;
    const uint64_t directory = reader.number(4, 4);
    const uint32_t entries = reader.number(directory, 2);
    for (uint32_t i = 0; i < entries; i++) {
        const uint64_t entry = directory + 2 + uint64_t{12} * i;
        if (!reader.has(entry, 12)) return 1;
        if (reader.number(entry, 2) != orientation_tag) continue;
        const uint32_t value = reader.number(entry + 8, 2);
        const bool sane = reader.number(entry + 2, 2) == type_short && value >= 1 && value <= 8;
        return sane ? static_cast<int>(value) : 1;
    }
    return 1;
}

int jpeg_orientation(Span jpeg) {
    Reader reader{jpeg, true};
    uint64_t at = 2;
    for (int i = 0; i < max_segments && reader.has(at, 4) && jpeg.data[at] == 0xFF; i++) {
        const uint8_t marker = jpeg.data[at + 1];
        if (marker == 0xFF) {  // Fill byte.
            at += 1;
            continue;
        }
        const uint64_t length = reader.number(at + 2, 2);
        // The picture's data begins, or the walk has lost its way.
        if (marker == 0xDA || marker == 0xD9 || length < 2 || !reader.has(at + 2, length)) return 1;
        const Span segment{jpeg.data + at + 4, static_cast<size_t>(length - 2)};
        if (marker == 0xE1 && segment.size >= 6 && std::memcmp(segment.data, "Exif\0\0", 6) == 0) {
            return tiff_orientation(without_exif_mark(segment));
        }
        at += 2 + length;
    }
    return 1;
}

int webp_orientation(Span webp) {
    Reader reader{webp, false};
    uint64_t at = 12;
    for (int i = 0; i < max_segments && reader.has(at, 8); i++) {
        const uint64_t length = reader.number(at + 4, 4);
        if (!reader.has(at + 8, length)) return 1;
        if (std::memcmp(webp.data + at, "EXIF", 4) == 0) {
            return tiff_orientation(without_exif_mark({webp.data + at + 8, static_cast<size_t>(length)}));
        }
        at += 8 + length + (length & 1);
    }
    return 1;
}

}  // namespace vision
