#include "hwsim/rings/uring_transport.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <vector>

#include "hwsim/base/check.h"
#include "hwsim/base/fd.h"
#include "hwsim/base/mutex.h"
#include "hwsim/base/thread_timing.h"
#include "hwsim/rings/interrupt_line.h"
#include "hwsim/rings/kernel_ring.h"

namespace hwsim::rings {
namespace {

constexpr uint32_t kSubmissionsMax = 128;         // most messages per system call
constexpr uint32_t kCompletionsMax = 65536;       // the kernel's limit
constexpr size_t kPeek = 64;                      // completions read at once
constexpr uint32_t kWakeLength = UINT32_MAX / 2;  // result of a message that only wakes

std::string ReadDisabledSysctl() {
  std::string text;
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");
  file >> text;
  return text;
}

Error Refused(int error_number) {
  // Read only for EPERM, which it explains: for EMFILE there is no descriptor to read it with.
  const std::string sysctl = error_number == EPERM ? ReadDisabledSysctl() : std::string();
  return Error{UringRefusal(error_number, sysctl), error_number};
}

class UringChannel final : public Channel {
 public:
  static Expected<std::unique_ptr<UringChannel>> Create(KernelRing& card, uint32_t index,
                                                        uint32_t depth);

  size_t Push(std::span<const Descriptor> descriptors) override;
  size_t Pop(std::span<Descriptor> out) override;
  int interrupt_fd() const override { return line_.fd(); }
  bool Arm() override {
    line_.Arm();
    return io_uring_cq_ready(host_->get()) != 0;
  }
  void Disarm() override { line_.Disarm(); }
  void Complete(std::span<const Descriptor> descriptors, bool raise) override;
  void Raise() override { line_.Raise(); }

  // After this, what submitters wrote before their pushes is visible. Acquire, with Push's release.
  // The kernel orders the messages that it carries, but C++ and ThreadSanitizer do not know that.
  void AcquirePushed() const { (void)pushes_.load(std::memory_order_acquire); }

 private:
  UringChannel(KernelRing& card, uint32_t index, std::unique_ptr<KernelRing> host, EventFd fd)
      : card_(card), index_(index), host_(std::move(host)), line_(std::move(fd)) {}
  void Post(std::span<const Descriptor> descriptors);

