// How many bytes a file has by its own word.
#pragma once

#include <cstddef>
#include <cstdint>

namespace framemesh {

/// What of a file's start `stated_byte_count` may look at.
constexpr size_t kStatedSizeBytes = 4096;

/// The size of the whole file by what its start says: RIFF (AVI), the segment of Matroska and WebM. `filesize` of FLV
/// is not asked: it may be that of the stream that the file was recorded from. 0 where it is another kind of file, or says nothing, as those that were written while they were sent.
int64_t stated_byte_count(const uint8_t* head, size_t count);

}  // namespace framemesh
