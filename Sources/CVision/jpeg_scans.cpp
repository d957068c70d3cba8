#include "jpeg_scans.hpp"

#include <cstring>

namespace vision {
namespace {

constexpr uint8_t mark = 0xFF, end_of_image = 0xD9, start_of_scan = 0xDA;

/// Marks without a segment behind them; 0 is a number of a scan that looks like a mark.
bool stands_alone(uint8_t name) {
    return name == 0x00 || name == 0x01 || (name >= 0xD0 && name <= 0xD8);
}

}  // namespace

size_t count_scans(Span jpeg) {
    size_t scans = 0;
    const uint8_t *at = jpeg.data, *const end = jpeg.data + jpeg.size;
    while (at < end) {
        at = static_cast<const uint8_t *>(std::memchr(at, mark, static_cast<size_t>(end - at)));
        if (!at) break;
        while (at < end && *at == mark) at++;
        if (at == end) break;
        const uint8_t name = *at++;
        if (stands_alone(name)) continue;
        if (name == end_of_image) break;
        if (name == start_of_scan) scans++;
        if (end - at < 2) break;
        const ptrdiff_t length = at[0] << 8 | at[1];
        if (length < 2 || length > end - at) break;
        at += length;
    }
    return scans;
}

}  // namespace vision
