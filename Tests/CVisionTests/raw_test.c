#include "test.h"

static const char *const names[] = {"BGR8", "RGB8", "GRAY8", "NV12", "I420"};

static size_t row_bytes(vision_format format, int width) {
    return (size_t)width * (format == VISION_BGR8 || format == VISION_RGB8 ? 3 : 1);
}

// The packed rows with `padding` bytes behind each.
static bytes padded(vision_format format, bytes packed, int width, int height, size_t padding) {
    const size_t row = row_bytes(format, width), stride = row + padding;
    const int halves = format == VISION_I420 ? height : format == VISION_NV12 ? height / 2 : 0;
    const size_t half = format == VISION_I420 ? 2 : 1;
    const size_t length = stride * (size_t)height + stride / half * (size_t)halves;
    bytes result = {malloc(length), length};
    memset(result.data, 0xEE, length);
    uint8_t *to = result.data;
    const uint8_t *from = packed.data;
    for (int y = 0; y < height; y++, to += stride, from += row) memcpy(to, from, row);
    for (int y = 0; y < halves; y++, to += stride / half, from += row / half) memcpy(to, from, row / half);
    return result;
}

static void expect_converted(vision_format format, size_t padding) {
    const int width = 46, height = 30;
    const bool halved = format == VISION_NV12 || format == VISION_I420;
    const bytes packed = scene((int)row_bytes(format, width), halved ? height * 3 / 2 : height, 1);
    const bytes wanted = reference_convert(format, packed.data, width, height);
    const bytes given = padded(format, packed, width, height, padding);
    const size_t stride = padding ? row_bytes(format, width) + padding : 0;
    vision_error error = {VISION_OK, ""};
    vision_image *image =
        vision_image_create(format, width, height, (int64_t)stride, given.data, given.length, usual, &error);
    EXPECT(image, "%s: %s", names[format], error.text);
    if (image) {
        EXPECT(memcmp(vision_image_pixels(image), wanted.data, wanted.length) == 0, "%s, padding %zu: other pixels",
               names[format], padding);
    }
    vision_image_free(image);
    free(given.data);
    free(wanted.data);
    free(packed.data);
}

static void expect_refused(vision_format format, int64_t width, int64_t height, int64_t stride, size_t length,
                           const char *words) {
    uint8_t *data = calloc(1, length ? length : 1);
    vision_error error = {VISION_OK, ""};
    vision_image *image = vision_image_create(format, width, height, stride, data, length, usual, &error);
    EXPECT(!image && error.status == VISION_BAD_PICTURE && strstr(error.text, words), "no '%s' in: %s", words,
           error.text);
    vision_image_free(image);
    free(data);
}

void test_raw(void) {
    for (int format = VISION_BGR8; format <= VISION_I420; format++) {
        expect_converted((vision_format)format, 0);
        expect_converted((vision_format)format, 18);
    }
    expect_refused(VISION_BGR8, 640, 480, 0, 100, "needs 921600 bytes, not 100");
    expect_refused(VISION_GRAY8, 10, 10, 0, 101, "needs 100 bytes, not 101");
    expect_refused(VISION_GRAY8, 10, 10, 12, 117, "needs 120 bytes, not 117");
    expect_refused(VISION_RGB8, 10, 10, 29, 290, "row stride 29");
    expect_refused(VISION_RGB8, 10, 10, -30, 300, "row stride -30");
    expect_refused(VISION_RGB8, 10, 10, INT64_MAX, 300, "row stride");
    expect_refused(VISION_NV12, 11, 10, 0, 165, "even");
    expect_refused(VISION_I420, 10, 10, 11, 165, "even");
    expect_refused(VISION_GRAY8, 0, 10, 0, 10, "no pixels");
    expect_refused(VISION_GRAY8, -4, -4, 0, 16, "no pixels");
    expect_refused(VISION_GRAY8, INT64_MAX, INT64_MAX, 0, 16, "exceed the limit");
    expect_refused(VISION_GRAY8, 10, 10, 0, 0, "empty");
}
