#pragma once

#include <cstddef>
#include <cstdint>

/// RFC 9113, section 4.1 and 6.
namespace frame {

constexpr std::size_t kHeaderBytes = 9;
constexpr std::size_t kDefaultMaxBytes = 16384;
constexpr std::int64_t kDefaultWindow = 65535;
constexpr std::int64_t kMaxWindow = 0x7fffffff;

enum Type : std::uint8_t {
    kData = 0,
    kHeaders = 1,
    kReset = 3,
    kSettings = 4,
    kPing = 6,
    kGoaway = 7,
    kWindowUpdate = 8,
    kContinuation = 9
};

constexpr std::uint8_t kEndStream = 0x1;
constexpr std::uint8_t kAck = 0x1;
constexpr std::uint8_t kEndHeaders = 0x4;
constexpr std::uint8_t kPadded = 0x8;
constexpr std::uint8_t kPriority = 0x20;

constexpr std::uint16_t kSettingsTableSize = 1;
constexpr std::uint16_t kSettingsMaxStreams = 3;
constexpr std::uint16_t kSettingsInitialWindow = 4;
constexpr std::uint16_t kSettingsMaxFrame = 5;

inline std::uint8_t* put32(std::uint8_t* at, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) *at++ = static_cast<std::uint8_t>(value >> shift);
    return at;
}

inline std::uint32_t get32(const std::uint8_t* at) {
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

inline std::uint8_t* put_header(std::uint8_t* at, std::size_t length, Type type, std::uint8_t flags,
                                std::uint32_t stream) {
    *at++ = static_cast<std::uint8_t>(length >> 16);
    *at++ = static_cast<std::uint8_t>(length >> 8);
    *at++ = static_cast<std::uint8_t>(length);
    *at++ = type;
    *at++ = flags;
    return put32(at, stream);
}

}  // namespace frame
