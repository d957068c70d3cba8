#define _GNU_SOURCE
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond Linux's last one. */
enum { ERRORS = 134 };

uint64_t setting(const char *name) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : UINT64_MAX;
}

int refusal(const char *call) {
    const char *text = getenv("EMULATED_CAMERA_REFUSES");
    const size_t count = strlen(call);
    if (!text || strncmp(text, call, count) != 0 || text[count] != ' ') return 0;
    for (int error = 1; error < ERRORS; error++) {
        const char *name = strerrorname_np(error);
        if (name && strcmp(name, text + count + 1) == 0) return error;
    }
    fprintf(stderr, "EMULATED_CAMERA_REFUSES: '%s' names no error\n", text);
    abort();
}

bool has_format(const char *letters) {
    const char *text = getenv("EMULATED_CAMERA_FORMATS");
    return !text || strstr(text, letters);
}