  KernelRing& card_;
  const uint32_t index_;
  const std::unique_ptr<KernelRing> host_;
  InterruptLine line_;
  // Each is written by one side only, before it calls the kernel: see AcquirePushed.
  alignas(64) std::atomic<uint64_t> pushes_{0};
  alignas(64) std::atomic<uint64_t> posts_{0};
};

Expected<std::unique_ptr<UringChannel>> UringChannel::Create(KernelRing& card, uint32_t index,
                                                             uint32_t depth) {
  auto host = KernelRing::Create(std::min(depth, kSubmissionsMax), depth);
  if (!host) return Unexpected(Refused(host.error().error_number));
  auto fd = EventFd::Create();
  if (!fd) return Unexpected(std::move(fd.error()));
  const int registered = io_uring_register_eventfd((*host)->get(), fd->fd());
  if (registered < 0) return Unexpected(SystemError("io_uring_register_eventfd", -registered));
  const int disabled = io_uring_cq_eventfd_toggle((*host)->get(), false);
  if (disabled < 0) return Unexpected(SystemError("io_uring_cq_eventfd_toggle", -disabled));
  return std::unique_ptr<UringChannel>(
      new UringChannel(card, index, std::move(*host), std::move(*fd)));
}

size_t UringChannel::Push(std::span<const Descriptor> descriptors) {
  // Relaxed load: only one thread at a time pushes. Release store: see AcquirePushed.
  pushes_.store(pushes_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  for (const Descriptor descriptor : descriptors) {
    host_->PrepareMessage(card_.fd(), descriptor.word(), index_);
  }
  host_->Submit();
  return descriptors.size();
}

size_t UringChannel::Pop(std::span<Descriptor> out) {
  std::array<io_uring_cqe*, kPeek> entries;
  size_t count = 0;
  while (count < out.size()) {
    const auto wanted = static_cast<unsigned>(std::min(out.size() - count, kPeek));
    const unsigned got = io_uring_peek_batch_cqe(host_->get(), entries.data(), wanted);
    for (unsigned i = 0; i < got; ++i) {
      CheckUring(entries[i]->res, "MSG_RING to the card");
      out[count++] = Descriptor::FromWord(entries[i]->user_data);
    }
    io_uring_cq_advance(host_->get(), got);
    if (got < wanted) break;
  }
  if (count != 0) (void)posts_.load(std::memory_order_acquire);  // with Complete's release
  return count;
}

void UringChannel::Post(std::span<const Descriptor> descriptors) {
  for (const Descriptor descriptor : descriptors) {
    card_.PrepareMessage(host_->fd(), descriptor.word(), 0);
  }
  card_.Submit();
}

void UringChannel::Complete(std::span<const Descriptor> descriptors, bool raise) {
  posts_.store(posts_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  // The kernel writes an enabled eventfd for every message, so it is enabled for the last message
  // only. Only this thread switches it: Arm and Disarm set a flag of the line.
  if (raise && line_.Take()) {
    Post(descriptors.first(descriptors.size() - 1));
    io_uring_cq_eventfd_toggle(host_->get(), true);
    Post(descriptors.last(1));
    io_uring_cq_eventfd_toggle(host_->get(), false);
    return;
  }
  Post(descriptors);
  // A popping thread may have armed the line meanwhile, and looked before the messages came.
  if (raise && line_.TakeWithBarrier()) line_.Signal();
}

class UringTransport final : public Transport {
 public:
  UringTransport(std::unique_ptr<KernelRing> card, std::unique_ptr<KernelRing> waker,
                 uint32_t queue_pairs)
      : card_(std::move(card)), channels_(queue_pairs), waker_(std::move(waker)) {}

  std::string_view name() const override { return "uring"; }

  Expected<std::unique_ptr<Channel>> OpenChannel(uint32_t queue_pair, uint32_t depth) override {
    auto channel = UringChannel::Create(*card_, queue_pair, depth);
    if (!channel) return Unexpected(std::move(channel.error()));
    channels_.at(queue_pair) = channel->get();
    return std::move(*channel);
  }

  size_t Receive(std::span<Arrival> out) override;
  void Sleep(std::optional<Duration> time_max) override;
  void Wake() override;

 private:
  const std::unique_ptr<KernelRing> card_;
  std::vector<UringChannel*> channels_;

  // seq_cst: each side writes one and reads the other, so either Wake() sees the sleeper or Sleep()
  // sees the wake-up.
  std::atomic<bool> woken_{false};
  std::atomic<bool> sleeping_{false};
  Mutex waker_mutex_;
  const std::unique_ptr<KernelRing> waker_ GHOSTCARD_GUARDED_BY(waker_mutex_);
};

size_t UringTransport::Receive(std::span<Arrival> out) {
  std::array<io_uring_cqe*, kPeek> entries;
  size_t count = 0;
  while (count < out.size()) {
    const auto wanted = static_cast<unsigned>(std::min(out.size() - count, kPeek));
    const unsigned got = io_uring_peek_batch_cqe(card_->get(), entries.data(), wanted);
    for (unsigned i = 0; i < got; ++i) {
      CheckUring(entries[i]->res, "MSG_RING to a queue pair");
      const auto length = static_cast<uint32_t>(entries[i]->res);
      if (length == kWakeLength) continue;
      channels_[length]->AcquirePushed();
      out[count++] = {.descriptor = Descriptor::FromWord(entries[i]->user_data),
                      .queue_pair = length};
    }
    io_uring_cq_advance(card_->get(), got);
    if (got < wanted) break;
  }
  return count;
}

void UringTransport::Sleep(std::optional<Duration> time_max) {
  sleeping_.store(true, std::memory_order_seq_cst);
  if (!woken_.load(std::memory_order_seq_cst)) {
    auto timeout = ToTimespec<__kernel_timespec>(time_max.value_or(Duration::zero()));
    io_uring_cqe* entry = nullptr;
    const int result = io_uring_submit_and_wait_timeout(card_->get(), &entry, 1,
                                                        time_max ? &timeout : nullptr, nullptr);
    // ETIME: the time is over. EINTR: Sleep may return early. EAGAIN, EBUSY: the kernel has
    // overflowed completions to deliver first, and Receive makes it do so.
    const bool expected =
        result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY;
    if (!expected) CheckUring(result, "io_uring_submit_and_wait_timeout");
  }
  sleeping_.store(false, std::memory_order_seq_cst);
  // Cleared before the caller looks for work, so that no later wake-up is lost.
  woken_.exchange(false, std::memory_order_seq_cst);
}

void UringTransport::Wake() {
  woken_.store(true, std::memory_order_seq_cst);
  if (!sleeping_.load(std::memory_order_seq_cst) ||
      !sleeping_.exchange(false, std::memory_order_seq_cst)) {
    return;
  }
  MutexLock lock(waker_mutex_);
  waker_->PrepareMessage(card_->fd(), 0, kWakeLength);
  waker_->Submit();
}

// MSG_RING came with Linux 5.18, the other features used here earlier.
bool HasMessages(io_uring* ring) {
  io_uring_probe* probe = io_uring_get_probe_ring(ring);
  const bool has = probe != nullptr && io_uring_opcode_supported(probe, IORING_OP_MSG_RING) != 0;
  io_uring_free_probe(probe);
  return has;
}

}  // namespace

std::string UringRefusal(int error_number, std::string_view disabled_sysctl) {
  std::string line = SystemError("io_uring refused", error_number).message;
  switch (error_number) {
    case EPERM:
      if (disabled_sysctl == "1" || disabled_sysctl == "2") {
        line += "; sysctl kernel.io_uring_disabled is " + std::string(disabled_sysctl);
      } else {
        line += "; likely a seccomp filter, such as Docker's default profile";
      }
      break;
    case ENOSYS:
      line += "; the kernel has no io_uring, or a seccomp filter hides it";
      break;
    case EOPNOTSUPP:
      line += "; the kernel has no MSG_RING (Linux 5.18)";
      break;
    case ENOMEM:
      line += "; likely the limit on locked memory (ulimit -l)";
      break;
    case EMFILE:
    case ENFILE:
      line += "; the limit on open files (ulimit -n)";
      break;
    default:
      break;
  }
  return line;
}

Expected<std::unique_ptr<Transport>> CreateUringTransport(uint32_t queue_pairs, uint32_t depth) {
  const uint64_t in_flight_max = uint64_t{queue_pairs} * depth;
  const auto completions =
      static_cast<uint32_t>(std::min<uint64_t>(in_flight_max + 1, kCompletionsMax));
  auto card = KernelRing::Create(kSubmissionsMax, completions);
  if (!card) return Unexpected(Refused(card.error().error_number));
  if (!HasMessages((*card)->get())) return Unexpected(Refused(EOPNOTSUPP));
  auto waker = KernelRing::Create(2, 2);
  if (!waker) return Unexpected(Refused(waker.error().error_number));
  return std::make_unique<UringTransport>(std::move(*card), std::move(*waker), queue_pairs);
}

}  // namespace hwsim::rings
