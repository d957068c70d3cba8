/* A capture device of Video4Linux in this process: one input, YUYV and Motion JPEG at three sizes and three rates, and
 * frames by the clock in memory that the caller maps, lost where no buffer waits for them. */
#pragma once

#include <stdbool.h>

/* Whether `path` names it. */
bool is_device_path(const char *path);
bool is_device(int descriptor);

/* These return -1 and set errno, as the calls of the same name do. */
int open_device(void);
int call_device(unsigned long request, void *argument);

/* The descriptor itself is the caller's to close. */
void close_device(void);
