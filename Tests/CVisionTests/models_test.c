#include <math.h>

#include "test.h"

static bytes read_file(const char *folder, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    bytes result = {malloc(1 << 16), 0};
    if (file) {
        result.length = fread(result.data, 1, 1 << 16, file);
        fclose(file);
    }
    EXPECT(result.length > 0, "%s cannot be read", path);
    return result;
}

static vision_settings grid_settings(void) {
    vision_settings settings = {.network = VISION_ONNX,
                                .input_width = 32,
                                .input_height = 32,
                                .channels = VISION_CHANNELS_RGB,
                                .scale = {1 / 255.0f, 1 / 255.0f, 1 / 255.0f},
                                .resize = VISION_STRETCH,
                                .decoder = VISION_GRID,
                                .activation = VISION_ACTIVATION_SOFTMAX,
                                .class_count = 1,
                                .min_confidence = 0.5f,
                                .nms_iou = 0.45f,
                                .max_batch_size = 3};
    return settings;
}

static vision_model *load(vision_settings settings, bytes network, const char *outputs, vision_error *error) {
    *error = (vision_error){VISION_OK, ""};
    const vision_model_parts parts = {.network = network.data, .network_length = network.length, .outputs = outputs};
    return vision_model_create(settings, parts, error);
}

// Black, with a white square.
static vision_image *square(int width, int height, int x, int y, int side) {
    bytes pixels = {calloc(1, (size_t)width * (size_t)height), (size_t)width * (size_t)height};
    for (int row = y; row < y + side; row++) memset(pixels.data + row * width + x, 255, (size_t)side);
    vision_error error;
    vision_image *image =
        vision_image_create(VISION_GRAY8, width, height, 0, pixels.data, pixels.length, usual, &error);
    free(pixels.data);
    return image;
}

static void expect_box(vision_finding f, int input, float x, float y, float width, float height) {
    EXPECT(f.input == input && fabsf(f.x - x) < 0.01f && fabsf(f.y - y) < 0.01f && fabsf(f.width - width) < 0.01f &&
               fabsf(f.height - height) < 0.01f,
           "input %d: %g, %g, %g x %g", f.input, (double)f.x, (double)f.y, (double)f.width, (double)f.height);
}

static void test_boxes(bytes network) {
    vision_error error;
    vision_model *model = load(grid_settings(), network, "grid", &error);
    EXPECT(model, "%s", error.text);
    if (!model) return;
    EXPECT(vision_model_max_batch_size(model) == 3, "batches are %d", vision_model_max_batch_size(model));
    // 64 x 64: each cell is 8 x 8 pixels of the picture; 5 inputs are 2 passes.
    vision_image *images[5];
    vision_input inputs[5] = {{0}};
    for (int i = 0; i < 5; i++) inputs[i].image = images[i] = square(64, 64, 8 * i, 16, 8);
    vision_result result;
    EXPECT(vision_model_run(model, inputs, 5, &result, &error), "%s", error.text);
    EXPECT(result.count == 5, "%zu boxes", result.count);
    for (int i = 0; i < 5 && result.count == 5; i++) expect_box(result.findings[i], i, 8.0f * (float)i, 16, 8, 8);

    // A region is seen alone, and its boxes are told in the picture's pixels.
    vision_input region = {.image = images[4], .x = 32, .y = 0, .width = 32, .height = 32};
    EXPECT(vision_model_run(model, &region, 1, &result, &error) && result.count == 4, "%s", error.text);
    region.min_confidence = 1;
    EXPECT(vision_model_run(model, &region, 1, &result, &error) && result.count == 0, "all are less sure");

    vision_input wrong[] = {{.image = images[0], .x = 64, .width = 5, .height = 5},
                            {.image = images[0], .x = NAN, .width = 5, .height = 5},
                            {.image = images[0], .x = -20, .width = 5, .height = 5},
                            {.image = images[0], .width = -5, .height = 5},
                            {.image = images[0], .x = 1e30f, .width = 1e30f, .height = NAN}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        EXPECT(!vision_model_run(model, &wrong[i], 1, &result, &error) && error.status == VISION_BAD_PICTURE,
               "region %zu", i);
    }
    EXPECT(vision_model_run(model, inputs, 0, &result, &error) && result.count == 0, "no inputs");
    for (int i = 0; i < 5; i++) vision_image_free(images[i]);
    vision_model_free(model);
}

// 64 x 32 in a square input: 8 rows of border above and below, cells of 8 x 8 picture pixels.
static void test_letterbox(bytes network) {
    vision_settings settings = grid_settings();
    settings.resize = VISION_LETTERBOX;
    vision_error error;
    vision_model *model = load(settings, network, "", &error);
    EXPECT(model, "%s", error.text);
    if (!model) return;
    vision_image *image = square(64, 32, 40, 8, 8);
    vision_input input = {.image = image};
    vision_result result;
    EXPECT(vision_model_run(model, &input, 1, &result, &error) && result.count == 1, "%s", error.text);
    if (result.count == 1) expect_box(result.findings[0], 0, 40, 8, 8, 8);
    vision_image_free(image);
    vision_model_free(model);

    // White borders are found, but lie beside the picture.
    settings.border = 255;
    model = load(settings, network, "", &error);
    image = square(64, 32, 40, 8, 8);
    input.image = image;
    EXPECT(model && vision_model_run(model, &input, 1, &result, &error) && result.count == 1, "%s", error.text);
    vision_image_free(image);
    vision_model_free(model);
}

