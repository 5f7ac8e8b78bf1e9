#include "hwsim/model/model_faults.h"

#include <algorithm>
#include <cmath>

#include "hwsim/rare.h"

namespace hwsim {

namespace {

Duration Times(Duration time, double factor) {
  // Cut where a draw of the latency model is.
  const double ns = static_cast<double>(time.count()) * factor;
  const auto most = static_cast<double>(Duration(std::chrono::hours(1)).count());
  return Duration(static_cast<int64_t>(std::min(ns, most)));
}

}  // namespace

ModelFaults::ModelFaults(const FaultPlan& plan, uint32_t queue_pairs, uint64_t seed,
                         TimePoint start, CardServer& server, Moderator& moderator)
    : server_(server),
      moderator_(moderator),
      arrivals_(plan, FaultSite::kArrival, Random(seed).Fork(2), start),
      interrupts_(plan, FaultSite::kInterrupt, Random(seed).Fork(3), start),
      queue_pairs_(queue_pairs),
      idle_since_(start) {
  server_.set_slowness(this);
  for (uint32_t index = 0; index < plan.rules.size(); ++index) {
    const FaultRule& rule = plan.rules[index];
    if (!FormOf(rule.kind).card_wide || !rule.at) continue;
    AtWorld(start + *rule.at, {.kind = Control::Kind::kFault, .fault = FaultOf(rule, index)});
  }
}

// --- time ---

void ModelFaults::Run(TimePoint now) {
  for (;;) {
    const TimePoint next = controls_.empty() ? kNever : controls_.begin()->first.first;
    RunCard(CardTime(std::min(now, next)));
    if (next > now) return;
    const Control control = controls_.begin()->second;
    controls_.erase(controls_.begin());
    Do(next, control);
  }
}

void ModelFaults::RunCard(TimePoint card) {
  if (frozen_since_ || state_ == CardState::kFatalError) return;
  server_.RunStarts(card);
  for (;;) {
    const TimePoint due = server_.NextDue();
    const TimePoint action = agenda_.empty() ? kNever : agenda_.begin()->first.first;
    const TimePoint timer = moderator_.Next();
    const TimePoint first = std::min({due, action, timer});
    if (first > card) return;
    if (due == first) {
      Deliver(server_.Pop());
    } else if (action == first) {
      const Action next = agenda_.begin()->second;
      agenda_.erase(agenda_.begin());
      Do(action, next);
    } else {
      const uint32_t queue_pair = moderator_.first();
      moderator_.Risen(queue_pair);
      Interrupt(queue_pair, timer);
    }
  }
}

TimePoint ModelFaults::NextEvent() const {
  const TimePoint control = controls_.empty() ? kNever : controls_.begin()->first.first;
  if (frozen_since_ || state_ == CardState::kFatalError) return control;
  const TimePoint action = agenda_.empty() ? kNever : agenda_.begin()->first.first;
  const TimePoint card = std::min({server_.NextEvent(), action, moderator_.Next()});
  return card == kNever ? control : std::min(control, WorldTime(card));
}

TimePoint ModelFaults::heartbeat_stopped() const {
  return std::min({frozen_since_.value_or(kNever), down_since_.value_or(kNever),
                   alarm_since_.value_or(kNever)});
}

Duration ModelFaults::ServiceTime(Duration usual, uint64_t arrival, TimePoint start) {
  if (start < throttled_until_) usual = Times(usual, throttle_factor_);
  const auto effect = effects_.find(arrival);
  if (effect == effects_.end()) return usual;
  if (effect->second.kind == FaultKind::kSlowInstance) return Times(usual, effect->second.factor);
  if (effect->second.kind == FaultKind::kWakeUp) return usual + effect->second.time;
  return usual;
}

// --- arrivals ---

void ModelFaults::Arrive(TimePoint now, CardServer::Waiting request, uint32_t queue_pair) {
  Run(now);
  const bool idle = on_card_ == 0;
  ++on_card_;
  const uint32_t in_flight = ++queue_pairs_[queue_pair].on_card;
  if (state_ == CardState::kUp && !frozen_since_ && !arrivals_.empty()) {
    const auto idle_for = idle ? std::optional(now - idle_since_) : std::nullopt;
    const std::optional<Fault> fault = arrivals_.At({.operation = request.operation,
                                                     .queue_pair = queue_pair,
                                                     .in_flight = in_flight,
                                                     .now = now,
                                                     .idle = idle_for});
    if (fault) {
      Log(now, *fault, request.request, queue_pair);
      Strike(now, *fault, request.arrival, queue_pair);
    }
  }
  if (state_ == CardState::kUp) {
    server_.Arrive(CardTime(now), request, queue_pair);
    return;
  }
  // Sent before the host could know.
  const Completion completion{.time = CardTime(now),
                              .rank = request.arrival,
                              .request = request.request,
                              .service_start = CardTime(now),
                              .queue_pair = queue_pair,
                              .operation = request.operation};
  if (state_ == CardState::kFatalError) {
    dropped_.push_back(completion);
  } else {
    Emit(completion, CompletionStatus::kCardReset);
  }
}

void ModelFaults::Log(TimePoint world, const Fault& fault, RequestId request, uint32_t queue_pair) {
  faults_.push_back({.fault = fault,
                     .queue_pair = queue_pair,
                     .request = request,
                     .at = world,
                     .before = events_.size()});
}

void ModelFaults::Strike(TimePoint world, const Fault& fault, uint64_t arrival,
                         uint32_t queue_pair) {
  if (FormOf(fault.kind).card_wide) {
    StrikeCard(world, fault);
  } else if (fault.kind == FaultKind::kInterruptSpurious) {
    Raise(queue_pair, CardTime(world), true);
  } else if (fault.kind == FaultKind::kResponseRingStalled) {
    const TimePoint end = CardTime(world) + fault.time;
    QueuePairFaults& state = queue_pairs_[queue_pair];
    if (end <= state.stalled_until) return;
    state.stalled_until = end;
    At(end, {.kind = Action::Kind::kEndStall, .queue_pair = queue_pair});
  } else {
    effects_.emplace(arrival, fault);
  }
}

void ModelFaults::StrikeCard(TimePoint world, const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::kThrottled:
      throttled_until_ = CardTime(world) + fault.time;
      throttle_factor_ = fault.factor;
      return;
    case FaultKind::kCardHang:
      frozen_since_ = world;
      freeze_episode_ = ++episodes_;
      if (fault.time == Duration::zero()) return;
      AtWorld(world + fault.time, {.kind = Control::Kind::kThaw, .episode = freeze_episode_});
      return;
    case FaultKind::kHeartbeatFalseAlarm:
      if (!alarm_since_) alarm_since_ = world;
      alarm_episode_ = ++episodes_;
      AtWorld(world + fault.time, {.kind = Control::Kind::kEndAlarm, .episode = alarm_episode_});
      return;
    case FaultKind::kCardReset:
      Reset(world, fault.time);
      return;
    case FaultKind::kCardLost:
      GoDown(world, CardState::kLost);
      AnswerAll(world);
      return;
    default:
      return;
  }
}

