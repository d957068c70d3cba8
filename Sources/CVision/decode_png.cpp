#include <png.h>

#include <csetjmp>
#include <cstring>
#include <memory>
#include <vector>

#include "decode.hpp"
#include "exif.hpp"
#include "guard.hpp"

namespace vision {
namespace {

/// Of a decompressed ancillary chunk.
constexpr png_alloc_size_t max_chunk_bytes = 1 << 20;
constexpr png_uint_32 max_chunks = 1024;

/// What libpng's callbacks see.
struct Source {
    Span bytes;
    size_t at = 0;
    bool ended = false;
    char text[160] = "";
};

void read(png_structp png, png_bytep to, size_t count) {
    auto *source = static_cast<Source *>(png_get_io_ptr(png));
    if (source->bytes.size - source->at < count) {
        source->ended = true;
        png_error(png, "ends too early");
    }
    std::memcpy(to, source->bytes.data + source->at, count);
    source->at += count;
}

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
    auto *source = static_cast<Source *>(png_get_error_ptr(png));
    std::snprintf(source->text, sizeof source->text, "%s", text);
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

/// The structs of one decoding.
struct Reader {
    png_structp png = nullptr;
    png_infop info = nullptr;

    explicit Reader(Source &source) {
        png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
        if (png) info = png_create_info_struct(png);
        if (!info) {
            png_destroy_read_struct(&png, &info, nullptr);
            throw std::bad_alloc();
        }
        png_set_read_fn(png, &source, read);
        png_set_chunk_malloc_max(png, max_chunk_bytes);
        png_set_chunk_cache_max(png, max_chunks);
    }
    ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
    Reader(const Reader &) = delete;
    Reader &operator=(const Reader &) = delete;
};

/// Any kind of PNG becomes 8-bit BGR, as cv::imread does it: alpha is dropped, 16 bits lose the lower 8.
void ask_for_bgr(png_structp png, png_infop info) {
    const int colour = png_get_color_type(png, info);
    if (png_get_bit_depth(png, info) == 16) png_set_strip_16(png);
    png_set_strip_alpha(png);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (!(colour & PNG_COLOR_MASK_COLOR)) {
        png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
    }
    png_set_bgr(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

/// False where libpng gave up. Nothing with a destructor lives here: libpng jumps over this frame.
bool read_header(Reader &reader) {
    if (setjmp(png_jmpbuf(reader.png))) return false;
    // Text and profiles are of no use here.
    static const png_byte skipped[] = "iCCP\0tEXt\0zTXt\0iTXt\0sPLT";
    png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, skipped, 5);
    png_read_info(reader.png, reader.info);
    ask_for_bgr(reader.png, reader.info);
    return true;
}

bool read_rows(Reader &reader, png_bytepp rows) {
    if (setjmp(png_jmpbuf(reader.png))) return false;
    png_read_image(reader.png, rows);
    png_read_end(reader.png, reader.info);
    return true;
}

[[noreturn]] void refuse(const Source &source) {
    if (source.ended) fail(VISION_BAD_PICTURE, "PNG of %zu bytes is truncated", source.bytes.size);
    fail(VISION_BAD_PICTURE, "PNG cannot be decoded: %s", source.text);
}

uint32_t big_endian(const uint8_t *p) {
    return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | p[3];
}

int orientation(Reader &reader) {
    png_uint_32 length = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(reader.png, reader.info, &length, &exif) == 0 || !exif) return 1;
    return tiff_orientation({exif, length});
}

}  // namespace

Decoded decode_png(Span bytes, vision_limits limits) {
    Source source{bytes};
    // Magic, then IHDR with the size at 16: looked at before libpng allocates anything.
    if (bytes.size < 33) fail(VISION_BAD_PICTURE, "PNG of %zu bytes is truncated", bytes.size);
    check_size(big_endian(bytes.data + 16), big_endian(bytes.data + 20), limits);

    Reader reader(source);
    if (!read_header(reader)) refuse(source);
    const auto width = static_cast<int>(png_get_image_width(reader.png, reader.info));
    const auto height = static_cast<int>(png_get_image_height(reader.png, reader.info));
    check_size(width, height, limits);
    auto image = std::make_unique<vision_image>(width, height);
    if (png_get_rowbytes(reader.png, reader.info) != image->row_bytes()) {
        fail(VISION_BAD_PICTURE, "PNG cannot be decoded: its rows have an unexpected size");
    }
    std::vector<png_bytep> rows(static_cast<size_t>(height));
    for (int y = 0; y < height; y++) rows[static_cast<size_t>(y)] = image->row(y);
    if (!read_rows(reader, rows.data())) refuse(source);
    return {std::move(image), orientation(reader)};
}

}  // namespace vision
