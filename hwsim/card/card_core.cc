#include "hwsim/card/card_core.h"

#include <algorithm>
#include <utility>

#include "hwsim/base/coverage_mark.h"

namespace hwsim::card {

CardCore::CardCore(const CardSetup& setup,
                   std::span<const std::unique_ptr<rings::QueuePair>> queue_pairs, Work work,
                   StartWork start_work)
    : setup_(setup),
      model_(setup.profile, static_cast<uint32_t>(queue_pairs.size()), setup.seed, setup.start),
      may_fail_(model_.may_fail()),
      repeats_max_(queue_pairs.empty() ? 0 : queue_pairs.front()->depth()),
      queue_pairs_(queue_pairs),
      work_(work),
      start_work_(std::move(start_work)),
      outboxes_(queue_pairs.size()) {}

void CardCore::Arrive(TimePoint now, std::span<const rings::Arrival> arrivals) {
  for (const rings::Arrival& arrival : arrivals) {
    operations::Request* request = arrival.descriptor.request();
    if (!arrival.descriptor.is_batch()) {
      ArriveOne(now, *request, arrival.queue_pair);
      continue;
    }
    for (; request != nullptr; request = request->next_in_batch) {
      ArriveOne(now, *request, arrival.queue_pair);
    }
  }
  if (!may_fail_) return;
  TakeFaults(0);
  PublishState();
}

void CardCore::ArriveOne(TimePoint now, operations::Request& request, uint32_t queue_pair) {
  request.arrived = now;
  const bool starts_work = work_ == Work::kFromArrival && request.execute != nullptr;
  request.parts_open = starts_work ? 2 : 1;
  model_.Arrive(now, reinterpret_cast<model::RequestId>(&request), queue_pair, request.kind,
                request.size_bytes);
  if (starts_work) start_work_(request, queue_pair);
}

void CardCore::Advance(TimePoint now) {
  const bool interrupts = interrupts_on_.load(std::memory_order_relaxed);
  if (interrupts != model_interrupts_) {
    model_interrupts_ = interrupts;
    model_.SetInterrupts(interrupts);
  }
  events_.clear();
  model_.Advance(now, events_);
  for (size_t i = 0; i < events_.size(); ++i) {
    const model::ModelEvent& event = events_[i];
    if (may_fail_) TakeFaults(i);
    switch (event.kind) {
      case model::ModelEvent::Kind::kComplete:
        OnModelComplete(now, event);
        break;
      case model::ModelEvent::Kind::kRepeat:
        OnModelRepeat(event);
        break;
      case model::ModelEvent::Kind::kInterrupt:
        OnModelInterrupt(event);
        break;
    }
  }
  if (!may_fail_) return;
  TakeFaults(events_.size());
  PublishState();
}

void CardCore::OnModelComplete(TimePoint now, const model::ModelEvent& event) {
  operations::Request& request = *reinterpret_cast<operations::Request*>(event.request);
  request.service_start = event.service_start;
  request.due = event.at;
  if (event.status == operations::CompletionStatus::kCardReset) {
    request.status = event.status;
    --request.parts_open;
    reset_.emplace_back(&request, event.queue_pair);
    FinishReset(now);
    return;
  }
  if (may_fail_) {
    outboxes_[event.queue_pair].last_completed = request.number;
    outboxes_[event.queue_pair].last_operation = request.kind;
  }
  if (event.status != operations::CompletionStatus::kOk) {
    request.status = event.status;
  } else if (work_ == Work::kOnCompletion && request.execute != nullptr &&
             !request.execute(request)) {
    request.status = operations::CompletionStatus::kOperationFailed;
  }
  EndPart(now, request, event.queue_pair);
}

void CardCore::WorkDone(TimePoint now, operations::Request& request, uint32_t queue_pair, bool ok) {
  // A device error replaces a failure of the work.
  if (!ok && request.status == operations::CompletionStatus::kPending) {
    request.status = operations::CompletionStatus::kOperationFailed;
  }
  bool posted = false;
  if (request.status == operations::CompletionStatus::kCardReset) {
    --request.parts_open;
    posted = FinishReset(now);
  } else {
    posted = EndPart(now, request, queue_pair);
  }
  // The model's interrupt came before the work was done and announced nothing: raise another.
  if (posted && model_interrupts_ && !outboxes_[queue_pair].muted) RaiseInterrupt(queue_pair);
}

bool CardCore::EndPart(TimePoint now, operations::Request& request, uint32_t queue_pair) {
  return --request.parts_open == 0 && Finish(now, request, queue_pair);
}

bool CardCore::Finish(TimePoint now, operations::Request& request, uint32_t queue_pair) {
  if (!damage_.empty()) damage_.Apply(request);
  if (request.status == operations::CompletionStatus::kPending)
    request.status = operations::CompletionStatus::kOk;
  request.completed = now;
  const auto lateness = static_cast<uint64_t>((now - request.due).count());
  completed_.Add(1);
  lateness_total_ns_.Add(lateness);
  lateness_max_ns_.RaiseTo(lateness);

  // The card owns all members of a batch until the batch is handed back, so `first` stays valid
  // after the member's record says that it is done.
  operations::Request* const first = request.first_in_batch;
  // Release: a thread that sees `done` also sees the result and the fields above.
  request.done.store(true, std::memory_order_release);
  if (first != nullptr && --first->batch_open != 0) return false;
  Outbox& outbox = Dirty(queue_pair);
  outbox.completions.push_back(first != nullptr ? rings::Descriptor::Batch(*first)
                                                : rings::Descriptor::One(request));
  outbox.unsignalled = true;
  return true;
}

void CardCore::OnModelRepeat(const model::ModelEvent& event) {
  Outbox& outbox = outboxes_[event.queue_pair];
  // The completion ring has room for repeats_max_ of them.
  const uint64_t taken = queue_pairs_[event.queue_pair]->repeats_taken();
  if (outbox.repeats - taken >= repeats_max_) {
    GHOSTCARD_COVERAGE_MARK("no room for a response once more");
    return;
  }
  ++outbox.repeats;
  Dirty(event.queue_pair).completions.push_back(rings::Descriptor::Repeat(event.request));
  outbox.unsignalled = true;
}

void CardCore::OnModelInterrupt(const model::ModelEvent& event) {
  Outbox& outbox = outboxes_[event.queue_pair];
  outbox.muted = false;
  if (event.for_nothing) outbox.unsignalled = true;
  RaiseInterrupt(event.queue_pair);
}

void CardCore::RaiseInterrupt(uint32_t queue_pair) {
  // The model counts members of a batch; the line announces only what can be popped.
  if (!outboxes_[queue_pair].unsignalled) return;
  Outbox& outbox = Dirty(queue_pair);
  outbox.unsignalled = false;
  outbox.raise = true;
  interrupts_.Add(1);
}

void CardCore::Reset(TimePoint now) {
  model_.Reset(now, setup_.profile.health.reset);
  may_fail_ = true;
  TakeFaults(0);
  PublishState();
}

bool CardCore::FinishReset(TimePoint now) {
  bool posted = false;
  for (; !reset_.empty() && reset_.front().first->parts_open == 0; reset_.pop_front()) {
    const auto [request, queue_pair] = reset_.front();
    damage_.Forget(*request);
    if (Finish(now, *request, queue_pair)) posted = true;
  }
  return posted;
}

void CardCore::TakeFaults(size_t index) {
  model_.TakeFaults(faults_);
  auto next = faults_.begin();
  for (; next != faults_.end() && next->before <= index; ++next) OnFault(*next);
  faults_.erase(faults_.begin(), next);
}

void CardCore::OnFault(const model::ModelFault& fired) {
  faults_fired_.Add(1);
  const faults::Fault& fault = fired.fault;
  faults::FaultEvent event{
      .kind = fault.kind, .rule = fault.rule, .at = fired.at, .queue_pair = fired.queue_pair};
  if (fired.request != model::kNoRequest) {
    auto* const request = reinterpret_cast<operations::Request*>(fired.request);
    event.request = request->number;
    event.operation = request->kind;
    if (ResultDamage::Damages(fault.kind)) damage_.Add(*request, fault);
  } else if (faults::SiteOf(fault.kind) == faults::FaultSite::kInterrupt) {
    Outbox& outbox = outboxes_[fired.queue_pair];
    event.request = outbox.last_completed;
    event.operation = outbox.last_operation;
    outbox.muted = fault.kind != faults::FaultKind::kInterruptDuplicated;
  }
  setup_.fault_log.Append(event);
}

CardCore::Outbox& CardCore::Dirty(uint32_t queue_pair) {
  Outbox& outbox = outboxes_[queue_pair];
  if (!std::exchange(outbox.listed, true)) dirty_.push_back(queue_pair);
  return outbox;
}

void CardCore::Flush() {
  for (const uint32_t index : dirty_) {
    Outbox& outbox = outboxes_[index];
    outbox.listed = false;
    rings::Channel& channel = queue_pairs_[index]->channel();
    const bool raise = std::exchange(outbox.raise, false);
    if (!outbox.completions.empty()) {
      channel.Complete(outbox.completions, raise);
      outbox.completions.clear();
    } else if (raise) {
      channel.Raise();
    }
  }
  dirty_.clear();
}

void CardCore::PublishState() {
  const int64_t stopped =
      model_.heartbeat_stopped().value_or(TimePoint::max()).time_since_epoch().count();
  heartbeat_stopped_ns_.store(stopped, std::memory_order_relaxed);
  const model::CardState state = model_.state();
  if (state == state_.load(std::memory_order_relaxed)) return;
  using enum rings::QueuePair::Admission;
  const auto admission = state == model::CardState::kUp
                             ? kOpen
                             : (state == model::CardState::kLost ? kClosedForGood : kClosed);
  for (const auto& queue_pair : queue_pairs_) queue_pair->SetAdmission(admission);
  state_.store(state, std::memory_order_release);
}

uint64_t CardCore::Heartbeat(TimePoint now) const {
  const TimePoint stopped(Duration(heartbeat_stopped_ns_.load(std::memory_order_relaxed)));
  const TimePoint alive = std::max(setup_.start, std::min(now, stopped));
  return static_cast<uint64_t>((alive - setup_.start) / setup_.profile.health.heartbeat);
}

Card::Stats CardCore::stats() const {
  Card::Stats stats;
  stats.completed = completed_.value();
  stats.interrupts = interrupts_.value();
  stats.faults_fired = faults_fired_.value();
  stats.lateness_total = Duration(lateness_total_ns_.value());
  stats.lateness_max = Duration(lateness_max_ns_.value());
  return stats;
}

}  // namespace hwsim::card
