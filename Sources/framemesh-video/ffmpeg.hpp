// Owners for what FFmpeg allocates, and its error texts.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

namespace framemesh {

struct Free {
    void operator()(AVFormatContext* c) const { avformat_close_input(&c); }
    void operator()(AVCodecContext* c) const { avcodec_free_context(&c); }
    void operator()(AVFrame* f) const { av_frame_free(&f); }
    void operator()(AVPacket* p) const { av_packet_free(&p); }
    void operator()(SwsContext* c) const { sws_freeContext(c); }
    void operator()(uint8_t* b) const { av_free(b); }
};

using FormatInput = std::unique_ptr<AVFormatContext, Free>;
using Codec = std::unique_ptr<AVCodecContext, Free>;
using Frame = std::unique_ptr<AVFrame, Free>;
using Packet = std::unique_ptr<AVPacket, Free>;
using Scaler = std::unique_ptr<SwsContext, Free>;
using Bytes = std::unique_ptr<uint8_t, Free>;

/// Keeps FFmpeg from printing; remembers the last line of an error, of at most a few hundred bytes.
void keep_log_lines();

/// The last line of an error that FFmpeg logged; empty: it has logged none.
std::string logged();

/// FFmpeg's name for `status`, with the last line that it logged, where it says more ("moov atom not found").
std::string reason(int status);

/// Zeroed bytes with room after the end, where vector code may read or write.
Bytes padded_bytes(size_t count);

template <class T>
T* not_null(T* made) {
    if (!made) throw std::bad_alloc();
    return made;
}

}  // namespace framemesh
