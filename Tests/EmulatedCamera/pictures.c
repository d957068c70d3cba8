#include "pictures.h"

#include <stdbool.h>
#include <string.h>

struct color {
    uint8_t y, u, v;
};

static const struct color ground = {60, 150, 110}, square = {190, 90, 160};

static struct color color_at(uint32_t x, uint32_t y, uint32_t width, uint32_t height, uint64_t number) {
    const uint32_t columns = width / SQUARE_SIDE, rows = height / SQUARE_SIDE;
    const uint32_t place = (uint32_t)(number % ((uint64_t)columns * rows));
    return x / SQUARE_SIDE == place % columns && y / SQUARE_SIDE == place / columns ? square : ground;
}

size_t draw_yuyv(uint8_t *bytes, uint32_t width, uint32_t height, uint64_t number) {
    uint8_t *at = bytes;
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x += 2) {
            const struct color color = color_at(x, y, width, height, number);
            *at++ = color.y;
            *at++ = color.u;
            *at++ = color.y;
            *at++ = color.v;
        }
    }
    return (size_t)(at - bytes);
}

/* ---- JPEG (ITU-T T.81)
 *
 * Every block is of one colour: only its DC coefficient is not zero. With 8 in its place in the quantization table that
 * is the sample itself, less 128. */

struct bits {
    uint8_t *at;
    uint32_t value;
    int count;
};

static void put_byte(struct bits *bits, uint8_t byte) {
    *bits->at++ = byte;
    /* 0xFF begins a marker, but for this one (B.1.1.5). */
    if (byte == 0xFF) *bits->at++ = 0;
}

static void put(struct bits *bits, uint32_t value, int count) {
    bits->value = bits->value << count | value;
    bits->count += count;
    for (; bits->count >= 8; bits->count -= 8) put_byte(bits, (uint8_t)(bits->value >> (bits->count - 8)));
    bits->value &= (1u << bits->count) - 1;
}

struct code {
    uint8_t value, count;
};

/* Tables K.3 and K.4: of a difference with so many bits. */
static const struct code of_luminance[] = {{0, 2}, {2, 3}, {3, 3}, {4, 3}, {5, 3}, {6, 3}, {14, 4}, {30, 5}, {62, 6}};
static const struct code of_chrominance[] = {{0, 2},  {1, 2},  {2, 2},   {6, 3},  {14, 4},
                                             {30, 5}, {62, 6}, {126, 7}, {254, 8}};
/* Tables K.5 and K.6: no more coefficients. */
static const struct code end_of_luminance = {10, 4}, end_of_chrominance = {0, 2};

static void put_block(struct bits *bits, uint8_t sample, int *last, bool is_luminance) {
    const int difference = sample - 128 - *last;
    *last = sample - 128;
    int size = 0;
    while (size < 8 && (difference < 0 ? -difference : difference) >= 1 << size) size++;
    const struct code code = is_luminance ? of_luminance[size] : of_chrominance[size];
    const struct code end = is_luminance ? end_of_luminance : end_of_chrominance;
    put(bits, code.value, code.count);
    /* Figure F.4: a negative one has 1 subtracted. */
    put(bits, (uint32_t)(difference < 0 ? difference + (1 << size) - 1 : difference), size);
    put(bits, end.value, end.count);
}

static size_t put_head(uint8_t *bytes, uint32_t width, uint32_t height) {
    const uint8_t tables[] = {0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0, 8};
    const uint8_t frame[] = {0xFF,
                             0xC0,
                             0,
                             17,
                             8,
                             (uint8_t)(height >> 8),
                             (uint8_t)height,
                             (uint8_t)(width >> 8),
                             (uint8_t)width,
                             3,
                             1,
                             0x21,
                             0,
                             2,
                             0x11,
                             0,
                             3,
                             0x11,
                             0};
    const uint8_t scan[] = {0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0};
    uint8_t *at = bytes;
    memcpy(at, tables, sizeof(tables));
    at += sizeof(tables);
    memset(at, 1, 63);
    at += 63;
    memcpy(at, frame, sizeof(frame));
    at += sizeof(frame);
    memcpy(at, scan, sizeof(scan));
    at += sizeof(scan);
    return (size_t)(at - bytes);
}

size_t draw_jpeg(uint8_t *bytes, uint32_t width, uint32_t height, uint64_t number) {
    struct bits bits = {bytes + put_head(bytes, width, height), 0, 0};
    int y_before = 0, u_before = 0, v_before = 0;
    for (uint32_t y = 0; y < height; y += 8) {
        for (uint32_t x = 0; x < width; x += 16) {
            const struct color color = color_at(x, y, width, height, number);
            put_block(&bits, color.y, &y_before, true);
            put_block(&bits, color.y, &y_before, true);
            put_block(&bits, color.u, &u_before, false);
            put_block(&bits, color.v, &v_before, false);
        }
    }
    /* What is left of the last byte is ones. */
    if (bits.count > 0) put(&bits, (1u << (8 - bits.count)) - 1, 8 - bits.count);
    *bits.at++ = 0xFF;
    *bits.at++ = 0xD9;
    return (size_t)(bits.at - bytes);
}
