#include "picture.hpp"

#include <new>

#include "protocol.hpp"

namespace framemesh {

void Picture::prepare(const AVFrame* frame) {
    if (width_ == 0) {
        width_ = frame->width;
        height_ = frame->height;
        // libswscale leaves out the last columns when its vectors do not fit into a row.
        stride_ = size_t(FFALIGN(width_, 16)) * 3;
        rows_ = padded_bytes(stride_ * size_t(height_));
        if (stride_ != size_t(width_) * 3 || !orientation_.is_upright()) packed_ = padded_bytes(byte_count());
    }
    if (frame->width == from_width_ && frame->height == from_height_ && frame->format == from_format_ &&
        frame->colorspace == from_space_ && frame->color_range == from_range_) {
        return;
    }
    const auto format = AVPixelFormat(frame->format);
    if (!sws_isSupportedInput(format)) {
        const char* name = av_get_pix_fmt_name(format);
        throw Failure(source_ + ": pixels of the kind '" + (name ? name : "unknown") + "' are not read");
    }
    scaler_.reset(not_null(sws_getContext(frame->width, frame->height, format, width_, height_, AV_PIX_FMT_BGR24,
                                          SWS_BICUBIC, nullptr, nullptr, nullptr)));
    bool full = frame->color_range == AVCOL_RANGE_JPEG || frame->format == AV_PIX_FMT_YUVJ420P ||
                frame->format == AV_PIX_FMT_YUVJ422P || frame->format == AV_PIX_FMT_YUVJ444P;
    // Unknown means BT.601, as in libswscale itself.
    sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(frame->colorspace), full ? 1 : 0,
                             sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    from_width_ = frame->width;
    from_height_ = frame->height;
    from_format_ = frame->format;
    from_space_ = frame->colorspace;
    from_range_ = frame->color_range;
}

const uint8_t* Picture::convert(const AVFrame* frame) {
    prepare(frame);
    uint8_t* planes[4] = {rows_.get()};
    int strides[4] = {int(stride_)};
    const int rows = sws_scale(scaler_.get(), frame->data, frame->linesize, 0, frame->height, planes, strides);
    if (rows != height_) throw Failure(source_ + ": a frame cannot be converted");
    if (!packed_) return rows_.get();
    orientation_.copy(rows_.get(), stride_, width_, height_, packed_.get());
    return packed_.get();
}

}  // namespace framemesh
