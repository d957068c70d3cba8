// Where an MP4 or MOV has its index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace framemesh {

/// Of what begins with `head`: the frames (`mdat`) come before the index (`moov`), as FFmpeg and phones write it unless
/// asked for something else.
inline bool mov_index_is_behind(const uint8_t* head, size_t count) {
    size_t at = 0;
    while (count - at >= 8) {
        const uint8_t* atom = head + at;
        if (std::memcmp(atom + 4, "moov", 4) == 0) return false;
        if (std::memcmp(atom + 4, "mdat", 4) == 0) return true;
        const size_t size = size_t(atom[0]) << 24 | size_t(atom[1]) << 16 | size_t(atom[2]) << 8 | size_t(atom[3]);
        if (size < 8 || size > count - at) return false;
        at += size;
    }
    return false;
}

}  // namespace framemesh
