#include "test.h"

static void expect_refused(const uint8_t *data, size_t length, const char *words) {
    const bytes copy = exact(data, length);
    vision_error error;
    vision_image *image = decode(copy, &error);
    EXPECT(!image && error.status == VISION_BAD_PICTURE && strstr(error.text, words), "no '%s' in: %s", words,
           error.text);
    vision_image_free(image);
    free(copy.data);
}

// A JPEG header of 65,500 pixels a side, and little else.
static void test_huge_jpeg(void) {
    uint8_t jpeg[200] = {0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0};
    memset(jpeg + 7, 16, 64);
    static const uint8_t frame[] = {0xFF, 0xC0, 0, 11, 8, 0xFF, 0xDC, 0xFF, 0xDC, 1, 1, 0x11, 0,
                                    0xFF, 0xDA, 0, 8,  1, 1,    0,    0,    63,   0, 0, 0xFF, 0xD9};
    memcpy(jpeg + 71, frame, sizeof frame);
    expect_refused(jpeg, 71 + sizeof frame, "65500 x 65500 pixels exceed the limit of 16384 a side");
}

static void test_huge_png(void) {
    const bytes pixels = scene(8, 8, 3);
    const bytes png = reference_encode(".png", pixels.data, 8, 8, 3, 8, 0, 0);
    static const uint8_t size[] = {0, 0, 0x27, 0x10, 0, 0, 0x17, 0x70};
    memcpy(png.data + 16, size, sizeof size);
    expect_refused(png.data, png.length, "10000 x 6000 pixels exceed the limit of 50000000 pixels");
    static const uint8_t long_side[] = {0, 0, 0, 1, 0x7F, 0xFF, 0xFF, 0xFF};
    memcpy(png.data + 16, long_side, sizeof long_side);
    expect_refused(png.data, png.length, "1 x 2147483647 pixels exceed the limit of 16384 a side");
    static const uint8_t none[] = {0, 0, 0, 0, 0, 0, 0, 9};
    memcpy(png.data + 16, none, sizeof none);
    expect_refused(png.data, png.length, "no pixels");
    free(png.data);
    free(pixels.data);
}

// The limit itself is allowed.
static void test_limit_is_exact(void) {
    const bytes pixels = scene(40, 20, 3);
    const bytes jpeg = reference_encode(".jpg", pixels.data, 40, 20, 3, 8, 0, 0);
    vision_error error;
    vision_image *image = vision_image_decode(jpeg.data, jpeg.length, (vision_limits){800, 40}, &error);
    EXPECT(image, "%s", error.text);
    vision_image_free(image);
    EXPECT(!vision_image_decode(jpeg.data, jpeg.length, (vision_limits){799, 40}, &error), "one pixel too many");
    EXPECT(!vision_image_decode(jpeg.data, jpeg.length, (vision_limits){800, 39}, &error), "one column too many");
    free(jpeg.data);
    free(pixels.data);
}

// The place of the last scan's mark in a JPEG.
static size_t last_scan(bytes jpeg) {
    size_t at = jpeg.length - 2;
    while (at > 0 && (jpeg.data[at] != 0xFF || jpeg.data[at + 1] != 0xDA)) at--;
    return at;
}

// `jpeg` with its last scan `times` times more.
static bytes with_scans(bytes jpeg, int times) {
    const size_t from = last_scan(jpeg), scan = jpeg.length - 2 - from;
    bytes result = {malloc(jpeg.length + scan * (size_t)times), jpeg.length};
    memcpy(result.data, jpeg.data, jpeg.length - 2);
    uint8_t *to = result.data + jpeg.length - 2;
    for (int i = 0; i < times; i++, to += scan, result.length += scan) memcpy(to, jpeg.data + from, scan);
    memcpy(to, jpeg.data + jpeg.length - 2, 2);
    return result;
}

// Each scan of a progressive JPEG goes over all of it: some kilobytes would hold a thread for minutes.
static void test_scans(void) {
    enum { width = 12000, height = 4000, allowed = 31 };
    const bytes pixels = {calloc(width, height), (size_t)width * height};
    const bytes jpeg = reference_encode(".jpg", pixels.data, width, height, 1, 8, reference_jpeg_progressive, 1);
    free(pixels.data);
    // A grey one has six.
    const int scans = 6;
    const bytes most = with_scans(jpeg, allowed - scans), more = with_scans(jpeg, allowed - scans + 1);
    vision_error error;
    vision_image *image = decode(most, &error);
    EXPECT(image, "%d scans: %s", allowed, error.text);
    vision_image_free(image);
    expect_refused(more.data, more.length, "12000 x 4000 pixels has 32 scans; at this size, 31 are decoded");
    // What a segment holds is none of the picture's scans.
    bytes preview = {malloc(60000), 60000};
    for (size_t i = 0; i < preview.length; i++) preview.data[i] = i % 2 ? 0xDA : 0xFF;
    const bytes with_preview = with_app1(jpeg, preview);
    image = decode(with_preview, &error);
    EXPECT(image, "%s", error.text);
    vision_image_free(image);
    free(with_preview.data);
    free(preview.data);
    free(most.data);
    free(more.data);
    free(jpeg.data);
}

// A lossless WebP with prefix codes for each four by four pixels of a square, or what there is of it: its beginning.
static bytes webp_with_codes(uint64_t side) {
    uint64_t bits = 0;
    int count = 0;
    // Sides, no alpha, version 0; no transform, no colour cache; codes of their own for parts, of size 0.
    const uint64_t words[][2] = {{side - 1, 14}, {side - 1, 14}, {0, 4}, {0, 1}, {0, 1}, {1, 1}, {0, 3}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        bits |= words[i][0] << count;
        count += (int)words[i][1];
    }
    bytes file = {calloc(1, 64), 64};
    memcpy(file.data, "RIFF\x38\0\0\0WEBPVP8L\x2C\0\0\0\x2F", 21);
    for (int i = 0; i < 8; i++) file.data[21 + i] = (uint8_t)(bits >> 8 * i);
    return file;
}

// libwebp would make tables of some hundred megabytes of a file of some hundred kilobytes.
static void test_codes(void) {
    const bytes most = webp_with_codes(360), more = webp_with_codes(364);
    vision_error error;
    EXPECT(!decode(most, &error) && !strstr(error.text, "parts"), "%s", error.text);
    expect_refused(more.data, more.length, "WebP has prefix codes for 8281 parts of it, the limit is 8192");
    free(most.data);
    free(more.data);
}

void test_limits(void) {
    vision_error error;
    EXPECT(!vision_image_decode(NULL, 0, usual, &error) && strstr(error.text, "empty"), "%s", error.text);
    expect_refused((const uint8_t *)"this is not a picture", 21, "picture of 21 bytes is no JPEG, PNG or WebP");
    expect_refused((const uint8_t *)"\xFF", 1, "no JPEG, PNG or WebP");
    expect_refused((const uint8_t *)"GIF89a\1\0\1\0\0\0\0", 13, "no JPEG, PNG or WebP");
    expect_refused((const uint8_t *)"\xFF\xD8\xFF", 3, "truncated");
    test_huge_jpeg();
    test_huge_png();
    test_limit_is_exact();
    test_scans();
    test_codes();
}