// --- responses ---

void ModelFaults::Deliver(const Completion& completion) {
  QueuePairFaults& queue_pair = queue_pairs_[completion.queue_pair];
  const auto effect = effects_.find(completion.rank);
  if (effect != effects_.end()) {
    const Fault& fault = effect->second;
    switch (fault.kind) {
      case FaultKind::kResponseDropped:
        dropped_.push_back(completion);
        return;
      case FaultKind::kResponseDelayed:
        At(completion.time + fault.time, {.kind = Action::Kind::kDeliver,
                                          .queue_pair = completion.queue_pair,
                                          .completion = completion});
        return;
      case FaultKind::kResponseReordered:
        queue_pair.held.push_back({.completion = completion, .left = fault.times});
        At(completion.time + fault.time, {.kind = Action::Kind::kRelease,
                                          .queue_pair = completion.queue_pair,
                                          .completion = completion});
        return;
      default:
        break;
    }
  }
  Arrive(completion);
}

void ModelFaults::Do(TimePoint card, const Action& action) {
  QueuePairFaults& queue_pair = queue_pairs_[action.queue_pair];
  Completion completion = action.completion;
  completion.time = card;
  switch (action.kind) {
    case Action::Kind::kDeliver:
      Arrive(completion);
      return;
    case Action::Kind::kRepeat:
      events_.push_back({.kind = ModelEvent::Kind::kRepeat,
                         .queue_pair = action.queue_pair,
                         .request = completion.request,
                         .at = WorldTime(card)});
      Signal(action.queue_pair, card);
      return;
    case Action::Kind::kRelease:
      // Unless enough others have passed before.
      if (std::erase_if(queue_pair.held, [&](const Held& held) {
            return held.completion.rank == completion.rank;
          }) != 0) {
        GHOSTCARD_RARE("a response was held until its time");
        Arrive(completion);
      }
      return;
    case Action::Kind::kEndStall:
      if (card < queue_pair.stalled_until) {  // struck again meanwhile
        GHOSTCARD_RARE("a stall was made longer");
        return;
      }
      for (Completion& stalled : std::exchange(queue_pair.stalled, {})) {
        stalled.time = card;
        Arrive(stalled);
      }
      return;
    case Action::Kind::kRaise:
      Raise(action.queue_pair, card, true);
      return;
  }
}

