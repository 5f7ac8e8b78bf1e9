// RingQueue and TimeQueue: the model's queues. Neither allocates once it has grown to
// the size that is needed.
//
// Threads: none of their own.
#ifndef GHOSTCARD_HWSIM_MODEL_TIME_QUEUE_H_
#define GHOSTCARD_HWSIM_MODEL_TIME_QUEUE_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "hwsim/clock.h"

namespace hwsim {

// First in, first out, in one growing ring.
template <typename T>
class RingQueue {
 public:
  bool empty() const { return head_ == tail_; }
  const T& front() const { return slots_[head_ & Mask()]; }
  const T& back() const { return slots_[(tail_ - 1) & Mask()]; }
  void push(T value) {
    if (tail_ - head_ == slots_.size()) Grow();
    slots_[tail_++ & Mask()] = std::move(value);
  }
  T pop() { return std::move(slots_[head_++ & Mask()]); }

 private:
  uint64_t Mask() const { return slots_.size() - 1; }
  void Grow() {
    std::vector<T> larger(std::max<size_t>(16, 2 * slots_.size()));
    const uint64_t count = tail_ - head_;
    for (uint64_t i = 0; i < count; ++i) larger[i] = std::move(slots_[(head_ + i) & Mask()]);
    slots_ = std::move(larger);
    head_ = 0;
    tail_ = count;
  }
  std::vector<T> slots_;  // a power of two
  uint64_t head_ = 0;
  uint64_t tail_ = 0;
};

// Earliest first; of the same time, in the order of pushing. Times that come in order, as all do
// while latencies are fixed, cost a ring's push and pop; only the others go through a heap.
template <typename T>
class TimeQueue {
 public:
  bool empty() const { return ordered_.empty() && heap_.empty(); }

  std::optional<TimePoint> next() const {
    if (empty()) return std::nullopt;
    return OrderedIsNext() ? ordered_.front().time : heap_.front().time;
  }

  void push(TimePoint time, const T& value) {
    const Entry entry{time, sequence_++, value};
    if (ordered_.empty() || ordered_.back().time <= time) {
      ordered_.push(entry);
    } else {
      heap_.push_back(entry);
      std::push_heap(heap_.begin(), heap_.end(), Later);
    }
  }

  // Requires: !empty().
  std::pair<TimePoint, T> pop() {
    if (OrderedIsNext()) {
      Entry entry = ordered_.pop();
      return {entry.time, std::move(entry.value)};
    }
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    std::pair<TimePoint, T> earliest{heap_.back().time, std::move(heap_.back().value)};
    heap_.pop_back();
    return earliest;
  }

  // Pops from the front as long as the values are not wanted.
  template <typename Unwanted>
  void drop_while(Unwanted unwanted) {
    while (!empty() && unwanted(OrderedIsNext() ? ordered_.front().value : heap_.front().value)) {
      pop();
    }
  }

 private:
  struct Entry {
    TimePoint time{};
    uint64_t sequence = 0;
    T value{};
  };
  static bool Later(const Entry& a, const Entry& b) {
    return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
  }
  bool OrderedIsNext() const {
    return heap_.empty() || (!ordered_.empty() && Later(heap_.front(), ordered_.front()));
  }

  RingQueue<Entry> ordered_;
  std::vector<Entry> heap_;
  uint64_t sequence_ = 0;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_TIME_QUEUE_H_
