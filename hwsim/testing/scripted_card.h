// ScriptedCard: a card for tests that completes a request only when the test says so, from the
// test's code or from a hook inside the submit. The faults at submit of a fault plan apply, as on
// any card.
//
// Threads: CompleteOne and on_card from any thread; the hook runs on the submitter's.
// Time: stands still unless the test moves virtual_clock().
#ifndef GHOSTCARD_HWSIM_TESTING_SCRIPTED_CARD_H_
#define GHOSTCARD_HWSIM_TESTING_SCRIPTED_CARD_H_

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "hwsim/base/clock.h"
#include "hwsim/base/fd.h"
#include "hwsim/base/random.h"
#include "hwsim/card/card.h"
#include "hwsim/card/time_driver.h"
#include "hwsim/faults/fault_injector.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/model/profile.h"
#include "hwsim/operations/request.h"
#include "hwsim/rings/queue_pair.h"
#include "hwsim/rings/transport.h"

namespace hwsim::testing {

class ScriptedChannel final : public rings::Channel {
 public:
  size_t Push(std::span<const rings::Descriptor> descriptors) override {
    {
      const std::lock_guard lock(mutex_);
      for (const rings::Descriptor descriptor : descriptors) accepted_.push_back(descriptor);
    }
    if (on_push) on_push();
    return descriptors.size();
  }
  size_t Pop(std::span<rings::Descriptor> out) override {
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
  // There is no service thread that could call these.
  void Complete(std::span<const rings::Descriptor>, bool) override {}
  void Raise() override {}

  // Completes the oldest request on the card: runs its work, unless `status` is another than kOk.
  // False: no request is on the card.
  bool CompleteOne(operations::CompletionStatus status = operations::CompletionStatus::kOk) {
    const std::lock_guard lock(mutex_);
    if (accepted_.empty()) return false;
    operations::Request& request = *accepted_.front().request();
    if (status == operations::CompletionStatus::kOk && request.execute != nullptr &&
        !request.execute(request)) {
      status = operations::CompletionStatus::kOperationFailed;
    }
    request.status = status;
    request.done.store(true, std::memory_order_release);
    completed_.push_back(accepted_.front());
    accepted_.pop_front();
    if (armed_) line_.Signal();
    return true;
  }
  // Requests submitted and not completed.
  size_t on_card() const {
    const std::lock_guard lock(mutex_);
    return accepted_.size();
  }

  // Called inside a submit, after the card took the request. It may complete requests and poll.
  std::function<void()> on_push;

 private:
  mutable std::mutex mutex_;
  std::deque<rings::Descriptor> accepted_;
  std::deque<rings::Descriptor> completed_;
  bool armed_ = false;
  EventFd line_ = EventFd::Create().value();
};

class ScriptedCard final : public card::Card, public card::TimeDriver {
 public:
  explicit ScriptedCard(uint32_t depth, faults::FaultPlan faults = {}) {
    auto channel = std::make_unique<ScriptedChannel>();
    channel_ = channel.get();
    const auto injector = [&](faults::FaultSite site) {
      return faults::FaultInjector(faults, site, Random(1));
    };
    queue_pairs_.push_back(std::make_unique<rings::QueuePair>(
        rings::QueuePair::Options{.index = 0,
                                  .depth = depth,
                                  .submit_faults = injector(faults::FaultSite::kSubmit),
                                  .list_faults = injector(faults::FaultSite::kList),
                                  .fault_log = &fault_log(),
                                  .clock = &clock_},
        std::move(channel)));
  }

  ScriptedChannel& channel() { return *channel_; }
  VirtualClock& virtual_clock() { return clock_; }

  std::span<const std::unique_ptr<rings::QueuePair>> queue_pairs() const override {
    return queue_pairs_;
  }
  const Clock& clock() const override { return clock_; }
  const model::Profile& profile() const override { return profile_; }
  std::string_view transport_name() const override { return "scripted"; }
  void SetInterrupts(bool) override {}
  // For callers that wait in place. The next event is the completion of the oldest request.
  card::TimeDriver* time_driver() override { return this; }
  bool Step() override { return channel_->CompleteOne(); }
  bool StepUntil(TimePoint) override { return false; }
  Stats stats() const override { return {}; }

 private:
  VirtualClock clock_;
  model::Profile profile_;
  std::vector<std::unique_ptr<rings::QueuePair>> queue_pairs_;
  ScriptedChannel* channel_ = nullptr;
};

}  // namespace hwsim::testing

#endif  // GHOSTCARD_HWSIM_TESTING_SCRIPTED_CARD_H_
