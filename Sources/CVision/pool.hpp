// Pixel buffers: aligned, and reused through a bounded pool, so that a stream of pictures costs no page faults.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vision {

/// 64-byte aligned memory that goes back to the pool. Not initialised.
class Buffer {
  public:
    /// Bytes behind the last one that may be read, so that pixels can be fetched eight bytes at a time.
    static constexpr size_t readable_behind = 16;

    Buffer() = default;
    explicit Buffer(size_t size);
    ~Buffer();
    Buffer(Buffer &&other) noexcept;
    Buffer &operator=(Buffer &&other) noexcept;
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;

    uint8_t *data() const { return data_; }
    size_t size() const { return size_; }

  private:
    uint8_t *data_ = nullptr;
    size_t size_ = 0;
    size_t capacity_ = 0;
};

}  // namespace vision
