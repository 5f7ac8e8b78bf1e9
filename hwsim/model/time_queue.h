// RingQueue and TimeQueue: the queues of the model.
//
// Threads: none of their own. Time: a TimeQueue only moves forward; see push(). Limits: neither
// allocates once it has grown to the size that is needed, and the cost of an entry does not grow
// with the length of the queue.
#ifndef GHOSTCARD_HWSIM_MODEL_TIME_QUEUE_H_
#define GHOSTCARD_HWSIM_MODEL_TIME_QUEUE_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "hwsim/base/clock.h"

namespace hwsim::model {

// First in, first out, in a ring that grows.
template <typename T>
class RingQueue {
 public:
  bool empty() const { return head_ == tail_; }
  size_t size() const { return tail_ - head_; }
  // Requires: !empty().
  const T& front() const { return slots_[head_ & mask_]; }
  const T& back() const { return slots_[(tail_ - 1) & mask_]; }
  T pop() { return slots_[head_++ & mask_]; }

  void push(const T& value) {
    if (tail_ - head_ == slots_.size()) Grow();
    slots_[tail_++ & mask_] = value;
  }

 private:
  void Grow() {
    std::vector<T> larger(std::max<size_t>(16, 2 * slots_.size()));
    const uint64_t count = size();
    for (uint64_t i = 0; i < count; ++i) larger[i] = slots_[(head_ + i) & mask_];
    slots_ = std::move(larger);
    mask_ = slots_.size() - 1;
    head_ = 0;
    tail_ = count;
  }
  std::vector<T> slots_;  // a power of two
  uint64_t mask_ = 0;
  uint64_t head_ = 0;
  uint64_t tail_ = 0;
};

// Earliest first; ties in the order of rank. An Entry has `TimePoint time` and `uint64_t rank`. The
// queue copies entries: keep them small.
//
// An entry that is pushed in order costs the push and pop of a ring; with fixed latencies all are.
// The others go through a radix heap (Ahuja, Mehlhorn, Orlin and Tarjan 1990): bucket b holds times
// that differ from the last popped time in bit b - 1 and in no higher bit. An entry moves to lower
// buckets only, in sequential passes over memory, so one entry of a million costs little more than
// one of ten.
template <typename Entry>
class TimeQueue {
 public:
  static constexpr TimePoint kNever = TimePoint::max();

  bool empty() const { return ordered_.empty() && occupied_ == 0; }
  // kNever when empty.
  TimePoint next() const {
    const TimePoint ordered = ordered_.empty() ? kNever : ordered_.front().time;
    return occupied_ == 0 ? ordered : std::min(ordered, HeapNext());
  }

  // Requires: entry.time is neither before the last time popped nor before the epoch.
  void push(const Entry& entry) {
    if (ordered_.empty() || Before(ordered_.back(), entry)) {
      ordered_.push(entry);
    } else {
      Append(BucketOf(entry.time), entry);
    }
  }

  // Requires: !empty().
  Entry pop() {
    if (occupied_ == 0) return ordered_.pop();
    if (!ordered_.empty() && ordered_.front().time < HeapNext()) return ordered_.pop();
    Settle();
    if (!now_sorted_) SortNow();
    if (!ordered_.empty() && Before(ordered_.front(), now_entries_[now_next_])) {
      return ordered_.pop();
    }
    const Entry entry = now_entries_[now_next_++];
    if (now_next_ == now_entries_.size()) {
      now_entries_.clear();
      now_next_ = 0;
      now_sorted_ = true;
      occupied_ &= ~uint64_t{1};
    }
    return entry;
  }

 private:
  static constexpr size_t kChunkEntries = 16;
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Chunk {
    std::array<Entry, kChunkEntries> entries;
    uint32_t count = 0;
    uint32_t next = kNone;
  };
  struct Bucket {
    uint32_t first = kNone;
    uint32_t last = kNone;
    TimePoint earliest = kNever;
  };

  static bool Before(const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time < b.time : a.rank < b.rank;
  }
  TimePoint HeapNext() const {
    const int lowest = std::countr_zero(occupied_);
    return lowest == 0 ? now_ : buckets_[lowest].earliest;
  }
  uint32_t BucketOf(TimePoint time) const {
    const auto ns = [](TimePoint t) { return static_cast<uint64_t>(t.time_since_epoch().count()); };
    return static_cast<uint32_t>(std::bit_width(ns(time) ^ ns(now_)));
  }

  void Append(uint32_t index, const Entry& entry) {
    occupied_ |= uint64_t{1} << index;
    if (index == 0) {
      now_sorted_ = now_sorted_ && (now_entries_.empty() || Before(now_entries_.back(), entry));
      now_entries_.push_back(entry);
      return;
    }
    Bucket& bucket = buckets_[index];
    bucket.earliest = std::min(bucket.earliest, entry.time);
    if (bucket.last == kNone || chunks_[bucket.last].count == kChunkEntries) {
      const uint32_t chunk = TakeChunk();
      (bucket.last == kNone ? bucket.first : chunks_[bucket.last].next) = chunk;
      bucket.last = chunk;
    }
    Chunk& chunk = chunks_[bucket.last];
    chunk.entries[chunk.count++] = entry;
  }

  // Makes now_ the earliest time in the heap, and moves its bucket's entries to lower buckets.
  void Settle() {
    const int lowest = std::countr_zero(occupied_);
    if (lowest == 0) return;
    const Bucket bucket = buckets_[lowest];
    buckets_[lowest] = Bucket{};
    occupied_ &= ~(uint64_t{1} << lowest);
    now_ = bucket.earliest;
    for (uint32_t index = bucket.first; index != kNone;) {
      const Chunk chunk = chunks_[index];  // a copy: Append may move and reuse chunks
      chunks_[index].next = free_chunk_;
      free_chunk_ = index;
      for (uint32_t i = 0; i < chunk.count; ++i) {
        Append(BucketOf(chunk.entries[i].time), chunk.entries[i]);
      }
      index = chunk.next;
    }
  }

  void SortNow() {
    std::sort(now_entries_.begin() + static_cast<ptrdiff_t>(now_next_), now_entries_.end(), Before);
    now_sorted_ = true;
  }

  uint32_t TakeChunk() {
    uint32_t index = free_chunk_;
    if (index == kNone) {
      index = static_cast<uint32_t>(chunks_.size());
      chunks_.emplace_back();
    } else {
      free_chunk_ = chunks_[index].next;
    }
    chunks_[index].count = 0;
    chunks_[index].next = kNone;
    return index;
  }

  RingQueue<Entry> ordered_;
  // The heap. Bucket 0 holds the entries at now_: the list now_entries_, sorted before it is used.
  TimePoint now_{};
  uint64_t occupied_ = 0;  // bit b: bucket b has entries
  std::vector<Entry> now_entries_;
  size_t now_next_ = 0;
  bool now_sorted_ = true;
  std::array<Bucket, 64> buckets_{};
  std::vector<Chunk> chunks_;
  uint32_t free_chunk_ = kNone;
};

}  // namespace hwsim::model

#endif  // GHOSTCARD_HWSIM_MODEL_TIME_QUEUE_H_
