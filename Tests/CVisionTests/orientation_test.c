#include "test.h"

// Where the stored pixel (x, y) is displayed (EXIF 2.3, table of orientations).
static void displayed(int orientation, int width, int height, int x, int y, int *to_x, int *to_y) {
    const int mirrored_x = width - 1 - x, mirrored_y = height - 1 - y;
    switch (orientation) {
        case 2:
            *to_x = mirrored_x, *to_y = y;
            break;
        case 3:
            *to_x = mirrored_x, *to_y = mirrored_y;
            break;
        case 4:
            *to_x = x, *to_y = mirrored_y;
            break;
        case 5:
            *to_x = y, *to_y = x;
            break;
        case 6:
            *to_x = mirrored_y, *to_y = x;
            break;
        case 7:
            *to_x = mirrored_y, *to_y = mirrored_x;
            break;
        case 8:
            *to_x = y, *to_y = mirrored_x;
            break;
        default:
            *to_x = x, *to_y = y;
            break;
    }
}

// `picture` is `upright` turned as `orientation` says.
static void expect_turned(const char *what, int orientation, bytes upright, bytes picture) {
    vision_error error;
    vision_image *from = decode(upright, &error);
    vision_image *image = decode(picture, &error);
    EXPECT(from && image, "%s %d: %s", what, orientation, error.text);
    if (from && image) {
        const int width = vision_image_width(from), height = vision_image_height(from);
        const bool turned = orientation >= 5 && orientation <= 8;
        EXPECT(vision_image_width(image) == (turned ? height : width), "%s %d: width", what, orientation);
        EXPECT(vision_image_height(image) == (turned ? width : height), "%s %d: height", what, orientation);
        int wrong = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int to_x, to_y;
                displayed(orientation, width, height, x, y, &to_x, &to_y);
                const uint8_t *a = vision_image_pixels(from) + ((size_t)y * (size_t)width + (size_t)x) * 3;
                const uint8_t *b =
                    vision_image_pixels(image) + ((size_t)to_y * (size_t)vision_image_width(image) + (size_t)to_x) * 3;
                wrong += memcmp(a, b, 3) != 0;
            }
        }
        EXPECT(wrong == 0, "%s %d: %d pixels lie elsewhere", what, orientation, wrong);
    }
    vision_image_free(from);
    vision_image_free(image);
}

// OpenCV turns JPEGs too.
static void expect_reference_turns(int orientation, bytes jpeg) {
    int width = 0, height = 0;
    const bytes wanted = reference_decode(jpeg, &width, &height);
    vision_error error;
    vision_image *image = decode(jpeg, &error);
    EXPECT(image && vision_image_width(image) == width && vision_image_height(image) == height &&
               memcmp(vision_image_pixels(image), wanted.data, wanted.length) == 0,
           "orientation %d: not as the reference", orientation);
    vision_image_free(image);
    free(wanted.data);
}

void test_orientation(void) {
    const int width = 37, height = 22;
    const bytes pixels = scene(width, height, 3);
    const bytes jpeg = reference_encode(".jpg", pixels.data, width, height, 3, 8, reference_jpeg_quality, 95);
    const bytes png = reference_encode(".png", pixels.data, width, height, 3, 8, 0, 0);
    const bytes webp = reference_encode(".webp", pixels.data, width, height, 3, 8, reference_webp_quality, 80);
    // 0 and 9 mean nothing.
    for (int orientation = 0; orientation <= 9; orientation++) {
        for (int big_endian = 0; big_endian < 2; big_endian++) {
            const bytes tiff = exif(orientation, big_endian);
            const bytes turned_jpeg = with_app1(jpeg, tiff);
            const bytes turned_png = with_png_exif(png, tiff);
            const bytes turned_webp = with_webp_exif(webp, width, height, tiff);
            expect_turned("JPEG", orientation, jpeg, turned_jpeg);
            if (orientation >= 1 && orientation <= 8) expect_reference_turns(orientation, turned_jpeg);
            expect_turned("PNG", orientation, png, turned_png);
            expect_turned("WebP", orientation, webp, turned_webp);
            free(turned_jpeg.data);
            free(turned_png.data);
            free(turned_webp.data);
            free(tiff.data);
        }
    }
    free(jpeg.data);
    free(png.data);
    free(webp.data);
    free(pixels.data);
}
