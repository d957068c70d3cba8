// The little that the tests of the core need.
#ifndef CVISION_TEST_H
#define CVISION_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "CVision.h"
#include "reference.h"

extern int failures;

#define EXPECT(condition, ...)                                             \
    do {                                                                   \
        if (!(condition)) {                                                \
            failures++;                                                    \
            printf("%s:%d: not so: %s: ", __FILE__, __LINE__, #condition); \
            printf(__VA_ARGS__);                                           \
            printf("\n");                                                  \
        }                                                                  \
    } while (0)

static const vision_limits usual = {50000000, 16384};

static inline vision_image *decode(bytes data, vision_error *error) {
    error->status = VISION_OK;
    error->text[0] = 0;
    return vision_image_decode(data.data, data.length, usual, error);
}

// A copy that is exactly as long, so that a read beyond the end is seen.
static inline bytes exact(const uint8_t *data, size_t length) {
    bytes copy = {(uint8_t *)malloc(length ? length : 1), length};
    if (length) memcpy(copy.data, data, length);
    return copy;
}

// Pixels of a picture with edges, slopes and noise.
bytes scene(int width, int height, int channels);

void test_pictures(void);
void test_orientation(void);
void test_limits(void);
void test_raw(void);
void test_drawing(void);
void test_preprocess(void);
void test_models(const char *fixtures);
// `models` may be empty.
void test_engines(const char *fixtures, const char *bundled, const char *models);
void test_onednn(void);
void test_input(void);
void test_openvino(const char *fixtures, const char *bundled, const char *models);
void test_fuzz(double seconds);

// The EXIF structure with one orientation, in either byte order.
bytes exif(int orientation, bool big_endian);
// `jpeg` with an APP1 segment that holds `tiff`.
bytes with_app1(bytes jpeg, bytes tiff);
bytes with_png_exif(bytes png, bytes tiff);
bytes with_webp_exif(bytes webp, int width, int height, bytes tiff);

#ifdef __cplusplus
}
#endif

#endif
