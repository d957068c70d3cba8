// A camera of this machine, through FFmpeg's v4l2. That is in a library of its own, libavdevice, which drags in much
// that nobody else needs here: it is loaded for a camera, and nothing else asks for it.
#pragma once

#include <string>

#include "ffmpeg.hpp"

namespace framemesh {

/// What is asked of a camera; 0: as it likes.
struct CameraOptions {
    std::string path;
    int width = 0;
    int height = 0;
    /// FFmpeg's name of a codec or of a pixel format; empty: as it likes.
    std::string format;
    double frame_rate = 0;
    int threads = 1;
};

/// Reads the camera at `path`, which must be one, by its name (/dev/video0) and by its kind.
/// - Throws: Failure where it is none, is not there, or libavdevice is not.
const AVInputFormat* camera_input(const std::string& path);

/// The camera's options for FFmpeg.
void prepare_camera(const CameraOptions& options, AVDictionary** dictionary);

/// Why a call of FFmpeg's for a camera has failed, in words.
std::string camera_reason(int status);

/// Why FFmpeg did not open the camera, in words: of one that has not the format, what it has.
std::string camera_opening_reason(const CameraOptions& options, int status);

/// Where a camera has not the size or the format, FFmpeg takes what it gives, and does not tell.
/// - camera: just opened with these options; closed where this throws.
/// - Throws: Failure, which says what the camera has.
void check_pictures(const CameraOptions& options, FormatInput& camera);

/// The next picture has a limited time from now on, or this process ends and says so: a camera that falls silent holds
/// up FFmpeg, which cannot be interrupted there.
void restart_camera_wait(const std::string& path);
void end_camera_wait();

}  // namespace framemesh
