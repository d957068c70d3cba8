#include "payload.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

Payload::Payload(std::size_t size) : size_(size), descriptor_(memfd_create("payload", MFD_CLOEXEC)) {
    const auto room = size_ + 1;  // A mapping can't be empty.
    if (descriptor_ < 0 || ftruncate(descriptor_, static_cast<off_t>(room)) != 0) {
        throw std::runtime_error("no memory with a descriptor");
    }
    auto* const map = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    if (map == MAP_FAILED) throw std::runtime_error("no memory for the payload");
    bytes_ = static_cast<std::uint8_t*>(map);
    std::memset(bytes_, 'x', size_);
}

Payload::~Payload() {
    munmap(bytes_, size_ + 1);
    close(descriptor_);
}
