#include "hwsim/model/card_model.h"

#include <algorithm>

#include "hwsim/base/check.h"
#include "hwsim/base/random.h"
#include "hwsim/model/card_time.h"
#include "hwsim/model/host_interface.h"
#include "hwsim/model/model_faults.h"
#include "hwsim/model/service_units.h"

namespace hwsim::model {

class CardModel::Impl {
 public:
  Impl(const Profile& profile, uint32_t queue_pairs, uint64_t seed, TimePoint start)
      : queue_pairs_(queue_pairs),
        units_(profile, queue_pairs, Random(seed).Fork(1)),
        host_(profile.moderation, queue_pairs, time_, start) {
    GHOSTCARD_CHECK(queue_pairs >= 1 && queue_pairs <= profile.queue_pairs_max,
                    "1 to queue_pairs_max queue pairs");
    const faults::FaultPlan& plan = profile.faults;
    if (plan.Has(faults::FaultSite::kArrival) || plan.Has(faults::FaultSite::kInterrupt)) {
      AddFaults(plan, seed, start);
    }
  }

  void Arrive(TimePoint now, ServiceUnits::Waiting request, uint32_t index) {
    MoveTo(now);
    GHOSTCARD_CHECK(index < queue_pairs_, "no such queue pair");
    request.arrival = arrivals_++;
    // A rule looks at the card as it is at `now`. Without rules nobody looks before Advance.
    if (faults_ != nullptr) Run(now);
    host_.Arrived(index);
    if (faults_ != nullptr && !faults_->Admit(now, request, index)) return;
    units_.Arrive(time_.FromWorld(now), request, index);
  }

  std::optional<TimePoint> NextEvent() const {
    const TimePoint next = host_.events().empty() ? NextInLoop() : now_;
    return next == kNever ? std::nullopt : std::optional(next);
  }

  void Advance(TimePoint now, std::vector<ModelEvent>& events) {
    MoveTo(now);
    Run(now);
    host_.TakeEvents(events);
  }

  size_t pending() const {
    return host_.on_card() + Untaken([](const ModelEvent&) { return true; });
  }
  size_t pending(uint32_t index) const {
    return host_.on_card(index) +
           Untaken([&](const ModelEvent& event) { return event.queue_pair == index; });
  }
  void SetInterrupts(bool on) { host_.SetInterrupts(on); }

  void Reset(TimePoint now, Duration time) {
    MoveTo(now);
    if (faults_ == nullptr) AddFaults(faults::FaultPlan{}, 0, now);
    Run(now);
    faults_->Reset(now, time);
  }
  ModelFaults* faults() const { return faults_.get(); }

 private:
  static constexpr TimePoint kNever = TimePoint::max();

  void AddFaults(const faults::FaultPlan& plan, uint64_t seed, TimePoint start) {
    faults_ = std::make_unique<ModelFaults>(plan, queue_pairs_, seed, start, time_, units_, host_);
  }

  void MoveTo(TimePoint now) {
    GHOSTCARD_CHECK(now >= now_, "the model's time does not run backwards");
    now_ = now;
  }

  // The event loop: everything up to and at `now` happens. Its outer part goes by the world's time,
  // in which the card as a whole changes; between two changes RunCard goes by the card's own time.
  void Run(TimePoint now) {
    for (;;) {
      const TimePoint change = faults_ == nullptr ? kNever : faults_->NextChange();
      RunCard(time_.FromWorld(std::min(now, change)));
      if (change > now) return;
      faults_->DoNextChange();
    }
  }

  // At one time, responses come before delayed actions, and those before moderation timers.
  void RunCard(TimePoint card) {
    if (faults_ != nullptr && faults_->halted()) return;
    // No response, action or timer makes a service start earlier: all starts can come first.
    units_.RunStarts(card);
    for (;;) {
      const TimePoint response = units_.NextResponse();
      const TimePoint timer = host_.NextTimer();
      const TimePoint action = faults_ == nullptr ? kNever : faults_->NextAction();
      if (std::min(std::min(response, timer), action) > card) return;
      if (action < response && action <= timer) {
        faults_->DoNextAction();
      } else if (response <= timer) {
        Deliver(units_.Pop());
      } else {
        host_.EndTimer();
      }
    }
  }

  void Deliver(const ServiceUnits::Response& response) {
    if (faults_ == nullptr) {
      host_.Complete(response, operations::CompletionStatus::kOk);
    } else {
      faults_->Deliver(response);
    }
  }

  // When Run has something to do next. May be early; kNever: not before another arrival.
  TimePoint NextInLoop() const {
    if (faults_ == nullptr) return std::min(units_.NextEvent(), host_.NextTimer());
    const TimePoint change = faults_->NextChange();
    if (faults_->halted()) return change;
    const TimePoint card = std::min({units_.NextEvent(), faults_->NextAction(), host_.NextTimer()});
    return card == kNever ? change : std::min(change, time_.ToWorld(card));
  }

  // Completions that Advance has not given yet and that `counts` lets through.
  template <typename Counts>
  size_t Untaken(Counts counts) const {
    return static_cast<size_t>(std::ranges::count_if(host_.events(), [&](const ModelEvent& event) {
      return event.kind == ModelEvent::Kind::kComplete && counts(event);
    }));
  }

  const uint32_t queue_pairs_;
  TimePoint now_{};  // the latest time that the driver gave
  uint64_t arrivals_ = 0;
  CardTime time_;
  ServiceUnits units_;
  HostInterface host_;
  std::unique_ptr<ModelFaults> faults_;  // nullptr: nothing can go wrong
};

CardModel::CardModel(const Profile& profile, uint32_t queue_pairs, uint64_t seed, TimePoint start)
    : impl_(std::make_unique<Impl>(profile, queue_pairs, seed, start)) {}
CardModel::~CardModel() = default;

void CardModel::Arrive(TimePoint now, RequestId request, uint32_t queue_pair,
                       operations::OperationKind operation, uint32_t size_bytes) {
  impl_->Arrive(now, {.request = request, .size_bytes = size_bytes, .operation = operation},
                queue_pair);
}

std::optional<TimePoint> CardModel::NextEvent() const { return impl_->NextEvent(); }
void CardModel::Advance(TimePoint now, std::vector<ModelEvent>& events) {
  impl_->Advance(now, events);
}
size_t CardModel::pending() const { return impl_->pending(); }
size_t CardModel::pending(uint32_t queue_pair) const { return impl_->pending(queue_pair); }
void CardModel::SetInterrupts(bool on) { impl_->SetInterrupts(on); }

void CardModel::Reset(TimePoint now, Duration time) { impl_->Reset(now, time); }
CardState CardModel::state() const {
  return impl_->faults() == nullptr ? CardState::kUp : impl_->faults()->state();
}
std::optional<TimePoint> CardModel::heartbeat_stopped() const {
  if (impl_->faults() == nullptr) return std::nullopt;
  const TimePoint since = impl_->faults()->heartbeat_stopped();
  return since == TimePoint::max() ? std::nullopt : std::optional(since);
}
bool CardModel::may_fail() const { return impl_->faults() != nullptr; }
void CardModel::TakeFaults(std::vector<ModelFault>& faults) {
  if (impl_->faults() != nullptr) impl_->faults()->TakeFaults(faults);
}

}  // namespace hwsim::model
