// Framemesh's image core: picture bytes to pixels, pixels to detections, boxes on pixels.
//
// Conventions, for every function here:
// - `_create` and `_decode` give ownership of what they return; `_free` takes it back (and takes NULL). Anything else
// borrows.
// - Bytes come as a pointer and a length and are only read during the call. A pointer may be NULL where its length is
// 0.
// - What fails returns NULL or false and fills `*error` (which must not be NULL); otherwise `*error` is left alone.
// - No C++ exception leaves a function.
// - A `vision_image` does not change once others see it: any number of threads may read it. A `vision_model` belongs to
//   one thread at a time.
// - Pixels are BGR8, rows packed, origin top left; NV12 and I420 are kept as they came. Boxes are in pixels of the
// picture as displayed.
#ifndef FRAMEMESH_CVISION_H
#define FRAMEMESH_CVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What this was compiled with: its name, its version, and what it was made of. It ends with 0, and lasts.
const char *vision_compiler(void);

// ---- Errors

typedef enum vision_status {
    VISION_OK = 0,
    // The bytes of a picture, or a region of it, cannot be used.
    VISION_BAD_PICTURE = 1,
    // A network, or what its manifest says of it, cannot be used.
    VISION_BAD_MODEL = 2,
    // Memory ran out, or a defect of ours.
    VISION_INTERNAL = 3,
} vision_status;

typedef struct vision_error {
    vision_status status;
    // One line, UTF-8, ends with 0.
    char text[320];
} vision_error;

// ---- Pictures

typedef struct vision_image vision_image;

// Checked against a picture's header before it is decoded.
typedef struct vision_limits {
    int64_t max_pixels;
    int64_t max_side;
} vision_limits;

typedef enum vision_format {
    VISION_BGR8 = 0,
    VISION_RGB8 = 1,
    VISION_GRAY8 = 2,
    // 4:2:0: a Y plane, then interleaved U and V at half size.
    VISION_NV12 = 3,
    // 4:2:0: planes Y, U, V; rows of U and V are half a row stride apart.
    VISION_I420 = 4,
} vision_format;

// JPEG, PNG or WebP, told apart by magic bytes. EXIF orientation is applied. A truncated picture is an error.
vision_image *vision_image_decode(const uint8_t *bytes, size_t length, vision_limits limits, vision_error *error);

// Takes raw pixels. `row_stride` 0 means that rows are packed.
vision_image *vision_image_create(vision_format format, int64_t width, int64_t height, int64_t row_stride,
                                  const uint8_t *bytes, size_t length, vision_limits limits, vision_error *error);

// A copy, to draw on.
vision_image *vision_image_create_copy(const vision_image *image, vision_error *error);

// A copy of another size, stretched: by areas where it is smaller, bilinear where it is larger.
vision_image *vision_image_create_resized(const vision_image *image, int64_t width, int64_t height,
                                          vision_limits limits, vision_error *error);

void vision_image_free(vision_image *image);

int32_t vision_image_width(const vision_image *image);
int32_t vision_image_height(const vision_image *image);
// width * height * 3 bytes; live as long as the image. Of a picture that came as NV12 or I420 they are made when they
// are first asked for; NULL where memory ran out.
const uint8_t *vision_image_pixels(const vision_image *image);

// ---- Drawing, on an image that nobody else sees yet

// A box. Equal `colour` keys give equal colours.
bool vision_image_draw_box(vision_image *image, float x, float y, float width, float height, uint64_t colour,
                           vision_error *error);

// The text of such a box: above it, or wherever at it no other text is covered. Where there is no such place it is
// written smaller, then `brief` in its place, and then nothing. Drawn after all boxes, the most important one first.
bool vision_image_draw_label(vision_image *image, float x, float y, float width, float height, uint64_t colour,
                             const char *text, const char *brief, vision_error *error);

// The border of a zone (`closed`), or a line with an arrow to the right of someone who walks along it, and its text: at
// its highest corner, or at its middle. `points` are x and y of each of `count` corners.
bool vision_image_draw_outline(vision_image *image, const float *points, int32_t count, bool closed, const char *text,
                               vision_error *error);

typedef enum vision_corner { VISION_TOP_LEFT = 0, VISION_BOTTOM_LEFT = 1 } vision_corner;

// A line of text in a corner; `line` 0 is the one nearest to the edge. Not drawn where it does not fit, or where lines
// would take more than a third of the height.
bool vision_image_draw_line(vision_image *image, vision_corner corner, int32_t line, const char *text,
                            vision_error *error);

// ---- Compressed bytes

typedef struct vision_bytes vision_bytes;

// A JPEG, 4:2:0. `quality` 1...100.
vision_bytes *vision_bytes_create_jpeg(const vision_image *image, int32_t quality, vision_error *error);
// A PNG, 8 bits a channel.
vision_bytes *vision_bytes_create_png(const vision_image *image, vision_error *error);
void vision_bytes_free(vision_bytes *bytes);
const uint8_t *vision_bytes_data(const vision_bytes *bytes);
size_t vision_bytes_length(const vision_bytes *bytes);

