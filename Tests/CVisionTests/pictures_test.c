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
}