void ModelFaults::Arrive(const Completion& completion) {
  QueuePairFaults& queue_pair = queue_pairs_[completion.queue_pair];
  if (completion.time < queue_pair.stalled_until) {
    queue_pair.stalled.push_back(completion);
    return;
  }
  Emit(completion, CompletionStatus::kOk);
  std::vector<Completion> released;
  std::erase_if(queue_pair.held, [&](Held& held) {
    if (--held.left != 0) return false;
    released.push_back(held.completion);
    return true;
  });
  for (Completion& next : released) {
    GHOSTCARD_RARE("a response was overtaken");
    next.time = completion.time;
    Emit(next, CompletionStatus::kOk);
  }
}

void ModelFaults::Emit(const Completion& completion, CompletionStatus status) {
  QueuePairFaults& queue_pair = queue_pairs_[completion.queue_pair];
  --queue_pair.on_card;
  queue_pair.last_operation = completion.operation;
  if (--on_card_ == 0) idle_since_ = WorldTime(completion.time);
  const auto effect = effects_.find(completion.rank);
  if (effect != effects_.end()) {
    const Fault fault = effect->second;
    effects_.erase(effect);
    if (fault.kind == FaultKind::kCompletionError && status == CompletionStatus::kOk) {
      status = CompletionStatus::kDeviceError;
    }
    if (fault.kind == FaultKind::kResponseDuplicated && status == CompletionStatus::kOk) {
      for (uint32_t i = 1; i <= fault.times; ++i) {
        At(completion.time + i * fault.time, {.kind = Action::Kind::kRepeat,
                                              .queue_pair = completion.queue_pair,
                                              .completion = completion});
      }
    }
  }
  events_.push_back({.kind = ModelEvent::Kind::kComplete,
                     .status = status,
                     .queue_pair = completion.queue_pair,
                     .request = completion.request,
                     .service_start = WorldTime(completion.service_start),
                     .at = WorldTime(completion.time)});
  Signal(completion.queue_pair, completion.time);
}

// --- interrupts ---

void ModelFaults::Signal(uint32_t queue_pair, TimePoint card) {
  if (moderator_.Completed(queue_pair, card)) Interrupt(queue_pair, card);
}

