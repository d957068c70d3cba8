#pragma once

#include <cstdint>

#include "decode.hpp"

namespace vision {

/// For how many parts of its picture a lossless WebP may have prefix codes of their own; libwebp makes tables for as
/// many as are named, up to 65,536, of up to 20 KB each, before it decodes a pixel. Read as the specification of WebP's
/// lossless bitstream has it, up to where it says so.
/// - lossless: the content of a chunk VP8L.
/// Throws where it cannot be read so far.
uint64_t count_code_parts(Span lossless);

}  // namespace vision
