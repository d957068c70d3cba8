#define _GNU_SOURCE
#include "device.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "buffers.h"
#include "pictures.h"
#include "settings.h"

static const struct {
    uint32_t name, flags;
    const char *letters, *text;
    size_t (*draw)(uint8_t *bytes, uint32_t width, uint32_t height, uint64_t number);
} formats[] = {
    {V4L2_PIX_FMT_YUYV, 0, "YUYV", "YUYV 4:2:2", draw_yuyv},
    {V4L2_PIX_FMT_MJPEG, V4L2_FMT_FLAG_COMPRESSED, "MJPG", "Motion-JPEG", draw_jpeg},
};
static const struct { uint32_t width, height; } sizes[] = {{640, 480}, {320, 240}, {160, 120}};
static const struct v4l2_fract intervals[] = {{1, 30}, {1, 15}, {1, 5}};

enum { FORMATS = sizeof(formats) / sizeof(*formats) };
enum { SIZES = sizeof(sizes) / sizeof(*sizes) };
enum { INTERVALS = sizeof(intervals) / sizeof(*intervals) };

/* What is chosen are indices in these lists. */
struct choice {
    int descriptor;
    size_t format, size, interval;
};

static struct choice chosen = {.descriptor = -1};

/* ---- What it has */

static int say_what_it_is(struct v4l2_capability *capability) {
    memset(capability, 0, sizeof(*capability));
    strcpy((char *)capability->driver, "emulated");
    strcpy((char *)capability->card, "Emulated camera");
    strcpy((char *)capability->bus_info, "platform:emulated");
    capability->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_EXT_PIX_FORMAT;
    capability->capabilities = capability->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

static int list_input(struct v4l2_input *input) {
    if (input->index != 0) return EINVAL;
    memset(input, 0, sizeof(*input));
    strcpy((char *)input->name, "Camera 1");
    input->type = V4L2_INPUT_TYPE_CAMERA;
    return 0;
}

static int list_format(struct v4l2_fmtdesc *description) {
    uint32_t left = description->index;
    for (size_t i = 0; i < FORMATS; i++) {
        if (!has_format(formats[i].letters) || left-- > 0) continue;
        description->flags = formats[i].flags;
        description->pixelformat = formats[i].name;
        strcpy((char *)description->description, formats[i].text);
        return 0;
    }
    return EINVAL;
}

static int list_size(struct v4l2_frmsizeenum *size) {
    if (size->index >= SIZES) return EINVAL;
    size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    size->discrete.width = sizes[size->index].width;
    size->discrete.height = sizes[size->index].height;
    return 0;
}

static int list_interval(struct v4l2_frmivalenum *interval) {
    if (interval->index >= INTERVALS) return EINVAL;
    interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    interval->discrete = intervals[interval->index];
    return 0;
}

/* ---- What is chosen of it: the nearest that it has, as drivers do it */

static void choose(struct v4l2_pix_format *pixels, struct choice *choice) {
    choice->format = has_format(formats[0].letters) ? 0 : 1;
    for (size_t i = 0; i < FORMATS; i++) {
        if (has_format(formats[i].letters) && formats[i].name == pixels->pixelformat) choice->format = i;
    }
    const int64_t wanted = (int64_t)pixels->width * pixels->height;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < SIZES; i++) {
        const int64_t difference = llabs((int64_t)sizes[i].width * sizes[i].height - wanted);
        if (difference >= least) continue;
        least = difference;
        choice->size = i;
    }
}

static int say_format(struct v4l2_pix_format *pixels, struct choice choice) {
    const bool is_compressed = formats[choice.format].flags & V4L2_FMT_FLAG_COMPRESSED;
    memset(pixels, 0, sizeof(*pixels));
    pixels->width = sizes[choice.size].width;
    pixels->height = sizes[choice.size].height;
    pixels->pixelformat = formats[choice.format].name;
    pixels->field = V4L2_FIELD_NONE;
    pixels->bytesperline = is_compressed ? 0 : pixels->width * 2;
    pixels->sizeimage = pixels->width * pixels->height * 2;
    pixels->colorspace = V4L2_COLORSPACE_SRGB;
    return 0;
}

static int try_format(struct v4l2_pix_format *pixels) {
    struct choice choice = chosen;
    choose(pixels, &choice);
    return say_format(pixels, choice);
}

static int set_format(struct v4l2_pix_format *pixels) {
    const int refused = refusal("format");
    if (refused != 0) return refused;
    if (has_buffers()) return EBUSY;
    choose(pixels, &chosen);
    return say_format(pixels, chosen);
}

static int say_interval(struct v4l2_captureparm *capture) {
    memset(capture, 0, sizeof(*capture));
    capture->capability = V4L2_CAP_TIMEPERFRAME;
    capture->timeperframe = intervals[chosen.interval];
    return 0;
}