void ModelFaults::Interrupt(uint32_t index, TimePoint card) {
  QueuePairFaults& queue_pair = queue_pairs_[index];
  if (card < queue_pair.coalesced_until) return;  // with the others, when that is over
  const std::optional<Fault> fault = interrupts_.empty()
                                         ? std::nullopt
                                         : interrupts_.At({.operation = queue_pair.last_operation,
                                                           .queue_pair = index,
                                                           .in_flight = queue_pair.on_card,
                                                           .now = WorldTime(card)});
  if (!fault) {
    Raise(index, card, false);
    return;
  }
  Log(WorldTime(card), *fault, kNoRequest, index);
  switch (fault->kind) {
    case FaultKind::kInterruptLost:
      return;
    case FaultKind::kInterruptCoalesced:
      queue_pair.coalesced_until = card + fault->time;
      [[fallthrough]];
    case FaultKind::kInterruptLate:
      At(card + fault->time, {.kind = Action::Kind::kRaise, .queue_pair = index});
      return;
    default:
      break;
  }
  Raise(index, card, false);
  for (uint32_t i = 1; i <= fault->times; ++i) {
    At(card + i * fault->time, {.kind = Action::Kind::kRaise, .queue_pair = index});
  }
}

void ModelFaults::Raise(uint32_t queue_pair, TimePoint card, bool for_nothing) {
  if (!moderator_.on()) return;
  events_.push_back({.kind = ModelEvent::Kind::kInterrupt,
                     .for_nothing = for_nothing,
                     .queue_pair = queue_pair,
                     .at = WorldTime(card)});
}

// --- the card as a whole ---

void ModelFaults::Do(TimePoint world, const Control& control) {
  switch (control.kind) {
    case Control::Kind::kFault:
      if (state_ != CardState::kUp || frozen_since_) return;
      Log(world, control.fault, kNoRequest, 0);
      StrikeCard(world, control.fault);
      return;
    case Control::Kind::kThaw:
      if (frozen_since_ && control.episode == freeze_episode_) Thaw(world);
      return;
    case Control::Kind::kEndAlarm:
      if (control.episode == alarm_episode_) alarm_since_.reset();
      return;
    case Control::Kind::kRestart:
      state_ = CardState::kRestarting;
      AnswerAll(world);
      return;
    case Control::Kind::kRestarted:
      down_since_.reset();
      state_ = CardState::kUp;
      return;
  }
}

void ModelFaults::Thaw(TimePoint world) {
  frozen_total_ += world - *frozen_since_;
  frozen_since_.reset();
}

void ModelFaults::GoDown(TimePoint world, CardState state) {
  if (frozen_since_) {
    GHOSTCARD_RARE("a hung card went down");
    Thaw(world);
  }
  alarm_since_.reset();
  throttled_until_ = {};
  down_since_ = world;
  state_ = state;
}

void ModelFaults::Reset(TimePoint now, Duration time) {
  if (state_ != CardState::kUp) return;
  GoDown(now, CardState::kFatalError);
  AtWorld(now + time / 2, {.kind = Control::Kind::kRestart});
  AtWorld(now + time, {.kind = Control::Kind::kRestarted});
}

void ModelFaults::AnswerAll(TimePoint world) {
  const TimePoint card = CardTime(world);
  std::vector<Completion> all = std::exchange(dropped_, {});
  server_.Clear([&](const Completion& completion) { all.push_back(completion); });
  for (QueuePairFaults& queue_pair : queue_pairs_) {
    all.insert(all.end(), queue_pair.stalled.begin(), queue_pair.stalled.end());
    for (const Held& held : queue_pair.held) all.push_back(held.completion);
    queue_pair.stalled.clear();
    queue_pair.held.clear();
    queue_pair.stalled_until = queue_pair.coalesced_until = {};
  }
  for (const auto& [moment, action] : agenda_) {
    if (action.kind != Action::Kind::kDeliver) continue;
    GHOSTCARD_RARE("a reset answered a delayed response");
    all.push_back(action.completion);
  }
  agenda_.clear();
  std::ranges::sort(all, {}, &Completion::rank);
  for (Completion& completion : all) {
    completion.time = card;
    completion.service_start = std::min(completion.service_start, card);
    Emit(completion, CompletionStatus::kCardReset);
  }
  effects_.clear();
  // Whatever moderation would wait for: the host is to know.
  for (uint32_t index = 0; index < queue_pairs_.size(); ++index) {
    if (!moderator_.HasUnsignalled(index)) continue;
    GHOSTCARD_RARE("a reset ended moderation");
    moderator_.Risen(index);
    Interrupt(index, card);
  }
}

}  // namespace hwsim
