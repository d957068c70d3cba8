/* What the emulated camera sees: a dark ground, and a bright square that says the picture's number. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Sides of the square, and of the places that it has, row after row: in picture N it is in place N, from the start
 * again behind the last one. Widths of pictures are multiples of this, heights of half of this: what is below the
 * last whole row is ground. */
#define SQUARE_SIDE 16

/* Packed, 4:2:2.
 * Returns the bytes: two a pixel. */
size_t draw_yuyv(uint8_t *bytes, uint32_t width, uint32_t height, uint64_t number);

/* JPEG, 4:2:2, without Huffman tables: as USB cameras send it, those of the standard are meant.
 * bytes: has room for two bytes a pixel, and pictures have at least 160x120 pixels.
 * Returns the bytes of it. */
size_t draw_jpeg(uint8_t *bytes, uint32_t width, uint32_t height, uint64_t number);
