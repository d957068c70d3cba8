// The one place where C++ exceptions become a `vision_error`.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "CVision.h"

namespace vision {

/// What goes wrong inside the core; `guarded` hands status and text to the caller.
class Failure : public std::exception {
  public:
    Failure(vision_status status, std::string text) : status(status), text(std::move(text)) {}
    const char *what() const noexcept override { return text.c_str(); }

    const vision_status status;
    const std::string text;
};

[[noreturn]] __attribute__((format(printf, 2, 3))) inline void fail(vision_status status, const char *format, ...) {
    char text[sizeof(vision_error::text)];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    throw Failure(status, text);
}

/// Fills `error` with the first line of `text`: messages of libraries may hold several.
inline void report(vision_error *error, vision_status status, const char *text) {
    error->status = status;
    std::snprintf(error->text, sizeof error->text, "%s", text);
    for (char *c = error->text; *c; c++) {
        if (static_cast<unsigned char>(*c) < 0x20) *c = ' ';
    }
}

/// Runs `body`; whatever it throws fills `error`, and `otherwise` is returned. Exceptions that are none of ours get
/// `unexpected`: what went wrong in OpenCV while a model loads, for example, is the model's fault.
template <typename Result, typename Body>
Result guarded(vision_error *error, vision_status unexpected, Result otherwise, Body body) noexcept {
    try {
        return body();
    } catch (const Failure &failure) {
        report(error, failure.status, failure.what());
    } catch (const std::bad_alloc &) {
        report(error, VISION_INTERNAL, "out of memory");
    } catch (const std::exception &other) {
        report(error, unexpected, other.what());
    } catch (...) {
        report(error, VISION_INTERNAL, "an exception without a name");
    }
    return otherwise;
}

}  // namespace vision
