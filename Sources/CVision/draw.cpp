#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>

#include "guard.hpp"
#include "mat.hpp"

namespace vision {
namespace {

constexpr int font = cv::FONT_HERSHEY_SIMPLEX;
constexpr size_t max_text = 96;

/// Sizes that suit the picture.
struct Pen {
    explicit Pen(const vision_image &image) {
        const double side = std::max(image.width, image.height);
        scale = std::clamp(side / 1280.0, 0.4, 3.0);
        line = std::max(1, static_cast<int>(std::lround(scale * 2)));
        pad = std::max(2, static_cast<int>(std::lround(scale * 4)));
        // Thin strokes stay readable in small print.
        stroke = std::max(1, line / 2);
    }
    double scale;
    int line;
    int pad;
    int stroke;
};

/// Well apart for neighbouring keys: the hue goes round by the golden angle.
cv::Scalar colour(uint64_t key) {
    const double hue = std::fmod(static_cast<double>(key % 4096) * 137.508, 360.0) / 60.0;
    const double x = 1 - std::abs(std::fmod(hue, 2.0) - 1);
    const double rgb[6][3] = {{1, x, 0}, {x, 1, 0}, {0, 1, x}, {0, x, 1}, {x, 0, 1}, {1, 0, x}};
    const double *c = rgb[static_cast<int>(hue) % 6];
    return {40 + 215 * c[2], 40 + 215 * c[1], 40 + 215 * c[0]};
}

/// The font has ASCII only; one mark for each character beyond it.
std::string printable(const char *text) {
    std::string result;
    for (const char *c = text; *c && result.size() < max_text; c++) {
        const auto byte = static_cast<unsigned char>(*c);
        if ((byte & 0xC0) == 0x80) continue;  // A later byte of UTF-8.
        result += byte >= 0x20 && byte < 0x7F ? *c : '?';
    }
    return result;
}

cv::Size text_size(const std::string &text, const Pen &pen, int &baseline) {
    return cv::getTextSize(text, font, pen.scale, pen.stroke, &baseline);
}

/// Text on a filled plate whose top left corner is at `at`, moved into the picture where it would stick out.
void plate(cv::Mat &to, const std::string &text, cv::Point at, const cv::Scalar &fill, const Pen &pen) {
    int baseline = 0;
    const cv::Size size = text_size(text, pen, baseline);
    const cv::Size whole(size.width + 2 * pen.pad, size.height + baseline + 2 * pen.pad);
    at.x = std::max(0, std::min(at.x, to.cols - whole.width));
    at.y = std::max(0, std::min(at.y, to.rows - whole.height));
    cv::rectangle(to, cv::Rect(at, whole), fill, cv::FILLED);
    const double brightness = 0.114 * fill[0] + 0.587 * fill[1] + 0.299 * fill[2];
    const cv::Scalar ink = brightness > 128 ? cv::Scalar(0, 0, 0) : cv::Scalar(255, 255, 255);
    cv::putText(to, text, {at.x + pen.pad, at.y + pen.pad + size.height}, font, pen.scale, ink, pen.stroke,
                cv::LINE_AA);
}

int pixel(float value, int limit) {
    return static_cast<int>(
        std::lround(std::clamp(std::isfinite(value) ? value : 0.0f, 0.0f, static_cast<float>(limit))));
}

}  // namespace
}  // namespace vision

using namespace vision;

bool vision_image_draw_box(vision_image *image, float x, float y, float width, float height, uint64_t key,
                           const char *text, vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        const Pen pen(*image);
        cv::Mat to = mat(*image);
        const cv::Point from(pixel(x, image->width - 1), pixel(y, image->height - 1));
        const cv::Point end(pixel(x + width, image->width - 1), pixel(y + height, image->height - 1));
        const cv::Scalar fill = colour(key);
        cv::rectangle(to, from, end, fill, pen.line);
        const std::string label = printable(text);
        if (label.empty()) return true;
        int baseline = 0;
        const int above = text_size(label, pen, baseline).height + baseline + 2 * pen.pad;
        // Above the box; inside where there is no room.
        plate(to, label, {from.x, from.y >= above ? from.y - above : from.y}, fill, pen);
        return true;
    });
}

bool vision_image_draw_line(vision_image *image, vision_corner corner, int32_t line, const char *text,
                            vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        const Pen pen(*image);
        cv::Mat to = mat(*image);
        int baseline = 0;
        const int height = text_size("Ag", pen, baseline).height + baseline + 2 * pen.pad;
        const int offset = std::clamp(line, 0, 1000) * height;
        if (offset + height > image->height) return true;  // No room for it.
        plate(to, printable(text), {0, corner == VISION_TOP_LEFT ? offset : image->height - height - offset},
              {32, 32, 32}, pen);
        return true;
    });
}
