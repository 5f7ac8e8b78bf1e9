// WordRing: descriptors from one thread to another through memory.
//
// Threads: one pushes, one pops; IsEmpty() from either.
// Limits: a power of two of entries, at least as many as asked for.
#ifndef GHOSTCARD_HWSIM_RINGS_WORD_RING_H_
#define GHOSTCARD_HWSIM_RINGS_WORD_RING_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>

#include "hwsim/rings/transport.h"

namespace hwsim {

class WordRing {
 public:
  explicit WordRing(uint32_t entries_min)
      : mask_(std::bit_ceil(uint64_t{entries_min}) - 1),
        words_(std::make_unique<uint64_t[]>(mask_ + 1)) {}

  // Puts a prefix in; returns how many went. `order` is release, which hands over
  // what was written before, or seq_cst where the pusher goes on to read a flag by
  // which the popper says that it sleeps: then either the pusher sees the flag or
  // the popper, who looks once more behind it, sees the words.
  size_t Push(std::span<const Descriptor> descriptors, std::memory_order order) {
    // Relaxed: only the pusher writes tail_.
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    uint64_t room = mask_ + 1 - (tail - head_seen_);
    if (room < descriptors.size()) {
      // Acquire: the popper has read what it left behind before we write over it.
      head_seen_ = head_.load(std::memory_order_acquire);
      room = mask_ + 1 - (tail - head_seen_);
    }
    const size_t count = std::min<size_t>(descriptors.size(), room);
    for (size_t i = 0; i < count; ++i) words_[(tail + i) & mask_] = descriptors[i].word();
    tail_.store(tail + count, order);
    return count;
  }

  // Takes up to out.size(), oldest first.
  size_t Pop(std::span<Descriptor> out) {
    // Relaxed: only the popper writes head_.
    const uint64_t head = head_.load(std::memory_order_relaxed);
    if (tail_seen_ == head) tail_seen_ = tail_.load(std::memory_order_acquire);
    const size_t count = std::min<size_t>(out.size(), tail_seen_ - head);
    for (size_t i = 0; i < count; ++i) out[i] = Descriptor::FromWord(words_[(head + i) & mask_]);
    if (count != 0) head_.store(head + count, std::memory_order_release);
    return count;
  }

  // The popper's look behind its flag: seq_cst, see Push.
  bool IsEmpty() const {
    return tail_.load(std::memory_order_seq_cst) == head_.load(std::memory_order_relaxed);
  }

 private:
  // Two lines, because processors fetch them in pairs.
  static constexpr size_t kApart = 128;

  const uint64_t mask_;
  const std::unique_ptr<uint64_t[]> words_;
  // The pusher's.
  alignas(kApart) std::atomic<uint64_t> tail_{0};
  uint64_t head_seen_ = 0;
  // The popper's.
  alignas(kApart) std::atomic<uint64_t> head_{0};
  uint64_t tail_seen_ = 0;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_RINGS_WORD_RING_H_
