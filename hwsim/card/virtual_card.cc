#include "hwsim/card/virtual_card.h"

#include <array>
#include <deque>
#include <utility>
#include <vector>

#include "hwsim/base/check.h"
#include "hwsim/base/fd.h"
#include "hwsim/card/card_core.h"

namespace hwsim::card {
namespace {

// The channel to a card on the same thread: Push delivers to the card before it returns.
class VirtualChannel final : public rings::Channel {
 public:
  using OnPush = std::function<void(std::span<const rings::Arrival>)>;

  VirtualChannel(uint32_t index, uint32_t depth, OnPush on_push)
      : index_(index), on_push_(std::move(on_push)), completions_(depth) {}

  size_t Push(std::span<const rings::Descriptor> descriptors) override {
    for (const rings::Descriptor descriptor : descriptors) {
      const rings::Arrival arrival{.descriptor = descriptor, .queue_pair = index_};
      on_push_(std::span(&arrival, 1));
    }
    return descriptors.size();
  }
  size_t Pop(std::span<rings::Descriptor> out) override {
    const size_t count = std::min(out.size(), completed_ - popped_);
    for (rings::Descriptor& descriptor : out.first(count)) {
      descriptor = completions_[popped_++ % completions_.size()];
    }
    return count;
  }

  // Created at the first call, since most simulations never need it. -1: the process has no
  // descriptors left.
  int interrupt_fd() const override {
    if (!fd_) {
      if (auto fd = EventFd::Create()) fd_.emplace(std::move(*fd));
      if (fd_ && risen_) fd_->Signal();
    }
    return fd_ ? fd_->fd() : -1;
  }
  bool Arm() override {
    armed_ = true;
    return completed_ != popped_;
  }
  void Disarm() override {
    armed_ = risen_ = false;
    if (fd_) fd_->Drain();
  }

  void Complete(std::span<const rings::Descriptor> descriptors, bool raise) override {
    GHOSTCARD_CHECK(completed_ - popped_ + descriptors.size() <= completions_.size(),
                    "more completions than the ring is deep");
    for (const rings::Descriptor descriptor : descriptors) {
      completions_[completed_++ % completions_.size()] = descriptor;
    }
    if (raise) Raise();
  }
  void Raise() override {
    if (!std::exchange(armed_, false)) return;
    risen_ = true;
    if (fd_) fd_->Signal();
  }

 private:
  const uint32_t index_;
  const OnPush on_push_;
  std::vector<rings::Descriptor> completions_;
  size_t completed_ = 0;
  size_t popped_ = 0;
  bool armed_ = false;
  bool risen_ = false;
  mutable std::optional<EventFd> fd_;
};

}  // namespace

class VirtualCard::Impl {
 public:
  Impl(Options options, faults::FaultLog& fault_log)
      : profile_(std::move(options.profile)),
        setup_{.profile = profile_, .seed = options.seed, .fault_log = fault_log},
        queue_pairs_(OpenQueuePairs(options)),
        core_(setup_, queue_pairs_, CardCore::Work::kOnCompletion, nullptr) {}

  void AdvanceTo(TimePoint to) {
    for (auto next = core_.NextEvent(); next && *next <= to; next = core_.NextEvent()) {
      clock_.AdvanceTo(*next);
      core_.Advance(*next);
      core_.Flush();
    }
    clock_.AdvanceTo(to);
  }

  const model::Profile profile_;
  const CardSetup setup_;
  VirtualClock clock_;
  const std::vector<std::unique_ptr<rings::QueuePair>> queue_pairs_;
  CardCore core_;

 private:
  std::vector<std::unique_ptr<rings::QueuePair>> OpenQueuePairs(const Options& options) {
    std::vector<std::unique_ptr<rings::QueuePair>> queue_pairs;
    for (uint32_t i = 0; i < options.queue_pairs; ++i) {
      std::unique_ptr<rings::Channel> channel =
          std::make_unique<VirtualChannel>(i, CompletionRingDepth(profile_, options.depth),
                                           [this](std::span<const rings::Arrival> arrivals) {
                                             core_.Arrive(clock_.Now(), arrivals);
                                           });
      if (options.wrap_channel) channel = options.wrap_channel(i, std::move(channel));
      queue_pairs.push_back(std::make_unique<rings::QueuePair>(
          QueuePairOptions(setup_, i, options.depth, clock_), std::move(channel)));
    }
    return queue_pairs;
  }
};

Expected<std::unique_ptr<VirtualCard>> VirtualCard::Create(Options options) {
  auto valid = CheckCardOptions(options.profile, options.queue_pairs, &options.depth);
  if (!valid) return Unexpected(std::move(valid.error()));
  auto log = std::make_unique<faults::FaultLog>();
  const CardSetup setup{.profile = options.profile, .seed = options.seed, .fault_log = *log};
  auto queue_pairs = OpenableQueuePairs(setup, options.queue_pairs);
  if (!queue_pairs) return Unexpected(std::move(queue_pairs.error()));
  options.queue_pairs = *queue_pairs;
  auto impl = std::make_unique<Impl>(std::move(options), *log);
  return std::unique_ptr<VirtualCard>(new VirtualCard(std::move(log), std::move(impl)));
}

VirtualCard::VirtualCard(std::unique_ptr<faults::FaultLog> log, std::unique_ptr<Impl> impl)
    : CardBase(std::move(log), impl->core_, impl->clock_), impl_(std::move(impl)) {}
VirtualCard::~VirtualCard() = default;

std::optional<TimePoint> VirtualCard::NextEvent() const { return impl_->core_.NextEvent(); }

void VirtualCard::AdvanceTo(TimePoint to) {
  GHOSTCARD_CHECK(to >= impl_->clock_.Now(), "virtual time does not run backwards");
  impl_->AdvanceTo(to);
}

bool VirtualCard::Step() {
  const std::optional<TimePoint> next = NextEvent();
  if (!next) return false;
  impl_->AdvanceTo(*next);
  return true;
}

bool VirtualCard::StepUntil(TimePoint to) {
  const TimePoint next = std::min(to, NextEvent().value_or(to));
  impl_->AdvanceTo(std::max(next, impl_->clock_.Now()));
  return true;
}

void VirtualCard::Reset() { impl_->core_.Reset(impl_->clock_.Now()); }

}  // namespace hwsim::card
