#include "test.h"

// Our pixels are those of cv::imdecode.
static void expect_same(const char *what, bytes picture) {
    int width = 0, height = 0;
    const bytes wanted = reference_decode(picture, &width, &height);
    const bytes copy = exact(picture.data, picture.length);
    vision_error error;
    vision_image *image = decode(copy, &error);
    EXPECT(wanted.length > 0, "%s: the reference refuses", what);
    EXPECT(image != NULL, "%s: %s", what, error.text);
    if (image) {
        EXPECT(vision_image_width(image) == width && vision_image_height(image) == height, "%s: %d x %d, not %d x %d",
               what, vision_image_width(image), vision_image_height(image), width, height);
        EXPECT(memcmp(vision_image_pixels(image), wanted.data, wanted.length) == 0, "%s: other pixels", what);
    }
    vision_image_free(image);
    free(copy.data);
    free(wanted.data);
}

static void expect_truncated(const char *what, bytes picture) {
    for (int percent = 1; percent < 100; percent++) {
        const bytes part = exact(picture.data, picture.length * (size_t)percent / 100);
        vision_error error;
        vision_image *image = decode(part, &error);
        EXPECT(!image, "%s: %d %% of it are a picture", what, percent);
        if (!image && part.length > 12) {
            EXPECT(error.status == VISION_BAD_PICTURE && strstr(error.text, "truncated"), "%s: %d %%: %s", what,
                   percent, error.text);
        }
        vision_image_free(image);
        free(part.data);
    }
}

static void each(const char *what, const char *extension, int channels, int depth, int option, int value) {
    const bytes pixels = scene(97, 61, channels);
    const bytes picture = reference_encode(extension, pixels.data, 97, 61, channels, depth, option, value);
    expect_same(what, picture);
    expect_truncated(what, picture);
    free(picture.data);
    free(pixels.data);
}

static void put(bytes *to, const void *data, size_t length) {
    memcpy(to->data + to->length, data, length);
    to->length += length;
}

static void put_number(bytes *to, size_t value, int count) {
    for (int i = 0; i < count; i++, value >>= 8) to->data[to->length++] = (uint8_t)value;
}

// An animated WebP of two pictures (each a file of one chunk), the first one at such a place.
static bytes animated(int width, int height, bytes first, int first_width, int first_height, int x, int y,
                      bytes second) {
    bytes file = {malloc(first.length + second.length + 200), 0};
    put(&file, "RIFF\0\0\0\0WEBPVP8X", 16);
    put_number(&file, 10, 4);
    put_number(&file, 2, 4);  // Animated.
    put_number(&file, (size_t)width - 1, 3);
    put_number(&file, (size_t)height - 1, 3);
    put(&file, "ANIM\6\0\0\0\0\0\0\0\0\0", 14);
    const bytes pictures[2] = {first, second};
    for (int i = 0; i < 2; i++) {
        put(&file, "ANMF", 4);
        put_number(&file, 16 + pictures[i].length - 12, 4);
        put_number(&file, i ? 0 : (size_t)x / 2, 3);
        put_number(&file, i ? 0 : (size_t)y / 2, 3);
        put_number(&file, (size_t)(i ? width : first_width) - 1, 3);
        put_number(&file, (size_t)(i ? height : first_height) - 1, 3);
        put_number(&file, 100, 4);
        put(&file, pictures[i].data + 12, pictures[i].length - 12);
    }
    const size_t size = file.length - 8;
    for (int i = 0; i < 4; i++) file.data[4 + i] = (uint8_t)(size >> 8 * i);
    return file;
}

// Of a picture that moves, the first one.
static void test_animated(int quality) {
    enum { width = 98, height = 60, small_width = 31, small_height = 21, x = 20, y = 6 };
    const bytes colours = scene(width, height, 3), part = scene(small_width, small_height, 3);
    const bytes whole = reference_encode(".webp", colours.data, width, height, 3, 8, reference_webp_quality, quality);
    const bytes small =
        reference_encode(".webp", part.data, small_width, small_height, 3, 8, reference_webp_quality, quality);
    vision_error error;
    vision_image *still = decode(whole, &error), *still_part = decode(small, &error);
    bytes file = animated(width, height, whole, width, height, 0, 0, small);
    expect_truncated("animated WebP", file);
    vision_image *image = decode(file, &error);
    EXPECT(image && vision_image_width(image) == width && vision_image_height(image) == height, "%s", error.text);
    if (image) {
        EXPECT(memcmp(vision_image_pixels(image), vision_image_pixels(still), width * height * 3) == 0, "other pixels");
    }
    vision_image_free(image);
    free(file.data);

    file = animated(width, height, small, small_width, small_height, x, y, whole);
    image = decode(file, &error);
    EXPECT(image, "%s", error.text);
    int wrong = 0;
    for (int row = 0; image && row < height; row++) {
        for (int column = 0; column < width; column++) {
            const bool inside = column >= x && column < x + small_width && row >= y && row < y + small_height;
            const uint8_t *got = vision_image_pixels(image) + 3 * (row * width + column);
            const uint8_t *wanted =
                vision_image_pixels(still_part) + 3 * (inside ? (row - y) * small_width + column - x : 0);
            wrong += inside ? memcmp(got, wanted, 3) != 0 : got[0] || got[1] || got[2];
        }
    }
    EXPECT(wrong == 0, "%d pixels are others", wrong);
    vision_image_free(image);
    free(file.data);

    file = animated(width, height, small, small_width, small_height, width - small_width + 2, y, whole);
    EXPECT(!decode(file, &error) && strstr(error.text, "sticks out"), "%s", error.text);
    free(file.data);
    vision_image_free(still);
    vision_image_free(still_part);
    free(whole.data);
    free(small.data);
    free(colours.data);
    free(part.data);
}

