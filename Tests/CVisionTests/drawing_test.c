#include <math.h>

#include "test.h"

/// Pixels that differ between two pictures of one size.
static size_t differences(const uint8_t *one, const uint8_t *other, size_t pixels) {
    size_t count = 0;
    for (size_t i = 0; i < pixels; i++) count += memcmp(one + i * 3, other + i * 3, 3) != 0;
    return count;
}

/// Labels of boxes in one and the same place: each is as large as the first one was, so none covers another.
static void labels_keep_off_each_other(void) {
    enum { side = 400, pixels = side * side };
    const bytes grey = {malloc(pixels * 3), pixels * 3};
    memset(grey.data, 128, grey.length);
    vision_error error = {VISION_OK, ""};
    vision_image *image = vision_image_create(VISION_BGR8, side, side, 0, grey.data, grey.length, usual, &error);
    EXPECT(image, "%s", error.text);
    if (!image) return;
    uint8_t *before = malloc(grey.length);
    size_t one = 0;
    for (size_t count = 1; count <= 12; count++) {
        memcpy(before, vision_image_pixels(image), grey.length);
        EXPECT(vision_image_draw_label(image, 150, 150, 60, 60, count, "cat 0.91", &error), "%s", error.text);
        const size_t all = differences(vision_image_pixels(image), grey.data, pixels);
        const size_t added = differences(vision_image_pixels(image), before, pixels);
        if (count == 1) one = all;
        EXPECT(one > 0 && added == one && all == one * count, "label %zu: %zu, %zu of %zu", count, added, all, one);
    }
    free(before);
    vision_image_free(image);
    free(grey.data);
}

/// A label beside a box that is smaller than itself, wherever that is, and off another one beside it.
static void labels_keep_off_small_objects(void) {
    enum { side = 400, pixels = side * side, width = 24, height = 12 };
    const int corners[][2] = {{100, 0},           {0, 0},     {side - width, 0},
                              {0, side - height}, {150, 150}, {150, 150 - height - 4}};
    enum { boxes = sizeof corners / sizeof *corners };
    const bytes grey = {malloc(pixels * 3), pixels * 3};
    memset(grey.data, 128, grey.length);
    vision_error error = {VISION_OK, ""};
    vision_image *image = vision_image_create(VISION_BGR8, side, side, 0, grey.data, grey.length, usual, &error);
    EXPECT(image, "%s", error.text);
    if (!image) return;
    for (size_t i = 0; i < boxes; i++) {
        EXPECT(vision_image_draw_box(image, corners[i][0], corners[i][1], width, height, i, &error), "%s", error.text);
    }
    uint8_t *before = malloc(grey.length);
    memcpy(before, vision_image_pixels(image), grey.length);
    for (size_t i = 0; i < boxes; i++) {
        EXPECT(vision_image_draw_label(image, corners[i][0], corners[i][1], width, height, i, "cat 0.91", &error), "%s",
               error.text);
    }
    const uint8_t *after = vision_image_pixels(image);
    for (size_t i = 0; i < boxes; i++) {
        size_t hidden = 0;
        for (int y = corners[i][1]; y < corners[i][1] + height; y++) {
            const size_t row = ((size_t)y * side + (size_t)corners[i][0]) * 3;
            hidden += differences(after + row, before + row, width - 1);
        }
        EXPECT(hidden == 0, "box %zu: %zu pixels of it are hidden", i, hidden);
    }
    free(before);
    vision_image_free(image);
    free(grey.data);
}

void test_drawing(void) {
    const bytes pixels = scene(120, 80, 3);
    vision_error error = {VISION_OK, ""};
    vision_image *image = vision_image_create(VISION_BGR8, 120, 80, 0, pixels.data, pixels.length, usual, &error);
    vision_image *copy = vision_image_create_copy(image, &error);
    // Any numbers and any text; what matters is that nothing is written beside the picture.
    const float places[] = {-1e30f, -50, 0, 30, 119, 500, 1e30f, NAN, INFINITY};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            EXPECT(vision_image_draw_box(copy, places[i], places[k], places[k], 40, i * 7, &error), "%s", error.text);
            EXPECT(vision_image_draw_label(copy, places[i], places[k], places[k], 40, i * 7, "d\xC3\xB6g 0.91\n#7",
                                           &error),
                   "%s", error.text);
        }
    }
    for (int line = -2; line < 30; line++) {
        EXPECT(
            vision_image_draw_line(copy, line & 1, line, "a rather long caption that does not fit in at all", &error),
            "%s", error.text);
    }
    EXPECT(memcmp(vision_image_pixels(image), pixels.data, pixels.length) == 0, "the original changed");
    EXPECT(memcmp(vision_image_pixels(copy), pixels.data, pixels.length) != 0, "nothing was drawn");

    vision_bytes *jpeg = vision_bytes_create_jpeg(copy, 90, &error);
    EXPECT(jpeg, "%s", error.text);
    if (jpeg) {
        int width = 0, height = 0;
        const bytes view = {(uint8_t *)vision_bytes_data(jpeg), vision_bytes_length(jpeg)};
        const bytes back = reference_decode(view, &width, &height);
        EXPECT(width == 120 && height == 80, "%d x %d", width, height);
        free(back.data);
    }
    vision_bytes_free(jpeg);
    vision_bytes *png = vision_bytes_create_png(copy, &error);
    EXPECT(png, "%s", error.text);
    if (png) {
        const uint8_t *data = vision_bytes_data(png);
        const vision_limits limits = {.max_pixels = 1000000, .max_side = 1000};
        vision_image *back = vision_image_decode(data, vision_bytes_length(png), limits, &error);
        EXPECT(back && memcmp(vision_image_pixels(back), vision_image_pixels(copy), 120 * 80 * 3) == 0,
               "a PNG loses nothing");
        vision_image_free(back);
    }
    vision_bytes_free(png);
    EXPECT(!vision_bytes_create_jpeg(copy, 0, &error) && strstr(error.text, "quality 0"), "%s", error.text);
    EXPECT(!vision_bytes_create_jpeg(copy, 101, &error), "quality 101");
    vision_image_free(copy);
    vision_image_free(image);
    free(pixels.data);
    labels_keep_off_each_other();
    labels_keep_off_small_objects();
}
