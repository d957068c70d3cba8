#include "reference.h"

#include <png.h>
#include <turbojpeg.h>

#include <cstdlib>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "CVision.h"

static bytes copy(const uint8_t *data, size_t length) {
    bytes result{static_cast<uint8_t *>(std::malloc(length + 1)), length};
    if (length) std::memcpy(result.data, data, length);
    return result;
}

static bytes copy(const cv::Mat &image) {
    return copy(image.data, image.total() * image.elemSize());
}

bytes reference_decode(bytes picture, int *width, int *height) {
    const cv::Mat from(1, static_cast<int>(picture.length), CV_8UC1, picture.data);
    const cv::Mat image = cv::imdecode(from, cv::IMREAD_COLOR);
    *width = image.cols;
    *height = image.rows;
    return copy(image);
}

bytes reference_encode(const char *extension, const uint8_t *pixels, int width, int height, int channels, int depth,
                       int option, int value) {
    cv::Mat image(height, width, CV_MAKETYPE(CV_8U, channels), const_cast<uint8_t *>(pixels));
    if (depth == 16) image.convertTo(image, CV_16U, 257.0, 77);
    std::vector<int> options;
    if (option) options = {option, value};
    std::vector<uint8_t> out;
    cv::imencode(extension, image, out, options);
    return copy(out.data(), out.size());
}

bytes reference_encode_cmyk(const uint8_t *pixels, int width, int height) {
    const tjhandle handle = tjInitCompress();
    unsigned char *jpeg = nullptr;
    unsigned long length = 0;
    tjCompress2(handle, pixels, width, 0, height, TJPF_CMYK, &jpeg, &length, TJSAMP_444, 90, 0);
    const bytes result = copy(jpeg, length);
    tjFree(jpeg);
    tjDestroy(handle);
    return result;
}

bytes reference_encode_palette(const uint8_t *pixels, int width, int height, const uint8_t *palette, int colours) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width);
    image.height = static_cast<png_uint_32>(height);
    image.format = PNG_FORMAT_RGBA_COLORMAP;
    image.colormap_entries = static_cast<png_uint_32>(colours);
    png_alloc_size_t length = static_cast<size_t>(width) * static_cast<size_t>(height) * 2 + 65536;
    std::vector<uint8_t> png(length);
    if (!png_image_write_to_memory(&image, png.data(), &length, 0, pixels, 0, palette)) length = 0;
    return copy(png.data(), length);
}

bytes reference_convert(int format, const uint8_t *pixels, int width, int height) {
    auto *data = const_cast<uint8_t *>(pixels);
    cv::Mat result;
    switch (format) {
        case VISION_BGR8:
            return copy(pixels, static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
        case VISION_RGB8:
            cv::cvtColor(cv::Mat(height, width, CV_8UC3, data), result, cv::COLOR_RGB2BGR);
            break;
        case VISION_GRAY8:
            cv::cvtColor(cv::Mat(height, width, CV_8UC1, data), result, cv::COLOR_GRAY2BGR);
            break;
        case VISION_NV12:
            cv::cvtColor(cv::Mat(height * 3 / 2, width, CV_8UC1, data), result, cv::COLOR_YUV2BGR_NV12);
            break;
        default:
            cv::cvtColor(cv::Mat(height * 3 / 2, width, CV_8UC1, data), result, cv::COLOR_YUV2BGR_I420);
            break;
    }
    return copy(result);
}
