// ScriptedCard: a card that completes requests just when a test says so, on the test's
// thread, or from a hook inside the submit itself.
//
// Threads: CompleteOne and CompleteAll from any; the hook runs on the submitter's.
#ifndef GHOSTCARD_TESTS_ENGINE_SCRIPTED_CARD_H_
#define GHOSTCARD_TESTS_ENGINE_SCRIPTED_CARD_H_

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "hwsim/card.h"
#include "hwsim/fd.h"

namespace tests {

class ScriptedChannel final : public hwsim::Channel {
 public:
  size_t Push(std::span<const hwsim::Descriptor> descriptors) override {
    {
      const std::lock_guard lock(mutex_);
      for (const hwsim::Descriptor descriptor : descriptors) accepted_.push_back(descriptor);
    }
    if (on_push) on_push();
    return descriptors.size();
  }
  size_t Pop(std::span<hwsim::Descriptor> out) override {
    const std::lock_guard lock(mutex_);
    size_t count = 0;
    for (; count < out.size() && !completed_.empty(); ++count) {
      out[count] = completed_.front();
      completed_.pop_front();
    }
    return count;
  }
  int interrupt_fd() const override { return line_.fd(); }
  bool Arm() override {
    const std::lock_guard lock(mutex_);
    armed_ = true;
    return !completed_.empty();
  }
  void Disarm() override {
    const std::lock_guard lock(mutex_);
    armed_ = false;
    line_.Drain();
  }
  void Complete(std::span<const hwsim::Descriptor>, bool) override {}
  void Raise() override {}

  // Completes the oldest request on the card. False: there is none.
  bool CompleteOne(hwsim::CompletionStatus status = hwsim::CompletionStatus::kOk) {
    const std::lock_guard lock(mutex_);
    if (accepted_.empty()) return false;
    hwsim::Request& request = *accepted_.front().request();
    if (status == hwsim::CompletionStatus::kOk && request.execute != nullptr &&
        !request.execute(request)) {
      status = hwsim::CompletionStatus::kOperationFailed;
    }
    request.status = status;
    request.done.store(true, std::memory_order_release);
    completed_.push_back(accepted_.front());
    accepted_.pop_front();
    if (armed_) line_.Signal();
    return true;
  }
  size_t on_card() const {
    const std::lock_guard lock(mutex_);
    return accepted_.size();
  }

  // Called within Push, after the request was taken. It may complete it and poll.
  std::function<void()> on_push;

 private:
  mutable std::mutex mutex_;
  std::deque<hwsim::Descriptor> accepted_;
  std::deque<hwsim::Descriptor> completed_;
  bool armed_ = false;
  hwsim::EventFd line_ = hwsim::EventFd::Create().value();
};

class ScriptedCard final : public hwsim::Card {
 public:
  explicit ScriptedCard(uint32_t depth, hwsim::FaultPlan faults = {}) {
    auto channel = std::make_unique<ScriptedChannel>();
    channel_ = channel.get();
    queue_pairs_.push_back(std::make_unique<hwsim::QueuePair>(
        hwsim::QueuePair::Options{.index = 0,
                                  .depth = depth,
                                  .submit_faults = hwsim::FaultInjector(
                                      faults, hwsim::FaultSite::kSubmit, hwsim::Random(1))},
        std::move(channel)));
  }

  ScriptedChannel& channel() { return *channel_; }
  hwsim::VirtualClock& virtual_clock() { return clock_; }

  std::span<const std::unique_ptr<hwsim::QueuePair>> queue_pairs() const override {
    return queue_pairs_;
  }
  const hwsim::Clock& clock() const override { return clock_; }
  const hwsim::Profile& profile() const override { return profile_; }
  std::string_view transport_name() const override { return "scripted"; }
  void SetInterrupts(bool) override {}
  // A synchronous caller lets time pass: the card gets on with its oldest request.
  bool LetTimePass() override { return channel_->CompleteOne(); }
  Stats stats() const override { return {}; }

 private:
  hwsim::VirtualClock clock_;
  hwsim::Profile profile_;
  std::vector<std::unique_ptr<hwsim::QueuePair>> queue_pairs_;
  ScriptedChannel* channel_ = nullptr;
};

}  // namespace tests

#endif  // GHOSTCARD_TESTS_ENGINE_SCRIPTED_CARD_H_
