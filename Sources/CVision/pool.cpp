#include "pool.hpp"

#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace vision {
namespace {

constexpr size_t alignment = 64;
/// What the pool keeps at most: about thirty pictures of 1920 x 1080.
constexpr size_t max_kept_bytes = 192 << 20;
constexpr size_t max_kept_buffers = 64;
/// A kept buffer serves a request if it is at most this many times larger.
constexpr size_t max_waste = 2;

struct Kept {
    uint8_t *data;
    size_t capacity;
};

class Pool {
  public:
    Kept take(size_t size) {
        {
            std::lock_guard<std::mutex> guard(lock_);
            // The latest first: its memory is likely in a cache.
            for (size_t i = kept_.size(); i-- > 0;) {
                const Kept found = kept_[i];
                if (found.capacity < size + Buffer::readable_behind || found.capacity / max_waste > size) continue;
                kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(i));
                bytes_ -= found.capacity;
                return found;
            }
        }
        const size_t capacity = (size + Buffer::readable_behind + alignment - 1) / alignment * alignment;
        void *data = std::aligned_alloc(alignment, capacity);
        if (!data) throw std::bad_alloc();
        return {static_cast<uint8_t *>(data), capacity};
    }

    void put(Kept buffer) noexcept {
        std::lock_guard<std::mutex> guard(lock_);
        if (buffer.capacity <= max_kept_bytes) {
            // The oldest make room.
            while (!kept_.empty() && (bytes_ + buffer.capacity > max_kept_bytes || kept_.size() >= max_kept_buffers)) {
                bytes_ -= kept_.front().capacity;
                std::free(kept_.front().data);
                kept_.erase(kept_.begin());
            }
            kept_.push_back(buffer);  // Never grows: reserved below.
            bytes_ += buffer.capacity;
        } else {
            std::free(buffer.data);
        }
    }

    Pool() { kept_.reserve(max_kept_buffers); }

  private:
    std::mutex lock_;
    std::vector<Kept> kept_;
    size_t bytes_ = 0;
};

Pool &pool() {
    // Never destroyed: images may outlive static destructors.
    static Pool *const shared = new Pool;
    return *shared;
}

}  // namespace

Buffer::Buffer(size_t size) : size_(size) {
    const Kept taken = pool().take(size ? size : 1);
    data_ = taken.data;
    capacity_ = taken.capacity;
}

Buffer::~Buffer() {
    if (data_) pool().put({data_, capacity_});
}

Buffer::Buffer(Buffer &&other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Buffer &Buffer::operator=(Buffer &&other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
}

}  // namespace vision
