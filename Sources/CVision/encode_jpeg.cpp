#include <memory>

#include "bytes.hpp"
#include "guard.hpp"
#include "image.hpp"

namespace vision {
namespace {

struct DestroyHandle {
    void operator()(void *handle) const { tjDestroy(handle); }
};

}  // namespace
}  // namespace vision

using namespace vision;

vision_bytes *vision_bytes_create_jpeg(const vision_image *image, int32_t quality, vision_error *error) {
    return guarded<vision_bytes *>(error, VISION_INTERNAL, nullptr, [&] {
        if (quality < 1 || quality > 100) fail(VISION_BAD_PICTURE, "JPEG quality %d is not between 1 and 100", quality);
        auto bytes = std::make_unique<vision_bytes>();
        const std::unique_ptr<void, DestroyHandle> handle(tjInitCompress());
        if (!handle) fail(VISION_INTERNAL, "TurboJPEG: %s", tjGetErrorStr2(nullptr));
        if (tjCompress2(handle.get(), image->bgr(), image->width, 0, image->height, TJPF_BGR, &bytes->data,
                        &bytes->length, TJSAMP_420, quality, 0) != 0) {
            fail(VISION_INTERNAL, "JPEG cannot be written: %s", tjGetErrorStr2(handle.get()));
        }
        return bytes.release();
    });
}
