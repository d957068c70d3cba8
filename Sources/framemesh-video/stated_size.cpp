#include "stated_size.hpp"

#include <cstring>

namespace framemesh {
namespace {

constexpr uint32_t kEBML = 0x1A45'DFA3, kSegment = 0x1853'8067;

/// Big-endian.
uint64_t integer(const uint8_t* bytes, size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) value = value << 8 | bytes[i];
    return value;
}

/// An element of Matroska (EBML, RFC 8794): its name, and the place behind its head.
struct Element {
    uint32_t name = 0;
    size_t body = 0;
    /// -1: it is not said.
    int64_t byte_count = -1;
};

/// - Returns: without a name if there is none.
Element element(const uint8_t* head, size_t count, size_t at) {
    if (count < 4 || at > count - 4 || head[at] < 0x10) return {};
    size_t name_bytes = 1;
    while (!(head[at] & 0x80 >> (name_bytes - 1))) name_bytes++;
    Element found{uint32_t(integer(head + at, name_bytes)), at + name_bytes};
    if (found.body >= count || head[found.body] == 0) return {};
    size_t size_bytes = 1;
    while (!(head[found.body] & 0x80 >> (size_bytes - 1))) size_bytes++;
    if (size_bytes > count - found.body) return {};
    const uint64_t mask = (uint64_t(1) << 7 * size_bytes) - 1;
    const uint64_t size = integer(head + found.body, size_bytes) & mask;
    if (size != mask) found.byte_count = int64_t(size);
    found.body += size_bytes;
    return found;
}

int64_t of_matroska(const uint8_t* head, size_t count) {
    const Element first = element(head, count, 0);
    if (first.name != kEBML || first.byte_count < 0 || first.byte_count > int64_t(count)) return 0;
    const Element segment = element(head, count, first.body + size_t(first.byte_count));
    return segment.name == kSegment && segment.byte_count > 0 ? int64_t(segment.body) + segment.byte_count : 0;
}

int64_t of_riff(const uint8_t* head, size_t count) {
    if (count < 8) return 0;
    const int64_t size = int64_t(head[4]) | int64_t(head[5]) << 8 | int64_t(head[6]) << 16 | int64_t(head[7]) << 24;
    // Writers that do not know it yet leave 0 or all ones.
    return size == 0 || size >= 0xFFFF'FF00 ? 0 : size + 8;
}

}  // namespace

int64_t stated_byte_count(const uint8_t* head, size_t count) {
    if (count < 4) return 0;
    if (std::memcmp(head, "RIFF", 4) == 0) return of_riff(head, count);
    return of_matroska(head, count);
}

}  // namespace framemesh
