#include "hwsim/model/card_model.h"

#include <algorithm>

#include "hwsim/check.h"
#include "hwsim/model/card_server.h"
#include "hwsim/model/model_faults.h"
#include "hwsim/model/moderator.h"

namespace hwsim {

class CardModel::Impl {
 public:
  static constexpr TimePoint kNever = TimePoint::max();

  Impl(const Profile& profile, uint32_t queue_pairs, uint64_t seed, TimePoint start)
      : queue_pairs_(queue_pairs),
        server_(profile, queue_pairs, Random(seed).Fork(1)),
        moderator_(profile.moderation, queue_pairs) {
    GHOSTCARD_CHECK(queue_pairs >= 1 && queue_pairs <= profile.queue_pairs_max,
                    "1 to queue_pairs_max queue pairs");
    const FaultPlan& plan = profile.faults;
    if (plan.Has(FaultSite::kArrival) || plan.Has(FaultSite::kInterrupt)) {
      faults_ = std::make_unique<ModelFaults>(plan, queue_pairs, seed, start, server_, moderator_);
    }
  }

  void Arrive(TimePoint now, CardServer::Waiting request, uint32_t index) {
    MoveTo(now);
    GHOSTCARD_CHECK(index < queue_pairs_, "no such queue pair");
    ++pending_;
    request.arrival = arrivals_++;
    if (faults_ != nullptr) {
      faults_->Arrive(now, request, index);
    } else {
      server_.Arrive(now, request, index);
    }
  }

  std::optional<TimePoint> NextEvent() const {
    TimePoint next;
    if (faults_ != nullptr) {
      next = faults_->events().empty() ? faults_->NextEvent() : now_;
    } else {
      next = std::min(server_.NextEvent(), moderator_.Next());
    }
    return next == kNever ? std::nullopt : std::optional(next);
  }

  void Advance(TimePoint now, std::vector<ModelEvent>& events) {
    MoveTo(now);
    if (faults_ != nullptr) {
      AdvanceWithFaults(now, events);
      return;
    }
    // Completing changes nothing for those who wait: all starts can come first.
    server_.RunStarts(now);
    for (;;) {
      const TimePoint due = server_.NextDue();
      const TimePoint timer = moderator_.Next();
      if (std::min(due, timer) > now) return;
      if (due <= timer) {
        Complete(server_.Pop(), events);
      } else {
        const uint32_t queue_pair = moderator_.first();
        moderator_.Risen(queue_pair);
        Interrupt(queue_pair, timer, events);
      }
    }
  }

  size_t pending() const { return pending_; }
  void SetInterrupts(bool on) { moderator_.SetOn(on); }

  void Reset(TimePoint now, Duration time) {
    MoveTo(now);
    if (faults_ == nullptr) {
      faults_ =
          std::make_unique<ModelFaults>(FaultPlan{}, queue_pairs_, 0, now, server_, moderator_);
      faults_->TakeOver(pending_);
    }
    faults_->Run(now);
    faults_->Reset(now, time);
  }
  const ModelFaults* faults() const { return faults_.get(); }
  void TakeFaults(std::vector<ModelFault>& out) {
    if (faults_ == nullptr) return;
    std::vector<ModelFault>& faults = faults_->faults();
    out.insert(out.end(), faults.begin(), faults.end());
    faults.clear();
  }

 private:
  void MoveTo(TimePoint now) {
    GHOSTCARD_CHECK(now >= now_, "the model's time does not run backwards");
    now_ = now;
  }

  void AdvanceWithFaults(TimePoint now, std::vector<ModelEvent>& events) {
    faults_->Run(now);
    for (const ModelEvent& event : faults_->events()) {
      if (event.kind == ModelEvent::Kind::kComplete) --pending_;
      events.push_back(event);
    }
    faults_->events().clear();
  }

  void Complete(const CardServer::Completion& completion, std::vector<ModelEvent>& events) {
    --pending_;
    events.push_back({.kind = ModelEvent::Kind::kComplete,
                      .queue_pair = completion.queue_pair,
                      .request = completion.request,
                      .service_start = completion.service_start,
                      .at = completion.time});
    if (moderator_.Completed(completion.queue_pair, completion.time)) {
      Interrupt(completion.queue_pair, completion.time, events);
    }
  }

  static void Interrupt(uint32_t index, TimePoint at, std::vector<ModelEvent>& events) {
    events.push_back({.kind = ModelEvent::Kind::kInterrupt, .queue_pair = index, .at = at});
  }

  const uint32_t queue_pairs_;
  TimePoint now_{};
  size_t pending_ = 0;
  uint64_t arrivals_ = 0;
  CardServer server_;
  Moderator moderator_;
  std::unique_ptr<ModelFaults> faults_;  // null: nothing goes wrong
};

CardModel::CardModel(const Profile& profile, uint32_t queue_pairs, uint64_t seed, TimePoint start)
    : impl_(std::make_unique<Impl>(profile, queue_pairs, seed, start)) {}
CardModel::~CardModel() = default;

void CardModel::Arrive(TimePoint now, RequestId request, uint32_t queue_pair,
                       OperationKind operation, uint32_t size_bytes) {
  impl_->Arrive(now, {.request = request, .size_bytes = size_bytes, .operation = operation},
                queue_pair);
}

std::optional<TimePoint> CardModel::NextEvent() const { return impl_->NextEvent(); }
void CardModel::Advance(TimePoint now, std::vector<ModelEvent>& events) {
  impl_->Advance(now, events);
}
size_t CardModel::pending() const { return impl_->pending(); }
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
void CardModel::TakeFaults(std::vector<ModelFault>& faults) { impl_->TakeFaults(faults); }

}  // namespace hwsim
