#include "include/CVision.h"

const char *vision_compiler(void) {
// Clang's own text bears its name.
#ifdef __clang__
    return __VERSION__;
#else
    return "GCC " __VERSION__;
#endif
}
