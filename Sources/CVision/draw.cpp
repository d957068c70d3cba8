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

/// Letters of less than this cannot be read.
constexpr double smallest_scale = 0.35;
/// Lines of one pixel are lost in a picture of this many.
constexpr int side_of_thick_lines = 640;
/// Sizes in which a text is tried, as parts of the one that suits the picture.
constexpr double text_sizes[] = {1, 0.8, 0.6};

/// Sizes that suit the picture.
struct Pen {
    explicit Pen(const vision_image &image, double part = 1) {
        const int side = std::max(image.width, image.height);
        const double usual = std::clamp(side / 1280.0, 0.4, 3.0);
        scale = std::max(smallest_scale, usual * part);
        line = std::max(side < side_of_thick_lines ? 1 : 2, static_cast<int>(std::lround(usual * 2)));
        pad = std::max(2, static_cast<int>(std::lround(scale * 4)));
        // Thin strokes stay readable in small print.
        stroke = std::max(1, static_cast<int>(scale));
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

bool fits(const vision_image &image, cv::Size size) {
    return size.width <= image.width && size.height <= image.height;
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

/// Inside of a large box a label hides little of what it is about.
bool is_large(const Area &box, cv::Size label) {
    const auto area = [](int64_t width, int64_t height) { return width * height; };
    return box.width >= label.width && area(box.width, box.height) >= 8 * area(label.width, label.height);
}

int64_t shared(const cv::Rect &place, const Area &area) {
    return (place & cv::Rect(area.x, area.y, area.width, area.height)).area();
}

/// What nobody could read any more is never covered.
bool covers_text(const vision_image &image, const cv::Rect &place) {
    const auto end = image.texts.begin() + static_cast<ptrdiff_t>(std::min(image.texts.size(), max_looked_at));
    return std::any_of(image.texts.begin(), end, [&](const Area &text) { return shared(place, text) > 0; });
}

/// How much of a place is on things in boxes that are not large.
int64_t covered(const vision_image &image, const cv::Rect &place) {
    int64_t sum = 0;
    for (size_t i = 0; i < std::min(image.boxes.size(), max_looked_at); i++) {
        if (!is_large(image.boxes[i], place.size())) sum += shared(place, image.boxes[i]);
    }
    return sum;
}

/// A place for a label and what it costs: pixels of other things that it hides.
struct Place {
    cv::Rect rect;
    int64_t cost = INT64_MAX;
};

/// Where the label of a box goes: the first place at the box that hides nothing, else the one that hides least. Away
/// from its box it would be taken for another one's.
Place label_place(const vision_image &image, const cv::Rect &box, cv::Size size) {
    const int left = box.x, right = box.x + box.width, top = box.y, bottom = box.y + box.height;
    const int middle = left + (box.width - size.width) / 2;
    const cv::Point places[] = {{left, top - size.height},
                                {left, bottom},
                                {right - size.width, top - size.height},
                                {right - size.width, bottom},
                                {middle, top - size.height},
                                {middle, bottom},
                                {right, top},
                                {left - size.width, top},
                                {right, bottom - size.height},
                                {left - size.width, bottom - size.height},
                                {left, top},
                                {left, bottom - size.height},
                                {right - size.width, top},
                                {right - size.width, bottom - size.height}};
    Place best;
    for (const cv::Point &at : places) {
        const cv::Rect rect = inside(image, at, size);
        const bool touches =
            rect.x <= right && rect.x + rect.width >= left && rect.y <= bottom && rect.y + rect.height >= top;
        if (!touches || covers_text(image, rect)) continue;
        const int64_t cost = covered(image, rect);
        if (cost < best.cost) best = {rect, cost};
        if (best.cost == 0) break;
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

/// What is watched, as on the gateway's page.
const cv::Scalar outline_colour(0, 176, 255);
/// An arrow's length, and the distance of its line's text on the other side, in widths of lines.
constexpr double arrow_length = 11;
constexpr double text_distance = 9;

/// Beyond the picture, too, as far as lines are drawn right.
cv::Point2d corner_place(float x, float y) {
    const auto sane = [](float value) {
        return std::clamp(std::isfinite(value) ? static_cast<double>(value) : 0.0, -65536.0, 65536.0);
    };
    return {sane(x), sane(y)};
}

/// To the right of the middle of a line, seen from its beginning.
cv::Point2d beside(const cv::Point2d &from, const cv::Point2d &to, double distance) {
    const cv::Point2d along = to - from;
    const double length = std::max(1e-6, std::hypot(along.x, along.y));
    return (from + to) / 2 + cv::Point2d(-along.y, along.x) * (distance / length);
}

/// A text about `at`, where it covers no other one.
void tag(vision_image &image, const std::string &text, const cv::Point2d &at, double height_above) {
    for (const double part : text_sizes) {
        const Pen pen(image, part);
        const cv::Size size = plate_size(text, pen);
        if (text.empty() || !fits(image, size)) continue;
        const cv::Rect place =
            inside(image, cv::Point2d(at.x - size.width / 2.0, at.y - size.height * height_above), size);
        if (covers_text(image, place)) continue;
        plate(image, text, place, outline_colour, pen);
        return;
    }
}

}  // namespace
}  // namespace vision

using namespace vision;

bool vision_image_draw_outline(vision_image *image, const float *points, int32_t count, bool closed, const char *text,
                               vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        std::vector<cv::Point2d> corners;
        for (int32_t i = 0; i < count; i++) corners.push_back(corner_place(points[2 * i], points[2 * i + 1]));
        if (corners.size() < 2) return true;
        const Pen pen(*image);
        cv::Mat to = mat(*image);
        const std::vector<cv::Point> pixels(corners.begin(), corners.end());
        cv::polylines(to, pixels, closed, outline_colour, pen.line, cv::LINE_AA);
        if (closed) {
            // It hides least of what is inside.
            const auto highest = std::min_element(corners.begin(), corners.end(),
                                                  [](const auto &one, const auto &other) { return one.y < other.y; });
            tag(*image, printable(text), *highest, 1);
            return true;
        }
        const cv::Point2d &from = corners.front(), &end = corners.back();
        cv::arrowedLine(to, beside(from, end, 0), beside(from, end, arrow_length * pen.line), outline_colour, pen.line,
                        cv::LINE_AA, 0, 0.35);
        tag(*image, printable(text), beside(from, end, -text_distance * pen.line), 0.5);
        return true;
    });
}

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
                             const char *text, const char *brief, vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        const cv::Rect box = box_place(*image, x, y, width, height);
        // The long one would hide too much of a small picture.
        const struct {
            std::string words;
            int room;
        } texts[] = {{printable(text), image->width / 2}, {printable(brief), image->width}};
        struct {
            Place place;
            const std::string *text = nullptr;
            double part = 1;
        } best;
        for (const auto &[label, room] : texts) {
            for (const double part : text_sizes) {
                const cv::Size size = plate_size(label, Pen(*image, part));
                if (label.empty() || size.width > room || !fits(*image, size)) continue;
                const Place place = label_place(*image, box, size);
                // The shortest and smallest of those that hide as little.
                if (place.cost <= best.place.cost && place.cost < INT64_MAX) best = {place, &label, part};
                if (best.place.cost == 0) break;
            }
            if (best.place.cost == 0) break;
        }
        if (!best.text || 2 * best.place.cost > best.place.rect.area()) return true;
        plate(*image, *best.text, best.place.rect, colour(key), Pen(*image, best.part));
        return true;
    });
}

bool vision_image_draw_line(vision_image *image, vision_corner corner, int32_t line, const char *text,
                            vision_error *error) {
    return guarded(error, VISION_INTERNAL, false, [&] {
        const int height = plate_size("Ag", Pen(*image)).height;
        const int offset = std::clamp(line, 0, 1000) * height;
        // All lines but the first leave most of the picture to be seen.
        if (offset + height > (line > 0 ? image->height / 3 : image->height)) return true;
        const std::string line_text = printable(text);
        for (const double part : text_sizes) {
            const Pen pen(*image, part);
            const cv::Size size = plate_size(line_text, pen);
            if (!fits(*image, size)) continue;
            const cv::Point at(0, corner == VISION_TOP_LEFT ? offset : image->height - size.height - offset);
            plate(*image, line_text, inside(*image, at, size), {32, 32, 32}, pen);
            break;
        }
        return true;
    });
}
