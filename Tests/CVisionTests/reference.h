// What OpenCV's own picture library says, for the tests to compare with.
#ifndef CVISION_REFERENCE_H
#define CVISION_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bytes {
    uint8_t *data;
    size_t length;
} bytes;

// BGR8 pixels as cv::imdecode gives them, orientation applied; length 0 where it refuses.
bytes reference_decode(bytes picture, int *width, int *height);

// Encodes pixels of 1, 3 or 4 channels; `depth` 8 or 16. `extension` ".jpg", ".png", ".webp"; `option` is one of
// OpenCV's imwrite flags, with its value; 0 for none.
bytes reference_encode(const char *extension, const uint8_t *pixels, int width, int height, int channels, int depth,
                       int option, int value);
enum {
    reference_jpeg_quality = 1,
    reference_jpeg_progressive = 2,
    reference_png_bilevel = 18,
    reference_webp_quality = 64
};

// A JPEG of four inks; `pixels` are C, M, Y and K.
bytes reference_encode_cmyk(const uint8_t *pixels, int width, int height);
// A PNG with a palette of `colours`, R, G, B and opacity each, of which `pixels` are indices.
bytes reference_encode_palette(const uint8_t *pixels, int width, int height, const uint8_t *palette, int colours);

// BGR8 of raw pixels by cv::cvtColor; `format` is a vision_format, rows packed.
bytes reference_convert(int format, const uint8_t *pixels, int width, int height);

#ifdef __cplusplus
}
#endif
#endif
