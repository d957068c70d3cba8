/* What the emulated camera is like comes from the environment:
 *
 *   EMULATED_CAMERA                its path
 *   EMULATED_CAMERA_FORMATS        what it has, e.g. MJPG; otherwise "YUYV MJPG"
 *   EMULATED_CAMERA_REFUSES        a call that fails, and its error: "open EACCES", "input ENOTTY", "format EBUSY",
 *                                  "start ENOSPC"
 *   EMULATED_CAMERA_DAMAGED        the number of a frame, from 0, whose bytes do not come whole
 *   EMULATED_CAMERA_GONE_AFTER     frames, before it is unplugged
 *   EMULATED_CAMERA_SILENT_AFTER   frames, before none comes any more
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A number; UINT64_MAX where nothing is said. */
uint64_t setting(const char *name);

/* The error of `call`; 0: it does not fail. */
int refusal(const char *call);

/* Whether the camera has the format of these four letters. */
bool has_format(const char *letters);
