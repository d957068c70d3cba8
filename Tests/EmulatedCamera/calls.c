/* The calls of a process that reach the emulated camera where they name it, and the system where they do not. To map
 * its memory takes none: the camera's descriptor is that of memory. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device.h"

/* Of Video4Linux (Linux, admin-guide/devices.txt). */
enum { VIDEO_MAJOR = 81 };

/* Behind this library. */
#define SYSTEM(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN_AS(name)                                                                   \
    int name(const char *path, int flags, ...) {                                        \
        if (is_device_path(path)) return open_device();                                 \
        va_list rest;                                                                   \
        va_start(rest, flags);                                                          \
        const mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                                   \
        return SYSTEM(name)(path, flags, mode);                                         \
    }

OPEN_AS(open)
OPEN_AS(open64)

int close(int descriptor) {
    if (is_device(descriptor)) close_device();
    return SYSTEM(close)(descriptor);
}

int ioctl(int descriptor, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return is_device(descriptor) ? call_device(request, argument) : SYSTEM(ioctl)(descriptor, request, argument);
}

int stat(const char *path, struct stat *status) {
    if (!is_device_path(path)) return SYSTEM(stat)(path, status);
    memset(status, 0, sizeof(*status));
    status->st_mode = S_IFCHR | 0660;
    status->st_rdev = makedev(VIDEO_MAJOR, 0);
    return 0;
}

int access(const char *path, int mode) {
    return is_device_path(path) ? 0 : SYSTEM(access)(path, mode);
}