static void test_classes(const char *folder) {
    const bytes network = read_file(folder, "mean-colour.onnx"), mixing = read_file(folder, "mixes-batches.onnx");
    vision_settings settings = grid_settings();
    settings.input_width = settings.input_height = 16;
    settings.channels = VISION_CHANNELS_BGR;
    settings.decoder = VISION_CLASSIFIER;
    settings.activation = VISION_ACTIVATION_NONE;
    settings.class_count = 3;
    settings.top_k = 2;
    vision_error error;
    vision_model *model = load(settings, network, "", &error);
    EXPECT(model && vision_model_max_batch_size(model) == 3, "%s", error.text);
    uint8_t pixels[8 * 8 * 3];
    for (int i = 0; i < 64; i++) memcpy(pixels + 3 * i, (uint8_t[]){51, 204, 102}, 3);
    vision_image *image = vision_image_create(VISION_BGR8, 8, 8, 0, pixels, sizeof pixels, usual, &error);
    vision_input input = {.image = image};
    vision_result result = {0};
    EXPECT(model && vision_model_run(model, &input, 1, &result, &error) && result.count == 2, "%zu", result.count);
    if (result.count == 2) {
        EXPECT(result.findings[0].class_id == 1 && fabsf(result.findings[0].confidence - 0.8f) < 1e-3f, "first");
        EXPECT(result.findings[1].class_id == 2 && fabsf(result.findings[1].confidence - 0.4f) < 1e-3f, "second");
    }
    vision_model_free(model);
    vision_image_free(image);

    model = load(settings, mixing, "", &error);
    EXPECT(model && vision_model_max_batch_size(model) == 1, "a network whose batches differ must not batch");
    vision_model_free(model);

    settings.class_count = 4;
    EXPECT(!load(settings, network, "", &error) && error.status == VISION_BAD_MODEL && strstr(error.text, "N x 4"),
           "%s", error.text);
    free(network.data);
    free(mixing.data);
}

static void test_wrong_models(bytes network) {
    vision_error error;
    vision_settings settings = grid_settings();
    EXPECT(!load(settings, network, "nothing", &error) && strstr(error.text, "no layer nothing"), "%s", error.text);
    EXPECT(!load(settings, (bytes){NULL, 0}, "", &error) && error.status == VISION_BAD_MODEL, "%s", error.text);
    const bytes half = exact(network.data, network.length / 2);
    EXPECT(!load(settings, half, "", &error) && error.status == VISION_BAD_MODEL, "%s", error.text);
    EXPECT(!strchr(error.text, '\n'), "more than one line: %s", error.text);
    free(half.data);
    settings.class_count = 80;
    EXPECT(!load(settings, network, "", &error) && strstr(error.text, "1 x 6 x 8 x 8"), "%s", error.text);
    settings.decoder = VISION_ULTRAFACE;
    EXPECT(!load(settings, network, "", &error) && error.status == VISION_BAD_MODEL, "%s", error.text);
    settings = grid_settings();
    settings.input_width = 0;
    EXPECT(!load(settings, network, "", &error) && strstr(error.text, "width 0"), "%s", error.text);
    settings = grid_settings();
    settings.network = VISION_DARKNET;
    EXPECT(!load(settings, network, "", &error) && error.status == VISION_BAD_MODEL, "%s", error.text);
}

// A few bytes of a manifest must not become gigabytes.
static void test_too_many_priors(bytes network) {
    vision_settings settings = grid_settings();
    settings.decoder = VISION_ULTRAFACE;
    settings.input_width = settings.input_height = 1000;
    const vision_prior priors[2] = {{.stride = 1, .size = 8}, {.stride = 1000, .size = 8}};
    vision_model_parts parts = {
        .network = network.data, .network_length = network.length, .priors = priors, .prior_count = 2};
    vision_error error = {VISION_OK, ""};
    EXPECT(!vision_model_create(settings, parts, &error) && error.status == VISION_BAD_MODEL &&
               strstr(error.text, "priors make more than 1000000 boxes"),
           "%s", error.text);
    // That many are no reason: the network is.
    parts.prior_count = 1;
    EXPECT(!vision_model_create(settings, parts, &error) && !strstr(error.text, "priors make"), "%s", error.text);
}

void test_models(const char *fixtures) {
    const bytes network = read_file(fixtures, "bright-cells.onnx");
    test_boxes(network);
    test_letterbox(network);
    test_classes(fixtures);
    test_wrong_models(network);
    test_too_many_priors(network);
    free(network.data);
}
