#include "hwsim/model/model_faults.h"

#include <algorithm>
#include <utility>

#include "hwsim/base/coverage_mark.h"
#include "hwsim/base/random.h"

namespace hwsim::model {

ModelFaults::ModelFaults(const faults::FaultPlan& plan, uint32_t queue_pairs, uint64_t seed,
                         TimePoint start, CardTime& time, ServiceUnits& units, HostInterface& host)
    : units_(units),
      context_{.time = time, .host = host},
      arrivals_(plan, faults::FaultSite::kArrival, Random(seed).Fork(2), start),
      services_(context_),
      responses_(queue_pairs, context_),
      interrupts_(
          faults::FaultInjector(plan, faults::FaultSite::kInterrupt, Random(seed).Fork(3), start),
          queue_pairs, context_),
      queue_pairs_(queue_pairs) {
  units.set_slowness(&services_);
  host.set_filter(&interrupts_);
  for (uint32_t index = 0; index < plan.rules.size(); ++index) {
    const faults::FaultRule& rule = plan.rules[index];
    if (!faults::FormOf(rule.kind).card_wide || !rule.at) continue;
    changes_.Add(start + *rule.at,
                 {.kind = CardChange::Kind::kFault, .fault = faults::FaultOf(rule, index)});
  }
}

// --- requests ---

bool ModelFaults::Admit(TimePoint now, const ServiceUnits::Waiting& request, uint32_t queue_pair) {
  HostInterface& host = context_.host;
  if (state_ == CardState::kUp && !context_.time.frozen() && !arrivals_.empty()) {
    const bool found_card_idle = host.on_card() == 1;  // this request alone
    const std::optional<faults::Fault> fault = arrivals_.At(
        {.operation = request.operation,
         .queue_pair = queue_pair,
         .in_flight = host.on_card(queue_pair),
         .now = now,
         .idle = found_card_idle ? std::optional(now - host.idle_since()) : std::nullopt});
    if (fault) {
      context_.Log(now, *fault, request.request, queue_pair);
      Strike(now, *fault, request.arrival, queue_pair);
    }
  }
  if (state_ == CardState::kUp) return true;
  // The host submitted the request before it could know that the card is down.
  const TimePoint card = context_.time.FromWorld(now);
  const ServiceUnits::Response response{.time = card,
                                        .rank = request.arrival,
                                        .request = request.request,
                                        .service_start = card,
                                        .queue_pair = queue_pair,
                                        .operation = request.operation};
  if (state_ == CardState::kFatalError) {
    responses_.Drop(response);
  } else {
    responses_.Complete(response, operations::CompletionStatus::kCardReset);
  }
  return false;
}

void ModelFaults::Strike(TimePoint now, const faults::Fault& fault, uint64_t arrival,
                         uint32_t queue_pair) {
  if (faults::FormOf(fault.kind).card_wide) {
    StrikeCard(now, fault);
  } else if (fault.kind == faults::FaultKind::kInterruptSpurious) {
    context_.host.RaiseByFault(queue_pair, context_.time.FromWorld(now));
  } else if (fault.kind == faults::FaultKind::kResponseRingStalled) {
    responses_.Stall(queue_pair, context_.time.FromWorld(now) + fault.time);
  } else {
    context_.of_requests.emplace(arrival, fault);
  }
}

void ModelFaults::DoNextAction() {
  const TimePoint card = context_.actions.next();
  const DelayedAction action = context_.actions.Pop();
  if (action.kind == DelayedAction::Kind::kRaise) {
    context_.host.RaiseByFault(action.queue_pair, card);
  } else {
    responses_.Do(card, action);
  }
}

void ModelFaults::TakeFaults(std::vector<ModelFault>& faults) {
  faults.insert(faults.end(), context_.fired.begin(), context_.fired.end());
  context_.fired.clear();
}

// --- the card as a whole ---

TimePoint ModelFaults::heartbeat_stopped() const {
  return std::min({context_.time.frozen_since().value_or(kNever), down_since_.value_or(kNever),
                   alarm_since_.value_or(kNever)});
}

void ModelFaults::DoNextChange() {
  const TimePoint now = changes_.next();
  const CardChange change = changes_.Pop();
  switch (change.kind) {
    case CardChange::Kind::kFault:
      if (state_ != CardState::kUp || context_.time.frozen()) return;
      context_.Log(now, change.fault, kNoRequest, 0);
      StrikeCard(now, change.fault);
      return;
    case CardChange::Kind::kThaw:
      if (context_.time.frozen() && change.episode == hang_episode_) context_.time.Thaw(now);
      return;
    case CardChange::Kind::kEndAlarm:
      if (change.episode == alarm_episode_) alarm_since_.reset();
      return;
    case CardChange::Kind::kRestart:
      state_ = CardState::kRestarting;
      AnswerAll(now);
      return;
    case CardChange::Kind::kRestarted:
      down_since_.reset();
      state_ = CardState::kUp;
      return;
  }
}

void ModelFaults::StrikeCard(TimePoint now, const faults::Fault& fault) {
  switch (fault.kind) {
    case faults::FaultKind::kThrottled:
      services_.Throttle(context_.time.FromWorld(now) + fault.time, fault.factor);
      return;
    case faults::FaultKind::kCardHang:
      Hang(now, fault.time);
      return;
    case faults::FaultKind::kHeartbeatFalseAlarm:
      StopHeartbeat(now, fault.time);
      return;
    case faults::FaultKind::kCardReset:
      Reset(now, fault.time);
      return;
    case faults::FaultKind::kCardLost:
      GoDown(now, CardState::kLost);
      AnswerAll(now);
      return;
    default:
      return;
  }
}

void ModelFaults::Hang(TimePoint now, Duration time) {
  context_.time.Freeze(now);
  hang_episode_ = ++episodes_;
  if (time == Duration::zero()) return;  // until a reset
  changes_.Add(now + time, {.kind = CardChange::Kind::kThaw, .episode = hang_episode_});
}

void ModelFaults::StopHeartbeat(TimePoint now, Duration time) {
  if (!alarm_since_) alarm_since_ = now;
  alarm_episode_ = ++episodes_;
  changes_.Add(now + time, {.kind = CardChange::Kind::kEndAlarm, .episode = alarm_episode_});
}

void ModelFaults::Reset(TimePoint now, Duration time) {
  if (state_ != CardState::kUp) return;
  GoDown(now, CardState::kFatalError);
  changes_.Add(now + time / 2, {.kind = CardChange::Kind::kRestart});
  changes_.Add(now + time, {.kind = CardChange::Kind::kRestarted});
}

void ModelFaults::GoDown(TimePoint now, CardState state) {
  if (context_.time.frozen()) {
    GHOSTCARD_COVERAGE_MARK("a hung card went down");
    context_.time.Thaw(now);
  }
  alarm_since_.reset();
  services_.EndThrottle();
  down_since_ = now;
  state_ = state;
}

void ModelFaults::AnswerAll(TimePoint now) {
  const TimePoint card = context_.time.FromWorld(now);
  std::vector<ServiceUnits::Response> all = responses_.TakeAll();
  units_.Clear([&](const ServiceUnits::Response& response) { all.push_back(response); });
  for (const DelayedAction& action : context_.actions.TakeAll()) {
    if (action.kind != DelayedAction::Kind::kDeliver) continue;
    GHOSTCARD_COVERAGE_MARK("a reset answered a delayed response");
    all.push_back(action.response);
  }
  interrupts_.EndCoalescing();
  std::ranges::sort(all, {}, &ServiceUnits::Response::rank);
  for (ServiceUnits::Response& response : all) {
    response.time = card;
    response.service_start = std::min(response.service_start, card);
    responses_.Complete(response, operations::CompletionStatus::kCardReset);
  }
  context_.of_requests.clear();
  // The host hears of these completions now, not when moderation would end.
  for (uint32_t index = 0; index < queue_pairs_; ++index) {
    if (!context_.host.HasUnsignalled(index)) continue;
    GHOSTCARD_COVERAGE_MARK("a reset ended moderation");
    context_.host.EndModeration(index, card);
  }
}

}  // namespace hwsim::model
