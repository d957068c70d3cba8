// A short fuzz with a fixed seed: damaged pictures are decoded or refused, and the sanitizers stay quiet.
#include <time.h>

#include "test.h"

static uint32_t state = 20260101;

static uint32_t chance(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % below;
}

static double now(void) {
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bytes damaged(bytes seed) {
    size_t length = seed.length;
    if (chance(4) == 0) length = chance((uint32_t)length + 1);
    bytes result = exact(seed.data, length);
    if (length == 0) return result;
    for (uint32_t count = chance(8); count > 0; count--) {
        // Headers matter more than pixels.
        const uint32_t reach = chance(2) && length > 128 ? 128 : (uint32_t)length;
        const uint32_t at = chance(reach);
        static const uint8_t extremes[] = {0, 1, 0x7F, 0x80, 0xFF, 0xD8, 0xD9, 0xDA};
        switch (chance(3)) {
            case 0:
                result.data[at] ^= (uint8_t)(1u << chance(8));
                break;
            case 1:
                result.data[at] = extremes[chance(sizeof extremes)];
                break;
            default: {
                uint32_t run = chance(16) + 1;
                if (run > length - at) run = (uint32_t)length - at;
                memmove(result.data + at, result.data + chance((uint32_t)length - run + 1), run);
            }
        }
    }
    return result;
}

void test_fuzz(double seconds) {
    const int width = 40, height = 28;
    const bytes pixels = scene(width, height, 4), colours = scene(width, height, 3);
    const bytes tiff = exif(6, true), other = exif(5, false);
    bytes seeds[10];
    seeds[0] = reference_encode(".jpg", colours.data, width, height, 3, 8, 0, 0);
    seeds[1] = reference_encode(".jpg", colours.data, width, height, 3, 8, reference_jpeg_progressive, 1);
    seeds[2] = with_app1(seeds[0], tiff);
    seeds[3] = reference_encode(".png", colours.data, width, height, 3, 8, 0, 0);
    seeds[4] = reference_encode(".png", pixels.data, width, height, 4, 16, 0, 0);
    seeds[5] = with_png_exif(seeds[3], other);
    seeds[6] = reference_encode(".webp", colours.data, width, height, 3, 8, reference_webp_quality, 70);
    seeds[7] = reference_encode(".webp", pixels.data, width, height, 4, 8, reference_webp_quality, 101);
    seeds[8] = with_webp_exif(seeds[6], width, height, tiff);
    seeds[9] = with_app1(seeds[1], other);

    // Small, so that a header that lies costs no time.
    const vision_limits limits = {1 << 20, 4096};
    long runs = 0, decoded = 0;
    for (const double end = now() + seconds; now() < end; runs++) {
        const bytes picture = damaged(seeds[chance(10)]);
        vision_error error = {VISION_OK, ""};
        vision_image *image = vision_image_decode(picture.data, picture.length, limits, &error);
        EXPECT(image || (error.status == VISION_BAD_PICTURE && error.text[0]), "refused without a reason");
        EXPECT(image || !strchr(error.text, '\n'), "more than one line: %s", error.text);
        decoded += image != NULL;
        vision_image_free(image);
        free(picture.data);
    }
    printf("fuzz: %ld damaged pictures, %ld of them decoded\n", runs, decoded);
    for (int i = 0; i < 10; i++) free(seeds[i].data);
    free(tiff.data);
    free(other.data);
    free(pixels.data);
    free(colours.data);
}
