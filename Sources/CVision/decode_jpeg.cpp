#include <turbojpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "decode.hpp"
#include "exif.hpp"
#include "guard.hpp"
#include "jpeg_scans.hpp"

namespace vision {
namespace {

/// Each scan goes over all of the picture. This is 30 of them at the largest size that is decoded by default, and takes
/// 1 to 3 s; libjpeg itself stops at 500.
constexpr uint64_t max_scanned_pixels = 1'500'000'000;
/// Progressive pictures have about 10. Whoever allows larger pictures than those can have these.
constexpr uint64_t usual_scans = 20;

struct DestroyHandle {
    void operator()(void *handle) const { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, DestroyHandle>;

/// A new one for each picture (some microseconds): one that is used again keeps the tables of the picture before, so
/// that a damaged picture spoils the next.
Handle decompressor() {
    Handle handle(tjInitDecompress());
    if (!handle) fail(VISION_INTERNAL, "TurboJPEG: %s", tjGetErrorStr2(nullptr));
    return handle;
}

/// libjpeg's words where data ends too early.
bool says_end_too_early(const std::string &text) {
    return text.find("remature end") != std::string::npos || text.find("no image") != std::string::npos;
}

bool has_end_mark(Span jpeg) {
    for (size_t i = jpeg.size; i-- > 1;) {
        if (jpeg.data[i - 1] == 0xFF && jpeg.data[i] == 0xD9) return true;
    }
    return false;
}

[[noreturn]] void refuse(Span jpeg, const std::string &text) {
    if (says_end_too_early(text)) fail(VISION_BAD_PICTURE, "JPEG of %zu bytes is truncated", jpeg.size);
    fail(VISION_BAD_PICTURE, "JPEG cannot be decoded: %s", text.c_str());
}

void check_scans(Span jpeg, int width, int height) {
    const uint64_t pixels = static_cast<uint64_t>(width) * static_cast<uint64_t>(height);
    const uint64_t most = std::max(usual_scans, max_scanned_pixels / pixels);
    const uint64_t scans = count_scans(jpeg);
    if (scans <= most) return;
    fail(VISION_BAD_PICTURE, "JPEG of %d x %d pixels has %llu scans; at this size, %llu are decoded", width, height,
         static_cast<unsigned long long>(scans), static_cast<unsigned long long>(most));
}

/// The formula of cv::imread for Adobe's inverted CMYK.
void cmyk_to_bgr(const uint8_t *from, uint8_t *to, size_t count) {
    for (size_t i = 0; i < count; i++, from += 4, to += 3) {
        const int k = from[3];
        for (int c = 0; c < 3; c++) to[2 - c] = static_cast<uint8_t>(k - ((255 - from[c]) * k >> 8));
    }
}

void decompress(tjhandle handle, Span jpeg, vision_image &image, int colour_space) {
    // No fast flags: the pixels are those of cv::imread.
    constexpr int flags = TJFLAG_LIMITSCANS;
    const bool cmyk = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
    Buffer four;
    if (cmyk) four = Buffer(image.buffer.size() / 3 * 4);
    uint8_t *to = cmyk ? four.data() : image.buffer.data();
    const int format = cmyk ? TJPF_CMYK : TJPF_BGR;
    if (tjDecompress2(handle, jpeg.data, jpeg.size, to, image.width, 0, image.height, format, flags) != 0) {
        const std::string text = tjGetErrorStr2(handle);
        // Small damage is only a warning, as for any viewer; missing data is not.
        const bool whole = tjGetErrorCode(handle) == TJERR_WARNING && !says_end_too_early(text);
        if (!whole) refuse(jpeg, text);
        if (!has_end_mark(jpeg)) fail(VISION_BAD_PICTURE, "JPEG of %zu bytes is truncated", jpeg.size);
    }
    if (cmyk) cmyk_to_bgr(four.data(), image.buffer.data(), image.buffer.size() / 3);
}

}  // namespace

Decoded decode_jpeg(Span bytes, vision_limits limits) {
    int width = 0, height = 0, subsampling = 0, colour_space = 0;
    const Handle handle = decompressor();
    if (tjDecompressHeader3(handle.get(), bytes.data, bytes.size, &width, &height, &subsampling, &colour_space) != 0 &&
        tjGetErrorCode(handle.get()) != TJERR_WARNING) {
        refuse(bytes, tjGetErrorStr2(handle.get()));
    }
    // Without an error: the data ends before any size is told.
    if (width == 0 && height == 0) refuse(bytes, "no image");
    check_size(width, height, limits);
    check_scans(bytes, width, height);
    auto image = std::make_unique<vision_image>(width, height);
    decompress(handle.get(), bytes, *image, colour_space);
    return {std::move(image), jpeg_orientation(bytes)};
}

}  // namespace vision
