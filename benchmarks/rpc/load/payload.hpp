#pragma once

#include <cstddef>
#include <cstdint>

/// The bytes of every request, in memory that has a file descriptor: large parts go to a socket by reference, without
/// being copied on the client's core.
class Payload {
  public:
    /// Throws std::runtime_error if there is no such memory.
    explicit Payload(std::size_t size);
    ~Payload();
    Payload(const Payload&) = delete;
    Payload& operator=(const Payload&) = delete;

    const std::uint8_t* bytes() const { return bytes_; }
    std::size_t size() const { return size_; }
    int descriptor() const { return descriptor_; }

  private:
    std::size_t size_;
    int descriptor_;
    std::uint8_t* bytes_;
};
