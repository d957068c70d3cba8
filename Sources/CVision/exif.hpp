#pragma once

#include "decode.hpp"

namespace vision {

/// The orientation tag of a TIFF structure (what follows "Exif\0\0"); 1 where there is none or the bytes make no sense.
int tiff_orientation(Span tiff);

/// The same of a JPEG's APP1 segment.
int jpeg_orientation(Span jpeg);

/// The same of a WebP's EXIF chunk.
int webp_orientation(Span webp);

}  // namespace vision
