#include "source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "limits.hpp"
#include "mov_index.hpp"
#include "stated_size.hpp"

namespace framemesh {
namespace {

constexpr size_t kReadBytes = 64 << 10;

// FFmpeg's names. None of them opens other files (mov's external references are off unless asked for). No playlists:
// hls, dash, concat, sdp and their like are not here.
constexpr const char* kContainers[] = {
    "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "flv", "ogg"};
// The same for people.
constexpr const char* kKnown = "mp4, mov, matroska, webm, avi, mpegts, mpeg, flv, ogg, mjpeg";
// JPEGs one behind the other: to FFmpeg they look like one picture, and the file's name says that they are a video.
constexpr const char* kPictures = "jpeg_pipe";
constexpr const char* kPictureVideo = "mjpeg";
constexpr const char* kPictureVideoNames[] = {".mjpeg", ".mjpg"};
// Pictures of a camera, one part each; these have no times of their own.
constexpr const char* kPictureParts = "mpjpeg";
// Its frames stand in a steady rhythm. It counts the places that are empty, too; in its index they are not.
constexpr const char* kSteady = "avi";

int read_descriptor(void* opaque, uint8_t* bytes, int count) {
    int descriptor = *static_cast<int*>(opaque);
    for (;;) {
        ssize_t got = read(descriptor, bytes, size_t(count));
        if (got > 0) return int(got);
        if (got == 0) return AVERROR_EOF;
        if (errno != EINTR) return AVERROR(errno);
    }
}

int64_t seek_descriptor(void* opaque, int64_t offset, int whence) {
    int descriptor = *static_cast<int*>(opaque);
    if (whence & AVSEEK_SIZE) {
        struct stat status {};
        return fstat(descriptor, &status) == 0 ? int64_t(status.st_size) : AVERROR(errno);
    }
    off_t at = lseek(descriptor, offset, whence & ~AVSEEK_FORCE);
    return at >= 0 ? int64_t(at) : AVERROR(errno);
}

/// A container asks for another file: never.
int open_nothing(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
    return AVERROR(EPERM);
}

/// The last gate before memory is taken, also when the size changes in mid-stream.
int get_checked_buffer(AVCodecContext* context, AVFrame* frame, int flags) {
    if (!size_is_allowed(frame->width, frame->height) ||
        int64_t(frame->width) * frame->height > context->max_pixels) {
        return AVERROR(EINVAL);
    }
    return avcodec_default_get_buffer2(context, frame, flags);
}

int open_regular(const std::string& path) {
    int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0) throw Failure(path + ": " + std::strerror(errno));
    struct stat status {};
    const char* why = nullptr;
    if (fstat(descriptor, &status) != 0) {
        why = std::strerror(errno);
    } else if (S_ISDIR(status.st_mode)) {
        why = "is a directory";
    } else if (!S_ISREG(status.st_mode)) {
        why = "is not a regular file";
    } else if (status.st_size == 0) {
        why = "is empty";
    }
    if (why) {
        close(descriptor);
        throw Failure(path + ": " + why);
    }
    return descriptor;
}

bool is_named_as_pictures(const std::string& path) {
    return std::any_of(std::begin(kPictureVideoNames), std::end(kPictureVideoNames), [&](const std::string& end) {
        return path.size() > end.size() && path.compare(path.size() - end.size(), end.size(), end) == 0;
    });
}

double checked_rate(AVRational rate) {
    if (rate.num <= 0 || rate.den <= 0) return 0;
    double value = av_q2d(rate);
    return value >= kMinimumFrameRate && value <= kMaximumFrameRate ? value : 0;
}

}  // namespace

SourceFile::SourceFile(const std::string& path) : descriptor_(open_regular(path)) {
    auto* buffer = static_cast<uint8_t*>(av_malloc(kReadBytes));
    if (buffer)
        io_ = avio_alloc_context(buffer, kReadBytes, 0, &descriptor_, read_descriptor, nullptr, seek_descriptor);
    if (io_) return;
    av_free(buffer);
    close(descriptor_);
    throw std::bad_alloc();
}

SourceFile::~SourceFile() {
    av_freep(&io_->buffer);
    avio_context_free(&io_);
    close(descriptor_);
}

int64_t SourceFile::byte_count() const {
    struct stat status {};
    return fstat(descriptor_, &status) == 0 ? int64_t(status.st_size) : 0;
}

int64_t SourceFile::stated_byte_count() const {
    uint8_t head[kStatedSizeBytes];
    const ssize_t count = pread(descriptor_, head, sizeof(head), 0);
    return count > 0 ? framemesh::stated_byte_count(head, size_t(count)) : 0;
}

std::unique_ptr<Source> Source::file(const std::string& path, int threads, int64_t max_pixels) {
    std::unique_ptr<Source> source(new Source(path));
    source->max_pixels_ = max_pixels;
    source->file_ = std::make_unique<SourceFile>(path);
    give_up_rights(Role::read);
    source->open_container();
    source->has_end_ = true;
    source->choose_stream();
    if (source->states_duration()) source->stated_duration_ = std::max<int64_t>(0, source->format_->duration);
    source->open_decoder(threads);
    return source;
}

std::unique_ptr<Source> Source::live(const std::string& url, int threads) {
    std::unique_ptr<Source> source(new Source(SourceLink::name(url)));
    give_up_rights(Role::watch);
    source->link_ = std::make_unique<SourceLink>(url);
    source->open_container();
    if (source->has_index_behind_) source->go_to_first_frame();
    // Nobody is called any more.
    source->link_->read_on();
    give_up_rights(Role::read);
    // Before FFmpeg looks into the streams: of what comes in fragments it would take the first ones for all.
    source->stated_duration_ = std::max<int64_t>(0, source->format_->duration);
    // A camera's pictures have no end, whatever it says of their size.
    source->has_end_ = (source->link_->has_size() || source->stated_duration_ > 0) &&
                       std::strcmp(source->format_->iformat->name, kPictureParts) != 0;
    source->choose_stream();
    source->open_decoder(threads);
    if (!source->has_end_) source->read_ahead();
    source->restart_wait();
    return source;
}

std::unique_ptr<Source> Source::camera(const CameraOptions& options) {
    std::unique_ptr<Source> source(new Source(options.path));
    source->camera_ = std::make_unique<CameraOptions>(options);
    source->restart_wait();
    source->open_container();
    check_pictures(options, source->format_);
    give_up_rights(Role::read);
    source->choose_stream();
    source->open_decoder(options.threads);
    source->read_ahead();
    source->restart_wait();
    return source;
}

void Source::read_ahead() {
    restart_wait();
    ahead_.take(format(), stream_);
}

const AVInputFormat* Source::find_container() {
    if (camera_) return camera_input(path_);
    const AVInputFormat* container = nullptr;
    if (!io()) {
        container = av_find_input_format("rtsp");
        if (!container) fail("this FFmpeg does not speak RTSP");
        return container;
    }
    int status = av_probe_input_buffer2(io(), &container, "", nullptr, 0, 0);
    // Nobody said anything, which is not the same as nonsense.
    if (status < 0 && status != AVERROR_INVALIDDATA && !is_end(status)) fail(why(status));
    if (status < 0 || !container) fail(std::string("is not a video that is known here (") + kKnown + ")");
    auto is_it = [&](const char* name) { return std::strcmp(name, container->name) == 0; };
    if (link_) {
        stated_byte_count_ = framemesh::stated_byte_count(link_->head(), link_->head_byte_count());
        has_index_behind_ = is_it(kContainers[0]) && mov_index_is_behind(link_->head(), link_->head_byte_count());
        // No other container needs to look elsewhere first.
        if (!has_index_behind_) link_->read_on();
    }
    // One after the other, or one alone: that depends on how the first one begins.
    if (file_ && (is_it(kPictures) || is_it(kPictureVideo)) && is_named_as_pictures(path_)) {
        container = av_find_input_format(kPictureVideo);
        if (container) return container;
        fail("this FFmpeg does not read JPEGs one behind the other");
    }
    if (std::any_of(std::begin(kContainers), std::end(kContainers), is_it) || (link_ && is_it(kPictureParts))) {
        return container;
    }
    // FFmpeg takes much for subtitles, sound or lists.
    fail(std::string("has no video stream that is read here, it looks like '") +
         (container->long_name ? container->long_name : container->name) + "' (" + kKnown + " are read)");
}

void Source::open_container() {
    const AVInputFormat* container = find_container();
    AVFormatContext* context = not_null(avformat_alloc_context());
    AVDictionary* options = nullptr;
    if (io()) {
        context->pb = io();
        context->flags |= AVFMT_FLAG_CUSTOM_IO;
    }
    if (camera_) {
        prepare_camera(*camera_, &options);
    } else if (link_) {
        link_->prepare(context, &options);
        if (std::strcmp(container->name, kPictureParts) == 0) {
            av_dict_set(&options, "use_wallclock_as_timestamps", "1", 0);
        }
    } else {
        av_dict_set(&options, "protocol_whitelist", "file", 0);
    }
    context->io_open = open_nothing;
    context->max_streams = kMaximumStreams;
    // It frees the context when it fails.
    const std::string name = io() ? "" : camera_ ? path_ : link_->url();
    int status = avformat_open_input(&context, name.c_str(), container, &options);
    av_dict_free(&options);
    // RTSP is called here, by its URL; HTTP was before.
    if (status == AVERROR(ENOMEM)) {
        fail("has more than " + std::to_string(kMaximumStreams) + " streams, or needs more memory than is allowed");
    }
    if (status < 0) fail(why_not_opened(status));
    format_.reset(context);
    if (link_ && std::strcmp(container->name, kPictureParts) == 0) {
        // FFmpeg counts their times in 1/25 s, so that more frames a second would have the same ones.
        for (unsigned i = 0; i < format_->nb_streams; i++) format_->streams[i]->time_base = AV_TIME_BASE_Q;
    }
}

void Source::choose_stream() {
    unsigned count = format_->nb_streams;
    for (unsigned i = 0; i < count; i++) {
        const AVCodecParameters* parameters = format_->streams[i]->codecpar;
        if (parameters->codec_type != AVMEDIA_TYPE_VIDEO || (parameters->width == 0 && parameters->height == 0))
            continue;
        check_size(parameters->width, parameters->height);
    }
    // Finding out about the streams may decode a few frames: no bigger than allowed.
    std::vector<AVDictionary*> options(count + 1, nullptr);
    for (auto& each : options) av_dict_set_int(&each, "max_pixels", max_coded_pixels(), 0);
    int status = avformat_find_stream_info(format_.get(), options.data());
    for (auto& each : options) av_dict_free(&each);
    if (status < 0) fail(why(status));

    int index = av_find_best_stream(format_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
    if (index < 0 || (format_->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC)) fail("has no video stream");
    stream_ = format_->streams[index];
    for (unsigned i = 0; i < format_->nb_streams; i++) {
        // A duration that is stated is that of all streams.
        if (int(i) != index && !states_duration()) format_->streams[i]->discard = AVDISCARD_ALL;
    }
    const AVCodecParameters* parameters = stream_->codecpar;
    if (parameters->width <= 0 || parameters->height <= 0) {
        const std::string nothing = why_nothing();
        fail(!nothing.empty() ? nothing
                              : "the size of its pictures cannot be told: damaged, or over the limit of " +
                                    std::to_string(max_pixels_) + " pixels");
    }
    check_size(parameters->width, parameters->height);
}

void Source::check_size(int width, int height) const {
    if (size_is_allowed(width, height) && int64_t(width) * height <= max_pixels_) return;
    const bool is_too_long = width > kMaximumSide || height > kMaximumSide;
    fail(std::to_string(width) + "x" + std::to_string(height) + " pixels are more than allowed (" +
         (is_too_long ? std::to_string(kMaximumSide) + " a side" : std::to_string(max_pixels_) + " in all") + ")");
}

int64_t Source::max_coded_pixels() const {
    // A block more at each side, of the longest sides.
    constexpr int64_t kRoom = int64_t(kCodedBlock) * (2 * kMaximumSide + kCodedBlock);
    return std::min(kMaximumPixels, max_pixels_ + kRoom);
}

void Source::open_decoder(int threads) {
    const AVCodec* codec = avcodec_find_decoder(stream_->codecpar->codec_id);
    if (!codec) fail(std::string("there is no decoder for ") + avcodec_get_name(stream_->codecpar->codec_id));
    decoder_.reset(not_null(avcodec_alloc_context3(codec)));
    int status = avcodec_parameters_to_context(decoder_.get(), stream_->codecpar);
    if (status < 0) fail(why(status));
    decoder_->pkt_timebase = stream_->time_base;
    decoder_->max_pixels = max_coded_pixels();
    decoder_->get_buffer2 = get_checked_buffer;
    decoder_->thread_count = threads;
    status = avcodec_open2(decoder_.get(), codec, nullptr);
    if (status < 0) fail(why(status));
}

Orientation Source::orientation() const {
    size_t count = 0;
    const uint8_t* data = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, &count);
    if (!data || count < 9 * sizeof(int32_t)) return {};
    int32_t matrix[9];
    std::memcpy(matrix, data, sizeof(matrix));
    return Orientation::from_display_matrix(matrix);
}

void Source::go_to_first_frame() {
    int64_t first = INT64_MAX;
    for (unsigned i = 0; i < format_->nb_streams; i++) {
        const AVIndexEntry* entry = avformat_index_get_entry(format_->streams[i], 0);
        if (entry) first = std::min(first, entry->pos);
    }
    if (first == INT64_MAX || !link_->has_ranges()) return;
    const int64_t status = avio_seek(io(), first, SEEK_SET);
    if (status < 0) fail(why(int(status)));
}

std::string Source::why_nothing() const {
    if (!has_index_behind_ || link_->could_seek()) return "";
    return "its index is behind its frames, and the server gives no parts of a file (Range): "
           "serve it with the index first (ffmpeg -movflags +faststart), or download it";
}

int64_t Source::places_in_index() const {
    const int count = avformat_index_get_entries_count(stream_);
    const AVIndexEntry* first = count > 0 ? avformat_index_get_entry(stream_, 0) : nullptr;
    const AVIndexEntry* last = count > 0 ? avformat_index_get_entry(stream_, count - 1) : nullptr;
    return first && last ? last->timestamp - first->timestamp + 1 : 0;
}

Aspect Source::aspect(AVFrame* frame) {
    const AVRational said = av_guess_sample_aspect_ratio(format_.get(), stream_, frame);
    int width = 0, height = 0;
    // 0: nothing is said, or too small for its parts.
    av_reduce(&width, &height, said.num, said.den, Aspect::kMost);
    if (width <= 0 || height <= 0) return {};
    return orientation().swaps_sides() ? Aspect{height, width} : Aspect{width, height};
}

Info Source::info() {
    Info info;
    info.codec = avcodec_get_name(stream_->codecpar->codec_id);
    info.frame_rate = checked_rate(av_guess_frame_rate(format_.get(), stream_, nullptr));
    // What follows from a bit rate is a guess.
    if (file_ && format_->duration > 0 && format_->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE) {
        info.duration = format_->duration;
    }
    // Of an MP4 in fragments it may count the first one's alone; more are in the index.
    const int64_t indexed = avformat_index_get_entries_count(stream_);
    const bool counts_all = stream_->nb_frames >= indexed;
    if (!has_end_) {
        info.frame_count = kEndless;
    } else if (stream_->nb_frames > 0 && counts_all) {
        const bool is_steady = std::strcmp(format_->iformat->name, kSteady) == 0;
        const int64_t places = is_steady ? places_in_index() : indexed;
        info.frame_count = std::max(indexed, stream_->nb_frames - (places - indexed));
        // An index that ends early is cut off, or only empty places follow.
        info.is_frame_count_exact = !is_steady || places >= stream_->nb_frames;
    } else if (format_->duration > 0 && info.frame_rate > 0) {
        double count = double(format_->duration) / AV_TIME_BASE * info.frame_rate;
        if (count < 1e12) info.frame_count = int64_t(count + 0.5);
    }
    return info;
}

}  // namespace framemesh