// Lossless pictures of all kinds that libwebp tells apart: of few colours, of one, of so many parts that they have
// codes of their own.
static void test_lossless(void) {
    static const struct {
        const char *what;
        int width, height;
        uint8_t kept;
    } kinds[] = {{"two colours", 131, 70, 0x00},   {"few colours", 131, 70, 0x80},
                 {"more colours", 131, 70, 0xC0},  {"a small one", 3, 2, 0xFF},
                 {"a large one", 1500, 900, 0xFF}, {"another large one", 900, 1501, 0xF0}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const int width = kinds[i].width, height = kinds[i].height;
        const bytes pixels = scene(width, height, 3);
        for (size_t at = 0; at < pixels.length; at++) pixels.data[at] &= kinds[i].kept;
        if (kinds[i].kept == 0) pixels.data[0] = 255;
        const bytes picture = reference_encode(".webp", pixels.data, width, height, 3, 8, reference_webp_quality, 101);
        expect_same(kinds[i].what, picture);
        free(picture.data);
        free(pixels.data);
    }
}

// A file with a second picture in it, or behind its end: the first one counts.
static void test_second_picture(int first_quality, int second_quality, bool is_inside) {
    const bytes pixels = scene(97, 61, 3), others = scene(31, 21, 3);
    const bytes first = reference_encode(".webp", pixels.data, 97, 61, 3, 8, reference_webp_quality, first_quality);
    const bytes second = reference_encode(".webp", others.data, 31, 21, 3, 8, reference_webp_quality, second_quality);
    bytes file = {malloc(first.length + second.length), 0};
    put(&file, first.data, first.length);
    put(&file, second.data + 12, second.length - 12);
    if (is_inside) {
        const size_t size = file.length - 8;
        for (int i = 0; i < 4; i++) file.data[4 + i] = (uint8_t)(size >> 8 * i);
    }
    expect_same("WebP with a second picture", file);
    free(file.data);
    free(second.data);
    free(first.data);
    free(others.data);
    free(pixels.data);
}

static void test_inks_and_palettes(void) {
    enum { width = 97, height = 61, colours = 5 };
    const bytes inks = scene(width, height, 4);
    const bytes jpeg = reference_encode_cmyk(inks.data, width, height);
    expect_same("JPEG of four inks", jpeg);
    expect_truncated("JPEG of four inks", jpeg);
    // Some of its colours are not there, or half.
    const uint8_t palette[colours * 4] = {0, 0,   0,  255, 255, 0,   0,   0,   0,   255,
                                          0, 128, 10, 20,  30,  255, 200, 210, 220, 1};
    for (size_t i = 0; i < width * height; i++) inks.data[i] %= colours;
    const bytes png = reference_encode_palette(inks.data, width, height, palette, colours);
    expect_same("PNG with a palette", png);
    expect_truncated("PNG with a palette", png);
    free(png.data);
    free(jpeg.data);
    free(inks.data);
}

void test_pictures(void) {
    each("JPEG", ".jpg", 3, 8, reference_jpeg_quality, 90);
    each("grey JPEG", ".jpg", 1, 8, 0, 0);
    each("progressive JPEG", ".jpg", 3, 8, reference_jpeg_progressive, 1);
    each("PNG", ".png", 3, 8, 0, 0);
    each("grey PNG", ".png", 1, 8, 0, 0);
    each("PNG of one bit", ".png", 1, 8, reference_png_bilevel, 1);
    each("PNG with alpha", ".png", 4, 8, 0, 0);
    each("PNG of 16 bits", ".png", 3, 16, 0, 0);
    each("grey PNG of 16 bits", ".png", 1, 16, 0, 0);
    each("WebP", ".webp", 3, 8, reference_webp_quality, 80);
    each("WebP without loss", ".webp", 3, 8, reference_webp_quality, 101);
    each("WebP with alpha", ".webp", 4, 8, reference_webp_quality, 80);
    test_lossless();
    for (int is_inside = 0; is_inside < 2; is_inside++) {
        test_second_picture(101, 80, is_inside);
        test_second_picture(80, 101, is_inside);
    }
    test_inks_and_palettes();
    test_animated(80);
    test_animated(101);
}
