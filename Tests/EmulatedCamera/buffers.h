/* The emulated camera's buffers, and the frames that come into them. Whoever calls holds `device_lock`. Errors are
 * returned; 0: none. */
#pragma once

#include <linux/videodev2.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct picture_kind {
    uint32_t width, height;
    size_t (*draw)(uint8_t *bytes, uint32_t width, uint32_t height, uint64_t number);
};

extern pthread_mutex_t device_lock;

bool has_buffers(void);
bool has_started(void);

/* None are left of those before.
 * descriptor: of the memory that they get, to be mapped by the caller as well. */
int make_buffers(struct v4l2_requestbuffers *request, int descriptor, struct picture_kind kind);
int describe_buffer(struct v4l2_buffer *buffer);
/* VIDIOC_QBUF and VIDIOC_DQBUF; the latter waits for a frame, and lets go of the lock meanwhile. */
int give_buffer(struct v4l2_buffer *buffer);
int take_buffer(struct v4l2_buffer *buffer);

int start_frames(struct v4l2_fract interval);
void stop_frames(void);