// ---- Models

typedef struct vision_model vision_model;

// VISION_TENSORFLOW is a frozen graph: its weights are constants in it.
typedef enum vision_network {
    VISION_DARKNET = 0,
    VISION_ONNX = 1,
    VISION_TENSORFLOW = 2,
    VISION_CAFFE = 3
} vision_network;
typedef enum vision_channels {
    VISION_CHANNELS_BGR = 0,
    VISION_CHANNELS_RGB = 1,
    VISION_CHANNELS_GRAY = 2
} vision_channels;
typedef enum vision_resize { VISION_STRETCH = 0, VISION_LETTERBOX = 1 } vision_resize;

// docs/models.md describes them.
typedef enum vision_decoder {
    VISION_DARKNET_REGION = 0,
    VISION_FASTESTDET = 1,
    VISION_ULTRAFACE = 2,
    VISION_GRID = 3,
    VISION_CLASSIFIER = 4,
} vision_decoder;

typedef enum vision_activation {
    // The scores are probabilities already.
    VISION_ACTIVATION_NONE = 0,
    VISION_ACTIVATION_SOFTMAX = 1,
    VISION_ACTIVATION_SIGMOID = 2,
} vision_activation;

// What runs a network.
typedef enum vision_engine {
    // OpenCV's own layers: the reference.
    VISION_ENGINE_OPENCV = 0,
    // OpenCV's net with layers on oneDNN, where this was built with it.
    VISION_ENGINE_OPENCV_ONEDNN = 1,
    // OpenVINO, where its shared library (libopenvino_c.so) is found: in FRAMEMESH_OPENVINO, if that is set, else by
    // the
    // system's loader.
    VISION_ENGINE_OPENVINO = 2,
} vision_engine;

// Whether it can be used; otherwise `error` says why not. Asking for OpenVINO loads its library.
bool vision_engine_check(vision_engine engine, vision_error *error);

// A prior box of UltraFace: a square of `size` pixels of the network's input in each cell of `stride` pixels.
typedef struct vision_prior {
    int32_t stride;
    float size;
} vision_prior;

#define VISION_MAX_BATCH_SIZE 64

typedef struct vision_settings {
    vision_engine engine;
    vision_network network;
    int32_t input_width;
    int32_t input_height;
    vision_channels channels;
    // input = (pixel - mean) * scale, in the network's channel order.
    float mean[3];
    float scale[3];
    vision_resize resize;
    // Pixel value of a letterbox's borders.
    float border;
    vision_decoder decoder;
    // Of `grid` and `classifier`.
    vision_activation activation;
    int32_t class_count;
    // Used where an input asks 0.
    float min_confidence;
    int32_t top_k;
    // Boxes of one class that overlap more are one object.
    float nms_iou;
    // At most VISION_MAX_BATCH_SIZE, less than 1 means 1. Larger inputs run in several passes; lowered to 1 where a
    // batch differs from its singles.
    int32_t max_batch_size;
} vision_settings;

// What one network is made of; `weights` is empty for formats that keep them in the network: ONNX and TensorFlow.
typedef struct vision_model_parts {
    const uint8_t *network;
    size_t network_length;
    const uint8_t *weights;
    size_t weights_length;
    // Names of output layers, separated by newlines; empty: all that nothing else reads.
    const char *outputs;
    const vision_prior *priors;
    size_t prior_count;
} vision_model_parts;

vision_model *vision_model_create(vision_settings settings, vision_model_parts parts, vision_error *error);
void vision_model_free(vision_model *model);
// 1 where batches differ from their singles.
int32_t vision_model_max_batch_size(const vision_model *model);
// One line: what runs its layers; lives as long as the model.
const char *vision_model_engine_description(const vision_model *model);

typedef struct vision_input {
    const vision_image *image;
    // In pixels, clipped to the picture; width 0 means the whole picture.
    float x, y, width, height;
    // 0: the model's own.
    float min_confidence;
    int32_t top_k;
} vision_input;

// One detection, or one class of a classifier (then the box is all zero).
typedef struct vision_finding {
    // Index of the input.
    int32_t input;
    int32_t class_id;
    float confidence;
    float x, y, width, height;
} vision_finding;

typedef struct vision_result {
    // Grouped by input in order, strongest first; borrowed until the next run or `_free`.
    const vision_finding *findings;
    size_t count;
    uint64_t preprocess_microseconds;
    uint64_t infer_microseconds;
    uint64_t postprocess_microseconds;
} vision_result;

bool vision_model_run(vision_model *model, const vision_input *inputs, size_t count, vision_result *result,
                      vision_error *error);

#ifdef __cplusplus
}
#endif
#endif
