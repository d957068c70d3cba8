#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

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

/// Of the plate that a text stands on.
cv::Size plate_size(const std::string &text, const Pen &pen) {
    int baseline = 0;
    const cv::Size size = text_size(text, pen, baseline);
    return {size.width + 2 * pen.pad, size.height + baseline + 2 * pen.pad};
}

/// Where a plate at `at` comes to be: moved into the picture where it would stick out.
cv::Rect inside(const vision_image &image, cv::Point at, cv::Size size) {
    return {std::max(0, std::min(at.x, image.width - size.width)),
            std::max(0, std::min(at.y, image.height - size.height)), size.width, size.height};
}

/// Text on a filled plate, which later ones keep off.
void plate(vision_image &image, const std::string &text, const cv::Rect &place, const cv::Scalar &fill,
           const Pen &pen) {
    cv::Mat to = mat(image);
    int baseline = 0;
    const cv::Size size = text_size(text, pen, baseline);
    cv::rectangle(to, place, fill, cv::FILLED);
    const double brightness = 0.114 * fill[0] + 0.587 * fill[1] + 0.299 * fill[2];
    const cv::Scalar ink = brightness > 128 ? cv::Scalar(0, 0, 0) : cv::Scalar(255, 255, 255);
    cv::putText(to, text, {place.x + pen.pad, place.y + pen.pad + size.height}, font, pen.scale, ink, pen.stroke,
                cv::LINE_AA);
    image.texts.push_back({place.x, place.y, place.width, place.height});
}

/// Texts, and as many boxes, that are looked at to find a free place; more of them than that cover the picture anyway.
constexpr size_t max_looked_at = 512;
/// Rows above and below a box that are tried where all places beside it are taken.
constexpr int max_rows = 6;

/// Inside of a large box a label hides little of what it is about.
bool is_large(int width, int height, cv::Size label) {
    return width >= 2 * label.width && height >= 4 * label.height;
}

/// A pixel of a text that nobody can read is worse than one of an object.
constexpr int64_t text_weight = 4;

/// How much a plate would cover of other texts, and of what is in boxes that are not large.
int64_t covered(const vision_image &image, const cv::Rect &place) {
    const auto shared = [&](const Area &area) {
        return static_cast<int64_t>((place & cv::Rect(area.x, area.y, area.width, area.height)).area());
    };
    int64_t sum = 0;
    for (size_t i = 0; i < std::min(image.texts.size(), max_looked_at); i++)
        sum += text_weight * shared(image.texts[i]);
    for (size_t i = 0; i < std::min(image.boxes.size(), max_looked_at); i++) {
        const Area &box = image.boxes[i];
        if (!is_large(box.width, box.height, place.size())) sum += shared(box);
    }
    return sum;
}

/// Where the label of a box goes: the first place that covers neither another text nor a small object, else the one
/// that covers least.
cv::Rect label_place(const vision_image &image, const cv::Rect &box, cv::Size size) {
    const int left = box.x, right = box.x + box.width, top = box.y, bottom = box.y + box.height;
    std::vector<cv::Point> places;
    // Above the box; inside where there is no room.
    places.push_back({left, top >= size.height ? top - size.height : top});
    if (is_large(box.width, box.height, size)) places.push_back({left, top});
    places.insert(places.end(), {{left, bottom},
                                 {right - size.width, top - size.height},
                                 {right - size.width, bottom},
                                 {right, top},
                                 {left - size.width, top},
                                 {left, top},
                                 {left, bottom - size.height}});
    for (int row = 2; row <= max_rows; row++) {
        places.push_back({left, top - row * size.height});
        places.push_back({left, bottom + (row - 1) * size.height});
    }
    cv::Rect best;
    int64_t least = INT64_MAX;
    for (const cv::Point &at : places) {
        const cv::Rect place = inside(image, at, size);
        const int64_t area = covered(image, place);
        if (area < least) {
            best = place;
            least = area;
        }
        if (least == 0) break;
    }
    return best;
}

int pixel(float value, int limit) {
    return static_cast<int>(
        std::lround(std::clamp(std::isfinite(value) ? value : 0.0f, 0.0f, static_cast<float>(limit))));
}

/// The pixels of a box, as far as they are in the picture.
cv::Rect box_place(const vision_image &image, float x, float y, float width, float height) {
    const cv::Point from(pixel(x, image.width - 1), pixel(y, image.height - 1));
    const cv::Point end(pixel(x + width, image.width - 1), pixel(y + height, image.height - 1));
    return {from.x, from.y, std::max(0, end.x - from.x), std::max(0, end.y - from.y)};
}

}  // namespace
}  // namespace vision

using namespace vision;

bool vision_image_draw_box(vision_image *image, float x, float y, float width, float height, uint64_t key,
                           vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        const Pen pen(*image);
        cv::Mat to = mat(*image);
        const cv::Rect box = box_place(*image, x, y, width, height);
        cv::rectangle(to, box.tl(), box.br(), colour(key), pen.line);
        image->boxes.push_back({box.x, box.y, box.width, box.height});
        return true;
    });
}

bool vision_image_draw_label(vision_image *image, float x, float y, float width, float height, uint64_t key,
                             const char *text, vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        const Pen pen(*image);
        const std::string label = printable(text);
        if (label.empty()) return true;
        const cv::Rect box = box_place(*image, x, y, width, height);
        plate(*image, label, label_place(*image, box, plate_size(label, pen)), colour(key), pen);
        return true;
    });
}

bool vision_image_draw_line(vision_image *image, vision_corner corner, int32_t line, const char *text,
                            vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        const Pen pen(*image);
        const int height = plate_size("Ag", pen).height;
        const int offset = std::clamp(line, 0, 1000) * height;
        if (offset + height > image->height) return true;  // No room for it.
        const std::string line_text = printable(text);
        const cv::Point at(0, corner == VISION_TOP_LEFT ? offset : image->height - height - offset);
        plate(*image, line_text, inside(*image, at, plate_size(line_text, pen)), {32, 32, 32}, pen);
        return true;
    });
}
