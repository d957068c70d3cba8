// Decoded frames to packed BGR24 pictures of one size.
#pragma once

#include "ffmpeg.hpp"
#include "orientation.hpp"

namespace framemesh {

/// Frames of another size than the first are scaled to it.
class Picture {
  public:
    /// `source`: whose frames they are, for errors.
    Picture(const std::string& source, Orientation orientation) : source_(source), orientation_(orientation) {}

    /// The packed pixels of `frame`; valid until the next call.
    /// - Throws: Failure.
    const uint8_t* convert(const AVFrame* frame);

    /// As displayed; known after the first `convert`.
    int width() const { return orientation_.swaps_sides() ? height_ : width_; }
    int height() const { return orientation_.swaps_sides() ? width_ : height_; }
    size_t byte_count() const { return size_t(width_) * size_t(height_) * 3; }

  private:
    void prepare(const AVFrame* frame);

    const std::string source_;
    Orientation orientation_;
    int width_ = 0, height_ = 0;
    size_t stride_ = 0;
    Bytes rows_, packed_;
    Scaler scaler_;
    int from_width_ = 0, from_height_ = 0, from_format_ = -1, from_space_ = -1, from_range_ = -1;
};

}  // namespace framemesh
