#include "hwsim/rings/memory_transport.h"

#include <poll.h>

#include <array>
#include <atomic>
#include <bit>
#include <vector>

#include "hwsim/base/check.h"
#include "hwsim/base/fd.h"
#include "hwsim/base/thread_timing.h"
#include "hwsim/rings/interrupt_line.h"
#include "hwsim/rings/word_ring.h"

namespace hwsim::rings {
namespace {

// Tells the card's service thread which channels to look at, and wakes it. A push sets the
// channel's bit; the service thread clears it when the channel has been empty for a while. So
// neither side writes a shared cache line for each request, and quiet channels cost nothing.
class Doorbell {
 public:
  Doorbell(EventFd fd, uint32_t channels) : fd_(std::move(fd)), words_((channels + 63) / 64) {}

  // Call it after a push with seq_cst. The service thread clears the bit, or announces that it
  // sleeps, with seq_cst and then looks at the ring once more: one side sees the other.
  void Ring(uint32_t channel) {
    std::atomic<uint64_t>& word = words_[channel / 64];
    const uint64_t bit = Bit(channel);
    if ((word.load(std::memory_order_seq_cst) & bit) == 0) {
      word.fetch_or(bit, std::memory_order_seq_cst);
    }
    WakeSleeper();
  }
  void Wake() {
    woken_.store(true, std::memory_order_seq_cst);
    WakeSleeper();
  }

  // For the service thread.
  size_t words() const { return words_.size(); }
  uint64_t Word(size_t index) const { return words_[index].load(std::memory_order_seq_cst); }
  void Clear(uint32_t channel) {
    words_[channel / 64].fetch_and(~Bit(channel), std::memory_order_seq_cst);
  }
  void Set(uint32_t channel) {
    words_[channel / 64].fetch_or(Bit(channel), std::memory_order_seq_cst);
  }

  template <typename HasWork>
  void Sleep(std::optional<Duration> time_max, HasWork has_work) {
    sleeping_.store(true, std::memory_order_seq_cst);
    if (!woken_.load(std::memory_order_seq_cst) && !has_work()) {
      pollfd poll_fd{.fd = fd_.fd(), .events = POLLIN, .revents = 0};
      const timespec timeout = ToTimespec(time_max.value_or(Duration::zero()));
      // Sleep may return early, so a signal needs no handling.
      if (::ppoll(&poll_fd, 1, time_max ? &timeout : nullptr, nullptr) > 0) fd_.Drain();
    }
    sleeping_.store(false, std::memory_order_seq_cst);
    // Cleared before the caller looks for work, so that no later wake-up is lost. seq_cst pairs
    // with Wake().
    woken_.exchange(false, std::memory_order_seq_cst);
  }

 private:
  static uint64_t Bit(uint32_t channel) { return uint64_t{1} << (channel % 64); }
  void WakeSleeper() {
    // The exchange lets only one of several wakers make the system call.
    if (sleeping_.load(std::memory_order_seq_cst) &&
        sleeping_.exchange(false, std::memory_order_seq_cst)) {
      fd_.Signal();
    }
  }

  const EventFd fd_;
  std::vector<std::atomic<uint64_t>> words_;
  std::atomic<bool> woken_{false};
  alignas(128) std::atomic<bool> sleeping_{false};
};

class MemoryChannel final : public Channel {
 public:
  MemoryChannel(Doorbell& doorbell, uint32_t index, uint32_t depth, EventFd interrupt_fd)
      : index_(index),
        doorbell_(doorbell),
        requests_(depth),
        completions_(depth),
        line_(std::move(interrupt_fd)) {}

  size_t Push(std::span<const Descriptor> descriptors) override {
    const size_t count = requests_.Push(descriptors, std::memory_order_seq_cst);
    if (count != 0) doorbell_.Ring(index_);
    return count;
  }
  size_t Pop(std::span<Descriptor> out) override { return completions_.Pop(out); }
  int interrupt_fd() const override { return line_.fd(); }
  bool Arm() override {
    line_.Arm();
    return !completions_.IsEmpty();
  }
  void Disarm() override { line_.Disarm(); }

  void Complete(std::span<const Descriptor> descriptors, bool raise) override {
    const auto order = raise ? std::memory_order_seq_cst : std::memory_order_release;
    const size_t count = completions_.Push(descriptors, order);
    GHOSTCARD_CHECK(count == descriptors.size(), "more completions than the ring is deep");
    if (raise) line_.Raise();
  }
  void Raise() override { line_.Raise(); }

