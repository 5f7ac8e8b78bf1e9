#include "hwsim/card_core.h"

#include <string>
#include <utility>

namespace hwsim {

CardCore::CardCore(const Plan& plan, std::span<const std::unique_ptr<QueuePair>> queue_pairs,
                   Work work, StartWork start_work)
    : model_(plan.profile, static_cast<uint32_t>(queue_pairs.size()), plan.seed, plan.start),
      may_fail_(model_.may_fail()),
      start_(plan.start),
      health_(plan.profile.health),
      repeats_max_(queue_pairs.empty() ? 0 : queue_pairs.front()->depth()),
      fault_log_(plan.fault_log),
      queue_pairs_(queue_pairs),
      work_(work),
      start_work_(std::move(start_work)),
      outboxes_(queue_pairs.size()) {}

void CardCore::Arrive(TimePoint now, std::span<const Arrival> arrivals) {
  for (const Arrival& arrival : arrivals) {
    Request* request = arrival.descriptor.request();
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

void CardCore::ArriveOne(TimePoint now, Request& request, uint32_t queue_pair) {
  request.arrived = now;
  const bool work_elsewhere = work_ == Work::kElsewhere && request.execute != nullptr;
  request.parts_open = work_elsewhere ? 2 : 1;
  model_.Arrive(now, reinterpret_cast<RequestId>(&request), queue_pair, request.kind,
                request.size_bytes);
  if (work_elsewhere) start_work_(request, queue_pair);
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
    const ModelEvent& event = events_[i];
    if (may_fail_) TakeFaults(i);
    switch (event.kind) {
      case ModelEvent::Kind::kComplete:
        OnModelComplete(now, event);
        break;
      case ModelEvent::Kind::kRepeat:
        OnRepeat(event);
        break;
      case ModelEvent::Kind::kInterrupt:
        OnModelInterrupt(event);
        break;
    }
  }
  if (!may_fail_) return;
  TakeFaults(events_.size());
  PublishState();
}

void CardCore::OnModelComplete(TimePoint now, const ModelEvent& event) {
  Request& request = *reinterpret_cast<Request*>(event.request);
  request.service_start = event.service_start;
  request.due = event.at;
  if (event.status == CompletionStatus::kCardReset) {
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
  if (event.status != CompletionStatus::kOk) {
    request.status = event.status;
  } else if (work_ == Work::kOnCompletion && request.execute != nullptr &&
             !request.execute(request)) {
    request.status = CompletionStatus::kOperationFailed;
  }
  PartOver(now, request, event.queue_pair);
}

void CardCore::WorkDone(TimePoint now, Request& request, uint32_t queue_pair, bool ok) {
  // A fault of the card outweighs a failure of the work.
  if (!ok && request.status == CompletionStatus::kPending) {
    request.status = CompletionStatus::kOperationFailed;
  }
  bool posted = false;
  if (request.status == CompletionStatus::kCardReset) {
    --request.parts_open;
    posted = FinishReset(now);
  } else {
    posted = PartOver(now, request, queue_pair);
  }
  // The model has raised its interrupt already, for nothing as yet; so this one is ours.
  if (posted && model_interrupts_ && !outboxes_[queue_pair].muted) OnInterrupt(queue_pair);
}

bool CardCore::PartOver(TimePoint now, Request& request, uint32_t queue_pair) {
  return --request.parts_open == 0 && Finish(now, request, queue_pair);
}

bool CardCore::Finish(TimePoint now, Request& request, uint32_t queue_pair) {
  if (!to_damage_.empty()) Damage(request);
  if (request.status == CompletionStatus::kPending) request.status = CompletionStatus::kOk;
  request.completed = now;
  const auto lateness = static_cast<uint64_t>((now - request.due).count());
  completed_.Add(1);
  lateness_total_ns_.Add(lateness);
  lateness_max_ns_.RaiseTo(lateness);

  // A member of a batch is handed back with the batch, so both stay the card's even
  // when the member can be seen to be done.
  Request* const first = request.first_in_batch;
  // Release: the fields above, and the result, stand for whoever sees this.
  request.done.store(true, std::memory_order_release);
  if (first != nullptr && --first->batch_open != 0) return false;
  Outbox& outbox = Dirty(queue_pair);
  outbox.completions.push_back(first != nullptr ? Descriptor::Batch(*first)
                                                : Descriptor::One(request));
  outbox.unsignalled = true;
  return true;
}

void CardCore::OnModelInterrupt(const ModelEvent& event) {
  Outbox& outbox = outboxes_[event.queue_pair];
  outbox.muted = false;
  if (event.for_nothing) outbox.unsignalled = true;
  OnInterrupt(event.queue_pair);
}

void CardCore::OnInterrupt(uint32_t queue_pair) {
  // The model counts the members of a batch; the line is for what can be popped.
  if (!outboxes_[queue_pair].unsignalled) return;
  Outbox& outbox = Dirty(queue_pair);
  outbox.unsignalled = false;
  outbox.raise = true;
  interrupts_.Add(1);
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
    Channel& channel = queue_pairs_[index]->channel();
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

Card::Stats CardCore::stats() const {
  Card::Stats stats;
  stats.completed = completed_.value();
  stats.interrupts = interrupts_.value();
  stats.faults_fired = faults_fired_.value();
  stats.lateness_total = Duration(lateness_total_ns_.value());
  stats.lateness_max = Duration(lateness_max_ns_.value());
  return stats;
}

Expected<void> CheckCardOptions(const Profile& profile, uint32_t queue_pairs, uint32_t* depth) {
  if (auto valid = profile.Validate(); !valid) return valid;
  if (queue_pairs < 1 || queue_pairs > profile.queue_pairs_max) {
    return Unexpected("queue_pairs: " + std::to_string(queue_pairs) + "; 1 to " +
                      std::to_string(profile.queue_pairs_max) + " with profile " + profile.name);
  }
  if (*depth == 0) *depth = profile.depth;
  constexpr uint32_t kDepthMax = 32768;
  if (*depth > kDepthMax) {
    return Unexpected("depth: " + std::to_string(*depth) + "; 1 to " + std::to_string(kDepthMax));
  }
  return {};
}

}  // namespace hwsim
