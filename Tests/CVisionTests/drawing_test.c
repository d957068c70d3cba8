#include <math.h>

#include "test.h"

/// Pixels that differ between two pictures of one size.
static size_t differences(const uint8_t *one, const uint8_t *other, size_t pixels) {
    size_t count = 0;
    for (size_t i = 0; i < pixels; i++) count += memcmp(one + i * 3, other + i * 3, 3) != 0;
    return count;
}

/// Labels of boxes in one and the same place: none covers another, all are at the box, and those for which there is no
/// room are left out.
static void labels_are_at_their_box_and_keep_off_each_other(void) {
    enum { side = 600, pixels = side * side, at = 270, box = 60, wide = 200, high = 24 };
    const bytes grey = {malloc(pixels * 3), pixels * 3};
    memset(grey.data, 128, grey.length);
    vision_error error = {VISION_OK, ""};
    vision_image *image = vision_image_create(VISION_BGR8, side, side, 0, grey.data, grey.length, usual, &error);
    EXPECT(image, "%s", error.text);
    if (!image) return;
    EXPECT(vision_image_draw_box(image, at, at, box, box, 1, &error), "%s", error.text);
    const uint8_t *now = vision_image_pixels(image);
    uint8_t *before = malloc(grey.length);
    size_t drawn = 0, added = 0;
    for (size_t count = 1; count <= 40; count++) {
        memcpy(before, now, grey.length);
        const size_t all = differences(now, grey.data, pixels);
        EXPECT(vision_image_draw_label(image, at, at, box, box, count, "cat 0.91 / tabby 0.40", "cat 0.91", &error),
               "%s", error.text);
        added = differences(now, before, pixels);
        // On the box's lines at most.
        const size_t more = differences(now, grey.data, pixels) - all;
        EXPECT(more <= added && added <= more + 4 * box, "label %zu: %zu of %zu", count, more, added);
        drawn += added > 0;
    }
    EXPECT(drawn >= 4 && added == 0, "%zu labels, the last one of %zu pixels", drawn, added);
    size_t far = 0;
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            const bool isNear = x >= at - wide && x <= at + box + wide && y >= at - high && y <= at + box + high;
            const size_t pixel = ((size_t)y * side + (size_t)x) * 3;
            far += !isNear && memcmp(now + pixel, grey.data + pixel, 3) != 0;
        }
    }
    EXPECT(far == 0, "%zu pixels away from the box", far);
    free(before);
    vision_image_free(image);
    free(grey.data);
}

/// Where a label does not fit in whole, what it begins with is there to its end: nothing touches the right edge.
static void labels_are_never_cut(void) {
    enum { width = 120, height = 80 };
    const bytes grey = {malloc(width * height * 3), width * height * 3};
    memset(grey.data, 128, grey.length);
    vision_error error = {VISION_OK, ""};
    vision_image *image = vision_image_create(VISION_BGR8, width, height, 0, grey.data, grey.length, usual, &error);
    EXPECT(image, "%s", error.text);
    if (!image) return;
    const char *long_text = "dog 0.68 / Japanese spaniel of quite some length 0.23";
    EXPECT(vision_image_draw_label(image, 10, 40, 60, 30, 1, long_text, "dog 0.68", &error), "%s", error.text);
    const uint8_t *now = vision_image_pixels(image);
    EXPECT(differences(now, grey.data, width * height) > 0, "the brief one is drawn");
    for (size_t y = 0; y < height; y++) {
        const size_t pixel = (y * width + width - 1) * 3;
        EXPECT(memcmp(now + pixel, grey.data + pixel, 3) == 0, "row %zu is drawn on to the edge", y);
    }
    uint8_t *before = malloc(grey.length);
    memcpy(before, now, grey.length);
    EXPECT(vision_image_draw_label(image, 10, 40, 60, 30, 1, long_text, long_text, &error), "%s", error.text);
    EXPECT(vision_image_draw_line(image, VISION_TOP_LEFT, 0, long_text, &error), "%s", error.text);
    EXPECT(differences(now, before, width * height) == 0, "what cannot be read is left out");
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
        EXPECT(vision_image_draw_label(image, corners[i][0], corners[i][1], width, height, i, "cat 0.91", "cat 0.91",
                                       &error),
               "%s", error.text);
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

/// Pixels of the colour of zones and lines in a part of a picture `side` wide.
static size_t amber(const uint8_t *pixels, size_t side, size_t x, size_t y, size_t width, size_t height) {
    size_t count = 0;
    for (size_t row = y; row < y + height; row++) {
        for (size_t column = x; column < x + width; column++) {
            const uint8_t *pixel = pixels + (row * side + column) * 3;
            count += pixel[0] < 40 && pixel[1] > 130 && pixel[1] < 220 && pixel[2] > 220;
        }
    }
    return count;
}

/// A zone has a border on all sides and its text above, a line has its arrow on the right and its text on the left.
static void zones_and_lines_are_where_they_are(void) {
    enum { side = 600, pixels = side * side };
    const bytes grey = {malloc(pixels * 3), pixels * 3};
    memset(grey.data, 128, grey.length);
    vision_error error = {VISION_OK, ""};
    vision_image *image = vision_image_create(VISION_BGR8, side, side, 0, grey.data, grey.length, usual, &error);
    EXPECT(image, "%s", error.text);
    if (!image) return;
    const float zone[] = {100, 100, 300, 100, 300, 300, 100, 300};
    EXPECT(vision_image_draw_outline(image, zone, 4, true, "mat: 2", &error), "%s", error.text);
    const uint8_t *now = vision_image_pixels(image);
    EXPECT(amber(now, side, 110, 299, 180, 3) >= 180, "below");
    EXPECT(amber(now, side, 99, 110, 3, 180) >= 180, "on the left");
    // Its last corner is joined to its first.
    EXPECT(amber(now, side, 299, 110, 3, 180) >= 180, "on the right");
    EXPECT(amber(now, side, 110, 110, 180, 180) == 0, "inside");
    EXPECT(amber(now, side, 60, 70, 80, 28) > 200, "text");
    // Of one who walks down the right is at lower x.
    const float line[] = {500, 100, 500, 300};
    EXPECT(vision_image_draw_outline(image, line, 2, false, "", &error), "%s", error.text);
    EXPECT(amber(now, side, 470, 180, 25, 40) > 0 && amber(now, side, 506, 180, 25, 40) == 0, "arrow");
    const float other[] = {500, 400, 500, 600};
    EXPECT(vision_image_draw_outline(image, other, 2, false, "door: 1 / 0", &error), "%s", error.text);
    EXPECT(amber(now, side, 506, 480, 60, 40) > 200, "text of a line");
    // Any numbers, any text, any count.
    const float wild[] = {NAN, INFINITY, -1e30f, 1e30f, 700, -700, 65536, 65536, 0, 0};
    for (int32_t count = -1; count <= 5; count++) {
        EXPECT(vision_image_draw_outline(image, wild, count, count & 1, "d\xC3\xB6g\n", &error), "%s", error.text);
    }
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
            EXPECT(vision_image_draw_label(copy, places[i], places[k], places[k], 40, i * 7, "d\xC3\xB6g 0.91\n#7", "d",
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
    labels_are_at_their_box_and_keep_off_each_other();
    labels_are_never_cut();
    labels_keep_off_small_objects();
    zones_and_lines_are_where_they_are();
}
