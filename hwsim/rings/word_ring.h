// WordRing: a ring in memory that carries descriptors from one thread to another.
//
// Threads: one pushes, one pops; IsEmpty() from either.
// Limits: the number of entries is rounded up to a power of two.
#ifndef GHOSTCARD_HWSIM_RINGS_WORD_RING_H_
#define GHOSTCARD_HWSIM_RINGS_WORD_RING_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>

#include "hwsim/rings/transport.h"

namespace hwsim::rings {

class WordRing {
 public:
  explicit WordRing(uint32_t entries_min)
      : mask_(std::bit_ceil(uint64_t{entries_min}) - 1),
        words_(std::make_unique<uint64_t[]>(mask_ + 1)) {}

  // Puts descriptors into the ring, from the front of `descriptors`, as far as there is room.
  // Returns how many. `order`: release hands over what was written before. seq_cst also pairs with
  // a flag by which the popper announces that it sleeps: either the pusher, which reads the flag
  // after this, sees it, or the popper, which then calls IsEmpty(), sees the descriptors.
  size_t Push(std::span<const Descriptor> descriptors, std::memory_order order) {
    // Relaxed: only the pusher writes tail_.
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    uint64_t room = mask_ + 1 - (tail - head_seen_);
    if (room < descriptors.size()) {
      // Acquire: the popper has read the entries that are overwritten below.
      head_seen_ = head_.load(std::memory_order_acquire);
      room = mask_ + 1 - (tail - head_seen_);
    }
    const size_t count = std::min<size_t>(descriptors.size(), room);
    for (size_t i = 0; i < count; ++i) words_[(tail + i) & mask_] = descriptors[i].word();
    tail_.store(tail + count, order);
    return count;
  }

  // Takes descriptors, oldest first, up to out.size(). Returns how many.
  size_t Pop(std::span<Descriptor> out) {
    // Relaxed: only the popper writes head_.
    const uint64_t head = head_.load(std::memory_order_relaxed);
    if (tail_seen_ == head) tail_seen_ = tail_.load(std::memory_order_acquire);
    const size_t count = std::min<size_t>(out.size(), tail_seen_ - head);
    for (size_t i = 0; i < count; ++i) out[i] = Descriptor::FromWord(words_[(head + i) & mask_]);
    if (count != 0) head_.store(head + count, std::memory_order_release);
    return count;
  }

  // seq_cst: see Push.
  bool IsEmpty() const {
    return tail_.load(std::memory_order_seq_cst) == head_.load(std::memory_order_relaxed);
  }

 private:
  // Processors fetch cache lines in pairs.
  static constexpr size_t kCacheLinePair = 128;

  const uint64_t mask_;
  const std::unique_ptr<uint64_t[]> words_;
  // Written by the pusher.
  alignas(kCacheLinePair) std::atomic<uint64_t> tail_{0};
  uint64_t head_seen_ = 0;
  // Written by the popper.
  alignas(kCacheLinePair) std::atomic<uint64_t> head_{0};
  uint64_t tail_seen_ = 0;
};

}  // namespace hwsim::rings

#endif  // GHOSTCARD_HWSIM_RINGS_WORD_RING_H_
