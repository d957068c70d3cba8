// Pictures and EXIF structures, made here so that the tests need no files.
#include "test.h"

bytes scene(int width, int height, int channels) {
    bytes pixels = {malloc((size_t)width * (size_t)height * (size_t)channels),
                    (size_t)width * (size_t)height * (size_t)channels};
    uint32_t noise = 1;
    uint8_t *to = pixels.data;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            for (int c = 0; c < channels; c++) {
                noise = noise * 1664525u + 1013904223u;
                const int slope = x * 150 / width + y * 60 * (c + 1) / height / 2;
                const int edge = x > width / 3 && y > height / 2 ? 40 * c : 0;
                *to++ = (uint8_t)((slope + edge + (int)(noise >> 29)) & 0xFF);
            }
        }
    }
    return pixels;
}

static void put16(uint8_t *to, unsigned value, bool big_endian) {
    to[big_endian ? 0 : 1] = (uint8_t)(value >> 8);
    to[big_endian ? 1 : 0] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value, bool big_endian) {
    put16(to + (big_endian ? 0 : 2), value >> 16, big_endian);
    put16(to + (big_endian ? 2 : 0), value & 0xFFFF, big_endian);
}

bytes exif(int orientation, bool big_endian) {
    bytes tiff = {calloc(1, 26), 26};
    memcpy(tiff.data, big_endian ? "MM" : "II", 2);
    put16(tiff.data + 2, 42, big_endian);
    put32(tiff.data + 4, 8, big_endian);
    put16(tiff.data + 8, 1, big_endian);
    put16(tiff.data + 10, 0x0112, big_endian);
    put16(tiff.data + 12, 3, big_endian);
    put32(tiff.data + 14, 1, big_endian);
    put16(tiff.data + 18, (unsigned)orientation, big_endian);
    return tiff;
}

// `whole` with `count` bytes put in at `at`.
static bytes inserted(bytes whole, size_t at, const uint8_t *piece, size_t count) {
    bytes result = {malloc(whole.length + count), whole.length + count};
    memcpy(result.data, whole.data, at);
    memcpy(result.data + at, piece, count);
    memcpy(result.data + at + count, whole.data + at, whole.length - at);
    return result;
}

bytes with_app1(bytes jpeg, bytes tiff) {
    const size_t length = 2 + 6 + tiff.length;
    uint8_t *segment = malloc(2 + length);
    segment[0] = 0xFF;
    segment[1] = 0xE1;
    put16(segment + 2, (unsigned)length, true);
    memcpy(segment + 4, "Exif\0\0", 6);
    memcpy(segment + 10, tiff.data, tiff.length);
    const bytes result = inserted(jpeg, 2, segment, 2 + length);
    free(segment);
    return result;
}

static uint32_t crc32(const uint8_t *data, size_t length) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

bytes with_png_exif(bytes png, bytes tiff) {
    uint8_t *chunk = malloc(12 + tiff.length);
    put32(chunk, (uint32_t)tiff.length, true);
    memcpy(chunk + 4, "eXIf", 4);
    memcpy(chunk + 8, tiff.data, tiff.length);
    put32(chunk + 8 + tiff.length, crc32(chunk + 4, 4 + tiff.length), true);
    const bytes result = inserted(png, 33, chunk, 12 + tiff.length);  // Behind IHDR.
    free(chunk);
    return result;
}

// A simple WebP becomes an extended one: RIFF, VP8X, the picture, EXIF.
bytes with_webp_exif(bytes webp, int width, int height, bytes tiff) {
    const size_t padded = tiff.length + (tiff.length & 1);
    const size_t picture = webp.length - 12;
    bytes result = {calloc(1, 12 + 18 + picture + 8 + padded), 12 + 18 + picture + 8 + padded};
    uint8_t *to = result.data;
    memcpy(to, "RIFF", 4);
    put32(to + 4, (uint32_t)(result.length - 8), false);
    memcpy(to + 8, "WEBPVP8X", 8);
    put32(to + 16, 10, false);
    to[20] = 0x08;  // There is EXIF.
    put32(to + 24, (uint32_t)(width - 1), false);
    put32(to + 27, (uint32_t)(height - 1), false);
    memcpy(to + 30, webp.data + 12, picture);
    to += 30 + picture;
    memcpy(to, "EXIF", 4);
    put32(to + 4, (uint32_t)tiff.length, false);
    memcpy(to + 8, tiff.data, tiff.length);
    return result;
}
