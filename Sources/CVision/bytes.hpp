#pragma once

#include <turbojpeg.h>

#include "CVision.h"

/// Memory of TurboJPEG.
struct vision_bytes {
    unsigned char *data = nullptr;
    unsigned long length = 0;
    ~vision_bytes() { tjFree(data); }
};
