#include "header_block.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace {

// Indices of RFC 7541, appendix A.
constexpr int kAuthority = 1;
constexpr char kMethodPost = '\x83';
constexpr int kPath = 4;
constexpr char kSchemeHTTP = '\x86';
constexpr int kContentType = 31;
constexpr int kUserAgent = 58;
constexpr int kFirstDynamic = 62;

/// A literal that the peer puts in its table; all of ours are shorter than 127 bytes.
std::string literal(int name_index, std::string_view value) {
    std::string field(1, static_cast<char>(0x40 | name_index));
    field.push_back(static_cast<char>(value.size()));
    field.append(value);
    return field;
}

std::string literal(std::string_view name, std::string_view value) {
    std::string field(1, '\x40');
    field.push_back(static_cast<char>(name.size()));
    field.append(name);
    field.push_back(static_cast<char>(value.size()));
    field.append(value);
    return field;
}

char indexed(int index) {
    return static_cast<char>(0x80 | index);
}

/// Each byte is an index of its own: the block leaves the tables alone.
bool is_pure(const std::uint8_t* block, std::size_t length) {
    return std::all_of(block, block + length, [](std::uint8_t byte) { return byte > 0x80 && byte < 0xff; });
}

std::string_view text(const std::uint8_t* bytes, std::size_t length) {
    return {reinterpret_cast<const char*>(bytes), length};
}

}  // namespace

RequestHeaders::RequestHeaders(std::string path, std::string authority)
    : path_(std::move(path)), authority_(std::move(authority)) {
    if (path_.size() > 126 || authority_.size() > 126) throw std::runtime_error("path too long");
    first_ = std::string{kMethodPost, kSchemeHTTP} + literal(kPath, path_) + literal(kAuthority, authority_) +
             literal("te", "trailers") + literal(kUserAgent, "replay") + literal("grpc-timeout", "20S") +
             literal("x-request-id", "0123456789abcdef") + literal(kContentType, "application/grpc");
    // The newest entry has the lowest index.
    repeated_ = {kMethodPost, kSchemeHTTP};
    for (int index = kFirstDynamic + 6; index >= kFirstDynamic; --index) repeated_.push_back(indexed(index));
}

void RequestHeaders::use_attachments() {
    if (has_attachments_) return;
    has_attachments_ = true;
    is_first_ = true;
    // The old content type moves one further, and stays unused.
    first_ = repeated_.substr(0, repeated_.size() - 1) + literal(kContentType, "application/grpc+framemesh");
    repeated_ = {kMethodPost, kSchemeHTTP};
    for (int index = kFirstDynamic + 7; index > kFirstDynamic + 1; --index) repeated_.push_back(indexed(index));
    repeated_.push_back(indexed(kFirstDynamic));
}

std::string_view RequestHeaders::next() {
    return std::exchange(is_first_, false) ? first_ : repeated_;
}

ResponseDecoder::ResponseDecoder() {
    if (nghttp2_hd_inflate_new(&inflater_) != 0) throw std::bad_alloc();
}

ResponseDecoder::~ResponseDecoder() {
    nghttp2_hd_inflate_del(inflater_);
}

ResponseHeaders ResponseDecoder::decode(const std::uint8_t* block, std::size_t length) {
    const std::string_view key(reinterpret_cast<const char*>(block), length);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    const auto headers = inflate(block, length);
    if (is_pure(block, length))
        known_.emplace(key, headers);
    else
        known_.clear();
    return headers;
}

ResponseHeaders ResponseDecoder::inflate(const std::uint8_t* block, std::size_t length) {
    ResponseHeaders headers;
    while (true) {
        nghttp2_nv field{};
        int flags = 0;
        const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, block, length, 1);
        if (used < 0) throw std::runtime_error("malformed header block");
        block += used;
        length -= static_cast<std::size_t>(used);
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            const auto name = text(field.name, field.namelen);
            const std::string value(text(field.value, field.valuelen));
            if (name == ":status") headers.http_status = std::atoi(value.c_str());
            if (name == "grpc-status") headers.grpc_status = std::atoi(value.c_str());
            if (name == "framemesh-framing") headers.offers_attachments = value.rfind("attachments/1;", 0) == 0;
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && length == 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return headers;
}