  WordRing& requests() { return requests_; }
  uint32_t empty_polls = 0;  // since the last request; for the service thread

 private:
  const uint32_t index_;
  Doorbell& doorbell_;
  WordRing requests_;
  WordRing completions_;
  InterruptLine line_;
};

class MemoryTransport final : public Transport {
 public:
  MemoryTransport(EventFd doorbell_fd, uint32_t queue_pairs)
      : doorbell_(std::move(doorbell_fd), queue_pairs), channels_(queue_pairs) {}

  std::string_view name() const override { return "memory"; }

  Expected<std::unique_ptr<Channel>> OpenChannel(uint32_t queue_pair, uint32_t depth) override {
    auto fd = EventFd::Create();
    if (!fd) return Unexpected(std::move(fd.error()));
    auto channel = std::make_unique<MemoryChannel>(doorbell_, queue_pair, depth, std::move(*fd));
    channels_.at(queue_pair) = channel.get();
    return channel;
  }

  size_t Receive(std::span<Arrival> out) override;

  void Sleep(std::optional<Duration> time_max) override {
    doorbell_.Sleep(time_max, [this] { return AnyArrived(); });
  }
  void Wake() override { doorbell_.Wake(); }

 private:
  static constexpr size_t kTurn = 64;             // requests taken from one channel before the next
  static constexpr uint32_t kEmptyPollsMax = 64;  // before the channel's bit is cleared

  // Takes arrivals from one channel, at most kTurn. Returns how many.
  size_t TakeTurn(uint32_t index, std::span<Arrival> out);
  bool AnyArrived() const;

  Doorbell doorbell_;
  std::vector<MemoryChannel*> channels_;
  uint32_t next_ = 0;  // the channel at which Receive begins
};

size_t MemoryTransport::TakeTurn(uint32_t index, std::span<Arrival> out) {
  MemoryChannel& channel = *channels_[index];
  std::array<Descriptor, kTurn> descriptors;
  const size_t count =
      channel.requests().Pop(std::span(descriptors).first(std::min(out.size(), kTurn)));
  for (size_t i = 0; i < count; ++i) {
    out[i] = {.descriptor = descriptors[i], .queue_pair = index};
  }
  if (count != 0) {
    channel.empty_polls = 0;
  } else if (++channel.empty_polls == kEmptyPollsMax) {
    channel.empty_polls = 0;
    doorbell_.Clear(index);
    if (!channel.requests().IsEmpty()) doorbell_.Set(index);
  }
  return count;
}

size_t MemoryTransport::Receive(std::span<Arrival> out) {
  const size_t words = doorbell_.words();
  const uint32_t start = next_;
  size_t count = 0;
  // All words, beginning and ending with the one that holds `start`: first its bits from `start`
  // on, last the bits below.
  for (size_t i = 0; i <= words; ++i) {
    const size_t index = (start / 64 + i) % words;
    uint64_t bits = doorbell_.Word(index);
    const uint64_t from_start = ~uint64_t{0} << (start % 64);
    if (i == 0) bits &= from_start;
    if (i == words) bits &= ~from_start;
    while (bits != 0) {
      const auto channel = static_cast<uint32_t>(index * 64 + std::countr_zero(bits));
      bits &= bits - 1;
      count += TakeTurn(channel, out.subspan(count));
      if (count == out.size()) {
        next_ = (channel + 1) % static_cast<uint32_t>(channels_.size());
        return count;
      }
    }
  }
  return count;
}

bool MemoryTransport::AnyArrived() const {
  for (size_t index = 0; index < doorbell_.words(); ++index) {
    for (uint64_t bits = doorbell_.Word(index); bits != 0; bits &= bits - 1) {
      if (!channels_[index * 64 + std::countr_zero(bits)]->requests().IsEmpty()) return true;
    }
  }
  return false;
}

}  // namespace

Expected<std::unique_ptr<Transport>> CreateMemoryTransport(uint32_t queue_pairs) {
  auto fd = EventFd::Create();
  if (!fd) return Unexpected(std::move(fd.error()));
  return std::make_unique<MemoryTransport>(std::move(*fd), queue_pairs);
}

}  // namespace hwsim::rings
