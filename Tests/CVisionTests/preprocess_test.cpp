// A picture's way into a network's input, against cv::cvtColor, cv::resize and cv::Mat::convertTo one after the other:
// in every form of the inner loops that this processor can run, over random sizes, layouts, regions and letterboxes.
#include "../../Sources/CVision/preprocess.hpp"

#include <sanitizer/allocator_interface.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../../Sources/CVision/guard.hpp"
#include "../../Sources/CVision/mat.hpp"
#include "test.h"

namespace {

using namespace vision;

/// Of 255. OpenCV's own numbers differ by one between processors; on this one they are the same.
#if defined(__x86_64__)
constexpr float tolerance = 0.01f;
#else
constexpr float tolerance = 1.01f;
#endif

using Random = std::mt19937;

int between(Random &random, int least, int most) {
    return least + static_cast<int>(random() % static_cast<unsigned>(most - least + 1));
}

std::unique_ptr<vision_image> noise(Random &random, int width, int height, Layout layout) {
    auto image = std::make_unique<vision_image>(width, height, layout);
    // Halves of pictures are flat, so that extremes meet.
    const bool extreme = random() % 2;
    for (size_t i = 0; i < image->buffer.size(); i++) {
        const unsigned value = random();
        image->buffer.data()[i] = static_cast<uint8_t>(extreme ? (value & 1 ? 255 : 0) : value);
    }
    return image;
}

std::vector<float> reference(const vision_settings &settings, const vision_image &image, const Placement &placement) {
    cv::Mat pixels = mat(image)(placement.region).clone();
    if (pixels.size() != placement.target.size()) {
        cv::resize(pixels, pixels, placement.target.size(), 0, 0, cv::INTER_LINEAR);
    }
    std::vector<cv::Mat> planes(1);
    if (settings.channels == VISION_CHANNELS_GRAY) {
        cv::cvtColor(pixels, planes[0], cv::COLOR_BGR2GRAY);
    } else {
        cv::split(pixels, planes);
        if (settings.channels == VISION_CHANNELS_RGB) std::swap(planes[0], planes[2]);
    }
    std::vector<float> all;
    for (size_t c = 0; c < planes.size(); c++) {
        const float mean = settings.mean[c], scale = settings.scale[c];
        cv::Mat plane(settings.input_height, settings.input_width, CV_32F,
                      cv::Scalar((settings.border - mean) * scale));
        cv::Mat inner = plane(placement.target);
        planes[c].convertTo(inner, CV_32F, scale, -mean * scale);
        all.insert(all.end(), plane.begin<float>(), plane.end<float>());
    }
    return all;
}

void compare(const vision_settings &settings, const vision_input &input) {
    const vision_image &image = *input.image;
    for (const Kernels &kernels : kernels()) {
        Preprocess preprocess(settings, kernels);
        const Placement placement = preprocess.place(input);
        const std::vector<float> expected = reference(settings, image, placement);
        // Twice: what the first one left behind must not matter.
        for (int time = 0; time < 2; time++) {
            std::vector<float> written(preprocess.shape().size(), NAN);
            preprocess.write(image, placement, written.data());
            float largest = 0;
            const size_t plane = written.size() / static_cast<size_t>(preprocess.shape().channels);
            for (size_t i = 0; i < written.size(); i++) {
                const float distance = std::abs(written[i] - expected[i]) / settings.scale[i / plane];
                if (!(distance <= largest)) largest = distance;
            }
            const cv::Rect &region = placement.region, &target = placement.target;
            EXPECT(largest <= tolerance,
                   "%s: layout %d, %d x %d at %d, %d of %d x %d to %d x %d of %d x %d: pixels differ by %g",
                   kernels.name, static_cast<int>(image.layout), region.width, region.height, region.x, region.y,
                   image.width, image.height, target.width, target.height, settings.input_width, settings.input_height,
                   static_cast<double>(largest));
        }
    }
}

vision_settings random_settings(Random &random) {
    vision_settings settings{};
    settings.input_width = between(random, 1, 150);
    settings.input_height = between(random, 1, 120);
    settings.channels = static_cast<vision_channels>(random() % 3);
    settings.resize = static_cast<vision_resize>(random() % 2);
    settings.border = static_cast<float>(between(random, 0, 255));
    for (int c = 0; c < 3; c++) {
        settings.mean[c] = static_cast<float>(between(random, 0, 1280)) / 10;
        settings.scale[c] = 1 / static_cast<float>(between(random, 1, 255));
    }
    return settings;
}

Layout random_layout(Random &random) {
    return static_cast<Layout>(random() % 3);
}

int side(Random &random, Layout layout, int most) {
    const int value = between(random, 1, most);
    return layout == Layout::bgr ? value : value + value % 2;
}

/// Somewhere in the picture, or over one of its borders.
vision_input random_region(Random &random, const vision_image &image) {
    vision_input input{};
    input.image = &image;
    if (random() % 3 == 0) return input;
    const auto width = static_cast<float>(image.width), height = static_cast<float>(image.height);
    std::uniform_real_distribution<float> part(0, 1);
    input.width = 1 + part(random) * width;
    input.height = 1 + part(random) * height;
    input.x = part(random) * (width + input.width - 0.5f) - input.width + 0.25f;
    input.y = part(random) * (height + input.height - 0.5f) - input.height + 0.25f;
    return input;
}

void compare_random(int times) {
    Random random(20260101);
    for (int i = 0; i < times; i++) {
        const Layout layout = random_layout(random);
        const int most = i % 4 ? 70 : 500;
        const auto image = noise(random, side(random, layout, most), side(random, layout, most), layout);
        compare(random_settings(random), random_region(random, *image));
    }
}

void compare_extremes() {
    Random random(7);
    struct Case {
        int width, height, input_width, input_height;
    };
    const Case cases[] = {{1, 1, 1, 1},     {1, 1, 64, 40},   {1, 90, 30, 30},    {90, 1, 30, 30}, {2, 2, 1, 1},
                          {64, 48, 32, 24}, {64, 48, 64, 48}, {64, 48, 128, 96},  {4001, 3, 7, 5}, {3, 3001, 5, 9},
                          {65, 47, 64, 48}, {63, 49, 64, 48}, {641, 481, 33, 31}, {8, 8, 1, 150},  {8, 8, 150, 1}};
    for (const Case &one : cases) {
        for (const Layout layout : {Layout::bgr, Layout::nv12, Layout::i420}) {
            const int odd = layout == Layout::bgr ? 0 : 1;
            const auto image = noise(random, one.width + (one.width & odd), one.height + (one.height & odd), layout);
            for (const vision_resize resize : {VISION_STRETCH, VISION_LETTERBOX}) {
                vision_settings settings = random_settings(random);
                settings.input_width = one.input_width;
                settings.input_height = one.input_height;
                settings.resize = resize;
                compare(settings, {image.get(), 0, 0, 0, 0, 0, 0});
                // One pixel in each corner.
                const auto right = static_cast<float>(image->width - 1), bottom = static_cast<float>(image->height - 1);
                for (const float x : {0.0f, right}) {
                    for (const float y : {0.0f, bottom}) compare(settings, {image.get(), x, y, 1, 1, 0, 0});
                }
            }
        }
    }
}

/// 4:2:0 with padded rows gives what its pixels in BGR give.
void compare_raw_formats() {
    Random random(3);
    for (const vision_format format : {VISION_NV12, VISION_I420}) {
        const int width = 90, height = 46, stride = 104;
        std::vector<uint8_t> packed(static_cast<size_t>(width * height * 3 / 2)), given;
        for (uint8_t &value : packed) value = static_cast<uint8_t>(random());
        auto row = packed.begin();
        const auto add = [&](int bytes, int padding) {
            given.insert(given.end(), row, row + bytes);
            given.insert(given.end(), static_cast<size_t>(padding), 0xEE);
            row += bytes;
        };
        for (int y = 0; y < height; y++) add(width, stride - width);
        const int half = format == VISION_I420 ? 2 : 1;
        for (int y = 0; y < height / 2 * half; y++) add(width / half, (stride - width) / half);
        vision_error error{};
        vision_image *image =
            vision_image_create(format, width, height, stride, given.data(), given.size(), usual, &error);
        EXPECT(image, "%s", error.text);
        if (!image) continue;
        const bytes converted = reference_convert(format, packed.data(), width, height);
        vision_image *bgr =
            vision_image_create(VISION_BGR8, width, height, 0, converted.data, converted.length, usual, &error);
        vision_settings settings = random_settings(random);
        Preprocess preprocess(settings);
        const vision_input input{image, 11, 7, 60, 30, 0, 0};
        std::vector<float> a(preprocess.shape().size()), b(a.size());
        preprocess.write(*image, preprocess.place(input), a.data());
        preprocess.write(*bgr, preprocess.place(input), b.data());
        EXPECT(a == b, "format %d: other numbers than from its pixels in BGR", static_cast<int>(format));
        // Whoever asks first makes the pixels, for all.
        std::vector<std::thread> threads;
        std::atomic<int> wrong{0};
        for (int i = 0; i < 4; i++) {
            threads.emplace_back(
                [&] { wrong += memcmp(vision_image_pixels(image), converted.data, converted.length) != 0; });
        }
        for (std::thread &thread : threads) thread.join();
        EXPECT(wrong == 0, "format %d: other pixels for %d of 4 threads", static_cast<int>(format), wrong.load());
        vision_image_free(image);
        vision_image_free(bgr);
        free(converted.data);
    }
}

std::atomic<int> allocations{0};
void count_allocation(const volatile void *, size_t) {
    allocations++;
}
void ignore_free(const volatile void *) {}

/// Once it has seen its largest crop, pictures cost no memory.
void count_allocations() {
    if (!__sanitizer_install_malloc_and_free_hooks(count_allocation, ignore_free)) {
        EXPECT(false, "allocations cannot be counted");
        return;
    }
    Random random(5);
    for (const Layout layout : {Layout::bgr, Layout::nv12, Layout::i420}) {
        const auto owned = noise(random, 320, 240, layout);
        const vision_image &image = *owned;
        vision_settings settings = random_settings(random);
        Preprocess preprocess(settings);
        std::vector<float> to(preprocess.shape().size());
        const auto write = [&](const vision_input &input) {
            preprocess.write(image, preprocess.place(input), to.data());
        };
        write({&image, 0, 0, 0, 0, 0, 0});
        const int before = allocations;
        for (int i = 0; i < 50; i++) write(random_region(random, image));
        EXPECT(allocations == before, "layout %d: %d allocations in 50 pictures", static_cast<int>(layout),
               allocations - before);
    }
    const int before = allocations;
    void *volatile seen = malloc(100);
    free(seen);
    EXPECT(allocations > before, "allocations are not counted");
}

}  // namespace

extern "C" void test_preprocess(void) {
    prepare_opencv();
    compare_random(600);
    compare_extremes();
    compare_raw_formats();
    count_allocations();
}
