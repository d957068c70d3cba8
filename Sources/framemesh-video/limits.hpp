// What a file may ask for, and what this process may do.
#pragma once

#include <cstdint>

namespace framemesh {

constexpr int kMaximumSide = 16384;
constexpr int64_t kMaximumPixels = 50'000'000;
/// Sides of a decoder's own pictures are multiples of at most this.
constexpr int kCodedBlock = 64;
constexpr int kMaximumStreams = 64;
constexpr int kMaximumThreads = 16;
constexpr double kMinimumFrameRate = 0.001;
constexpr double kMaximumFrameRate = 1000;

inline bool size_is_allowed(int64_t width, int64_t height) {
    return width > 0 && height > 0 && width <= kMaximumSide && height <= kMaximumSide &&
           width * height <= kMaximumPixels;
}

enum class Role { read, write, watch };

/// Closes what this process inherited, except the standard three.
void close_inherited_files();

/// A SIGKILL when the parent dies, also when it dies by one itself. Without this, the end of the pipes does it.
void die_with_parent();

/// Limits on memory, descriptors and core files for good; no new privileges, no network, no other programs.
/// A reader cannot open anything after this; one who watches may call, and becomes a reader once it has.
void give_up_rights(Role role);

/// No file becomes larger: a write beyond that fails with EFBIG.
void limit_files(uint64_t bytes);

/// Allows this much processor time from here on: called for each frame, so that one frame cannot take for ever
/// and a long video can.
void restart_processor_time();

}  // namespace framemesh
