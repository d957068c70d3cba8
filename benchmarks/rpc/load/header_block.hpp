#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

/// The header blocks of equal requests: the first one fills the peer's table, all others are indices. That is the
/// least a gRPC client can ask of a server, with what real calls have: a deadline, and some metadata.
class RequestHeaders {
  public:
    RequestHeaders(std::string path, std::string authority);

    /// Sends the content type of attachments from now on.
    void use_attachments();

    /// The block of the next request. Valid until the next call.
    std::string_view next();

  private:
    std::string path_;
    std::string authority_;
    bool is_first_ = true;
    bool has_attachments_ = false;
    std::string first_;
    std::string repeated_;
};

/// What the client must know of a response's header block.
struct ResponseHeaders {
    int http_status = 0;   // zero: not in this block
    int grpc_status = -1;  // -1: not in this block
    bool offers_attachments = false;
};

/// Decodes header blocks, and knows again those that are mere indices.
class ResponseDecoder {
  public:
    ResponseDecoder();
    ~ResponseDecoder();
    ResponseDecoder(const ResponseDecoder&) = delete;
    ResponseDecoder& operator=(const ResponseDecoder&) = delete;

    /// Throws std::runtime_error if the block is malformed.
    ResponseHeaders decode(const std::uint8_t* block, std::size_t length);

  private:
    ResponseHeaders inflate(const std::uint8_t* block, std::size_t length);

    nghttp2_hd_inflater* inflater_ = nullptr;
    /// Blocks that changed no table, since the last one that did.
    std::map<std::string, ResponseHeaders, std::less<>> known_;
};
