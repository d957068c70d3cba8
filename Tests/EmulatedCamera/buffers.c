#define _GNU_SOURCE
#include "buffers.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "settings.h"

/* As many as videobuf2 gives. */
enum { BUFFERS_AT_MOST = 32 };

static const int64_t second = 1000000000;

/* Of buffers, in the order in which they came. */
struct line {
    uint32_t first, count, at[BUFFERS_AT_MOST];
};

enum place { WITH_CALLER, EMPTY, FULL };

struct buffer {
    enum place place;
    uint32_t bytes;
    uint64_t number;
};

/* Of the frames since the start. Times are nanoseconds of the monotonic clock. */
struct stream {
    bool has_started;
    /* The first frame comes an interval later. */
    int64_t start;
    struct v4l2_fract interval;
    /* Of the next frame. */
    uint64_t number;
    struct line empty, full;
    struct buffer buffer[BUFFERS_AT_MOST];
};

pthread_mutex_t device_lock = PTHREAD_MUTEX_INITIALIZER;

static struct picture_kind kind;
static uint8_t *memory;
static uint32_t count, buffer_bytes;
static struct stream stream;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * second + time.tv_nsec;
}

static int64_t time_of(uint64_t number) {
    return stream.start + (int64_t)(number + 1) * stream.interval.numerator * second / stream.interval.denominator;
}

static void push(struct line *line, uint32_t index) {
    line->at[(line->first + line->count++) % BUFFERS_AT_MOST] = index;
}

static uint32_t pop(struct line *line) {
    const uint32_t index = line->at[line->first];
    line->first = (line->first + 1) % BUFFERS_AT_MOST;
    line->count--;
    return index;
}

static uint64_t last_number(void) {
    const uint64_t gone = setting("EMULATED_CAMERA_GONE_AFTER"), silent = setting("EMULATED_CAMERA_SILENT_AFTER");
    return gone < silent ? gone : silent;
}

static bool is_gone(void) {
    const uint64_t number = setting("EMULATED_CAMERA_GONE_AFTER");
    return stream.has_started && stream.number >= number && time_of(number) <= now();
}

/* All frames whose time has come: between two calls nothing changes that matters to them. */
static void take_frames(void) {
    const int64_t until = now();
    for (; stream.number < last_number() && time_of(stream.number) <= until; stream.number++) {
        if (stream.empty.count == 0) continue;
        const uint32_t index = pop(&stream.empty);
        struct buffer *buffer = &stream.buffer[index];
        buffer->bytes =
            (uint32_t)kind.draw(memory + (size_t)index * buffer_bytes, kind.width, kind.height, stream.number);
        buffer->number = stream.number;
        buffer->place = FULL;
        push(&stream.full, index);
    }
}

static void fill(struct v4l2_buffer *buffer, uint32_t index) {
    memset(buffer, 0, sizeof(*buffer));
    buffer->index = index;
    buffer->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buffer->memory = V4L2_MEMORY_MMAP;
    buffer->field = V4L2_FIELD_NONE;
    buffer->length = buffer_bytes;
    buffer->m.offset = index * buffer_bytes;
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    if (stream.buffer[index].place == EMPTY) buffer->flags |= V4L2_BUF_FLAG_QUEUED;
    if (stream.buffer[index].place == FULL) buffer->flags |= V4L2_BUF_FLAG_DONE;
}

bool has_buffers(void) {
    return count > 0;
}

bool has_started(void) {
    return stream.has_started;
}

int make_buffers(struct v4l2_requestbuffers *request, int descriptor, struct picture_kind wanted) {
    if (stream.has_started) return EBUSY;
    if (memory) munmap(memory, (size_t)count * buffer_bytes);
    memory = NULL;
    memset(&stream, 0, sizeof(stream));
    count = request->count < BUFFERS_AT_MOST ? request->count : BUFFERS_AT_MOST;
    request->count = count;
    if (count == 0) return 0;
    kind = wanted;
    const uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
    buffer_bytes = (kind.width * kind.height * 2 + page - 1) / page * page;
    const size_t all = (size_t)count * buffer_bytes;
    void *place = MAP_FAILED;
    if (ftruncate(descriptor, (off_t)all) == 0) place = mmap(NULL, all, PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (place != MAP_FAILED) {
        memory = place;
        return 0;
    }
    count = 0;
    return errno;
}

int describe_buffer(struct v4l2_buffer *buffer) {
    if (buffer->index >= count) return EINVAL;
    fill(buffer, buffer->index);
    return 0;
}

int give_buffer(struct v4l2_buffer *buffer) {
    const uint32_t index = buffer->index;
    if (index >= count || stream.buffer[index].place != WITH_CALLER) return EINVAL;
    if (is_gone()) return ENODEV;
    /* Not into this one. */
    if (stream.has_started) take_frames();
    stream.buffer[index].place = EMPTY;
    push(&stream.empty, index);
    fill(buffer, index);
    return 0;
}

/* Waits until the next frame's time.
 * Returns an error where a signal came. */
static int wait_for_frame(void) {
    const int64_t hour = 3600 * second;
    const bool is_silent = stream.number >= setting("EMULATED_CAMERA_SILENT_AFTER");
    const int64_t until = is_silent ? now() + hour : time_of(stream.number);
    const struct timespec time = {until / second, until % second};
    pthread_mutex_unlock(&device_lock);
    const int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
    pthread_mutex_lock(&device_lock);
    return error;
}

int take_buffer(struct v4l2_buffer *buffer) {
    for (;;) {
        if (!stream.has_started) return EINVAL;
        take_frames();
        if (stream.full.count > 0) break;
        if (is_gone()) return ENODEV;
        const int error = wait_for_frame();
        if (error != 0) return error;
    }
    const uint32_t index = pop(&stream.full);
    const uint64_t number = stream.buffer[index].number;
    const int64_t time = time_of(number);
    stream.buffer[index].place = WITH_CALLER;
    fill(buffer, index);
    buffer->bytesused = stream.buffer[index].bytes;
    buffer->sequence = (uint32_t)number;
    buffer->timestamp.tv_sec = time / second;
    buffer->timestamp.tv_usec = time % second / 1000;
    if (number == setting("EMULATED_CAMERA_DAMAGED")) {
        buffer->flags |= V4L2_BUF_FLAG_ERROR;
        buffer->bytesused /= 2;
    }
    return 0;
}

int start_frames(struct v4l2_fract interval) {
    if (count == 0) return EINVAL;
    if (stream.has_started) return 0;
    stream.has_started = true;
    stream.start = now();
    stream.interval = interval;
    return 0;
}

void stop_frames(void) {
    memset(&stream, 0, sizeof(stream));
}
