#include "tools/bench_core/core_loops.h"

#include <liburing.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <deque>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "hwsim/base/check.h"

namespace tools::bench_core {

using benchmark::State;
using hwsim::operations::Request;
using hwsim::rings::QueuePair;

std::unique_ptr<hwsim::card::RealCard> CardWithoutLatency(State& state,
                                                          const LoopOptions& options) {
  hwsim::model::Profile profile;
  profile.queue_pairs_max = std::max(profile.queue_pairs_max, options.queue_pairs);
  auto card = hwsim::card::RealCard::Create(
      {.profile = profile,
       .queue_pairs = options.queue_pairs,
       .depth = (options.in_flight + options.queue_pairs - 1) / options.queue_pairs,
       .transport = options.transport,
       .execution_threads = 1});
  if (!card) {
    state.SkipWithError(card.error().message.c_str());
    return nullptr;
  }
  (*card)->SetInterrupts(false);
  return std::move(*card);
}

namespace {

void HandOver(QueuePair& queue_pair, std::span<Request* const> requests, Handing handing) {
  size_t accepted = 0;
  if (handing == Handing::kList) accepted = queue_pair.Submit(requests).accepted;
  if (handing == Handing::kBatch) accepted = queue_pair.SubmitBatch(requests).accepted;
  if (handing == Handing::kOneByOne) {
    for (Request* request : requests) {
      accepted += queue_pair.Submit(*request) == hwsim::operations::SubmitStatus::kOk ? 1 : 0;
    }
  }
  GHOSTCARD_CHECK(accepted == requests.size(), "as many requests as the queue pair is deep");
}

// One queue pair with its requests. The first `free_` entries of ours_ are not on the card.
class Station {
 public:
  Station(QueuePair& queue_pair, const LoopOptions& options)
      : queue_pair_(queue_pair), options_(options), ours_(queue_pair.depth()) {
    for (uint32_t i = 0; i < queue_pair.depth(); ++i) ours_[i] = &requests_.emplace_back();
    free_ = ours_.size();
  }

  // Submits all requests that are not on the card, in bursts. Batches are always whole bursts.
  void Submit() {
    const size_t burst = std::min<size_t>(options_.burst, ours_.size());
    while (free_ >= burst || (free_ != 0 && options_.handing != Handing::kBatch)) {
      const size_t count = std::min(burst, free_);
      free_ -= count;
      HandOver(queue_pair_, std::span(ours_).subspan(free_, count), options_.handing);
    }
  }
  size_t Pop() {
    const auto room = std::span(ours_).subspan(free_);
    const size_t count =
        queue_pair_.PopCompleted(room.first(std::min<size_t>(room.size(), options_.burst)));
    free_ += count;
    return count;
  }

 private:
  QueuePair& queue_pair_;
  const LoopOptions& options_;
  std::deque<Request> requests_;
  std::vector<Request*> ours_;
  size_t free_ = 0;
};

}  // namespace

void CardLoop(State& state, const LoopOptions& options) {
  std::deque<Station> stations;  // outlives the card, which may still hold requests
  const auto card = CardWithoutLatency(state, options);
  if (card == nullptr) return;
  for (const auto& queue_pair : card->queue_pairs()) stations.emplace_back(*queue_pair, options);
  for (Station& station : stations) station.Submit();
  auto station = stations.begin();
  size_t popped = 0;
  // Several requests may complete together: `popped` counts them down, one for each iteration.
  for ([[maybe_unused]] auto _ : state) {
    while (popped == 0) {
      popped = station->Pop();
      if (popped != 0) station->Submit();
      if (++station == stations.end()) station = stations.begin();
      if (popped == 0) SpinPause();
    }
    --popped;
  }
  state.SetItemsProcessed(state.iterations());
}

namespace {

class BareRing {
 public:
  explicit BareRing(uint32_t in_flight) {
    io_uring_params params{};
    params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = 2 * in_flight;
    error_ = io_uring_queue_init_params(128, &ring_, &params);
  }
  ~BareRing() {
    if (error_ == 0) io_uring_queue_exit(&ring_);
  }
  BareRing(const BareRing&) = delete;
  BareRing& operator=(const BareRing&) = delete;