static int set_interval(struct v4l2_captureparm *capture) {
    if (has_started()) return EBUSY;
    const struct v4l2_fract wanted = capture->timeperframe;
    chosen.interval = 0;
    /* The longest that is no longer; nothing, or too little: the first. */
    for (size_t i = 0; i < INTERVALS; i++) {
        const uint64_t left = (uint64_t)intervals[i].numerator * wanted.denominator;
        if (left <= (uint64_t)wanted.numerator * intervals[i].denominator) chosen.interval = i;
    }
    return say_interval(capture);
}

/* ---- Calls */

/* What these are about is their first field, or their second. */
static bool is_of_capture(uint32_t request, const uint32_t *argument) {
    switch (request) {
        case VIDIOC_G_FMT:
        case VIDIOC_S_FMT:
        case VIDIOC_TRY_FMT:
        case VIDIOC_G_PARM:
        case VIDIOC_S_PARM:
        case VIDIOC_STREAMON:
        case VIDIOC_STREAMOFF:
            return argument[0] == V4L2_BUF_TYPE_VIDEO_CAPTURE;
        case VIDIOC_ENUM_FMT:
        case VIDIOC_REQBUFS:
        case VIDIOC_QUERYBUF:
        case VIDIOC_QBUF:
        case VIDIOC_DQBUF:
            return argument[1] == V4L2_BUF_TYPE_VIDEO_CAPTURE;
        default:
            return true;
    }
}

static int get_input(int *input) {
    *input = 0;
    return refusal("input");
}

static int ask_for_buffers(struct v4l2_requestbuffers *request) {
    if (request->memory != V4L2_MEMORY_MMAP) return EINVAL;
    const struct picture_kind kind = {sizes[chosen.size].width, sizes[chosen.size].height, formats[chosen.format].draw};
    return make_buffers(request, chosen.descriptor, kind);
}

static int start(void) {
    const int refused = refusal("start");
    return refused != 0 ? refused : start_frames(intervals[chosen.interval]);
}

static int answer(uint32_t request, void *argument) {
    if (!is_of_capture(request, argument)) return EINVAL;
    switch (request) {
        case VIDIOC_QUERYCAP:
            return say_what_it_is(argument);
        case VIDIOC_G_INPUT:
            return get_input(argument);
        case VIDIOC_S_INPUT:
            return *(int *)argument == 0 ? 0 : EINVAL;
        case VIDIOC_ENUMINPUT:
            return list_input(argument);
        case VIDIOC_ENUM_FMT:
            return list_format(argument);
        case VIDIOC_ENUM_FRAMESIZES:
            return list_size(argument);
        case VIDIOC_ENUM_FRAMEINTERVALS:
            return list_interval(argument);
        case VIDIOC_G_FMT:
            return say_format(&((struct v4l2_format *)argument)->fmt.pix, chosen);
        case VIDIOC_S_FMT:
            return set_format(&((struct v4l2_format *)argument)->fmt.pix);
        case VIDIOC_TRY_FMT:
            return try_format(&((struct v4l2_format *)argument)->fmt.pix);
        case VIDIOC_G_PARM:
            return say_interval(&((struct v4l2_streamparm *)argument)->parm.capture);
        case VIDIOC_S_PARM:
            return set_interval(&((struct v4l2_streamparm *)argument)->parm.capture);
        case VIDIOC_REQBUFS:
            return ask_for_buffers(argument);
        case VIDIOC_QUERYBUF:
            return describe_buffer(argument);
        case VIDIOC_QBUF:
            return give_buffer(argument);
        case VIDIOC_DQBUF:
            return take_buffer(argument);
        case VIDIOC_STREAMON:
            return start();
        case VIDIOC_STREAMOFF:
            stop_frames();
            return 0;
        default:
            /* Standards of television and all else: as a camera that has none. */
            return ENOTTY;
    }
}

bool is_device_path(const char *path) {
    const char *own = getenv("EMULATED_CAMERA");
    return own && path && strcmp(path, own) == 0;
}

bool is_device(int descriptor) {
    return descriptor >= 0 && descriptor == chosen.descriptor;
}

static int result(int error) {
    if (error == 0) return 0;
    errno = error;
    return -1;
}

int open_device(void) {
    const int refused = refusal("open");
    /* Other programs may share one; nobody here does. */
    if (refused != 0 || chosen.descriptor >= 0) return result(refused != 0 ? refused : EBUSY);
    const int descriptor = memfd_create("emulated camera", MFD_CLOEXEC);
    chosen = (struct choice){.descriptor = descriptor, .format = has_format(formats[0].letters) ? 0 : 1};
    return descriptor;
}

int call_device(unsigned long request, void *argument) {
    pthread_mutex_lock(&device_lock);
    const int error = answer((uint32_t)request, argument);
    pthread_mutex_unlock(&device_lock);
    return result(error);
}

void close_device(void) {
    pthread_mutex_lock(&device_lock);
    stop_frames();
    struct v4l2_requestbuffers none = {.count = 0};
    make_buffers(&none, chosen.descriptor, (struct picture_kind){0});
    chosen.descriptor = -1;
    pthread_mutex_unlock(&device_lock);
}