  bool good() const { return error_ == 0; }
  int fd() const { return ring_.ring_fd; }

  void Prepare(const BareRing& to, uint64_t word) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) {
      io_uring_submit(&ring_);
      sqe = io_uring_get_sqe(&ring_);
    }
    io_uring_prep_msg_ring(sqe, to.fd(), 0, word, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  }
  void Submit() { io_uring_submit(&ring_); }

  // Passes every message that has arrived on to `to`. Returns how many there were.
  size_t PassOn(const BareRing& to) {
    std::array<io_uring_cqe*, 64> entries;
    size_t total = 0;
    for (unsigned got = entries.size(); got == entries.size(); total += got) {
      got = io_uring_peek_batch_cqe(&ring_, entries.data(), entries.size());
      for (unsigned i = 0; i < got; ++i) Prepare(to, entries[i]->user_data);
      io_uring_cq_advance(&ring_, got);
    }
    if (total != 0) Submit();
    return total;
  }

 private:
  io_uring ring_{};
  int error_ = 0;
};

}  // namespace

void BareMessageLoop(State& state, uint32_t in_flight) {
  BareRing host(in_flight);
  BareRing card(in_flight);
  if (!host.good() || !card.good()) return state.SkipWithError("io_uring refused");
  std::atomic<bool> stop{false};
  std::thread far([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      if (card.PassOn(host) == 0) SpinPause();
    }
  });
  for (uint64_t i = 1; i <= in_flight; ++i) host.Prepare(card, i);
  host.Submit();
  size_t popped = 0;
  for ([[maybe_unused]] auto _ : state) {
    while (popped == 0) {
      popped = host.PassOn(card);
      if (popped == 0) SpinPause();
    }
    --popped;
  }
  stop.store(true, std::memory_order_relaxed);
  far.join();
  state.SetItemsProcessed(state.iterations());
}

namespace {

// A ring for one pushing and one popping thread. Requires: at most `room` words in it.
class BareWords {
 public:
  explicit BareWords(uint32_t room) : words_(std::bit_ceil(room)), mask_(words_.size() - 1) {}

  void Push(std::span<const uint64_t> words) {
    const uint64_t tail =
        tail_.load(std::memory_order_relaxed);  // written by the pushing thread only
    for (size_t i = 0; i < words.size(); ++i) words_[(tail + i) & mask_] = words[i];
    tail_.store(tail + words.size(), std::memory_order_release);
  }
  std::span<uint64_t> Pop(std::span<uint64_t> out) {
    const uint64_t tail = tail_.load(std::memory_order_acquire);
    const size_t count = std::min<size_t>(out.size(), tail - head_);
    for (size_t i = 0; i < count; ++i) out[i] = words_[(head_ + i) & mask_];
    head_ += count;
    return out.first(count);
  }

 private:
  std::vector<uint64_t> words_;
  const size_t mask_;
  alignas(128) std::atomic<uint64_t> tail_{0};
  alignas(128) uint64_t head_ = 0;  // used by the popping thread only
};

}  // namespace

void BareMemoryLoop(State& state, uint32_t in_flight, uint32_t burst) {
  BareWords there(in_flight);
  BareWords back(in_flight);
  std::atomic<bool> stop{false};
  std::thread far([&] {
    std::vector<uint64_t> room(burst);
    while (!stop.load(std::memory_order_relaxed)) {
      const auto words = there.Pop(room);
      if (words.empty()) SpinPause();
      if (!words.empty()) back.Push(words);
    }
  });
  there.Push(std::vector<uint64_t>(in_flight, 1));
  std::vector<uint64_t> room(burst);
  size_t popped = 0;
  for ([[maybe_unused]] auto _ : state) {
    while (popped == 0) {
      const auto words = back.Pop(room);
      popped = words.size();
      if (popped == 0) SpinPause();
      if (popped != 0) there.Push(words);
    }
    --popped;
  }
  stop.store(true, std::memory_order_relaxed);
  far.join();
  state.SetItemsProcessed(state.iterations());
}

}  // namespace tools::bench_core
