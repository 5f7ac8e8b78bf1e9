// The part of the card's core that runs only where something may go wrong.
#include <algorithm>

#include "hwsim/card_core.h"
#include "hwsim/check.h"
#include "hwsim/rare.h"

namespace hwsim {

namespace {

// Flips so many bits, drawn from `seed`, none of them twice.
void FlipBits(std::span<std::byte> bytes, uint32_t count, uint64_t seed) {
  if (bytes.empty()) return;
  Random random(seed);
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  const uint64_t first = random.Next() % bits;
  // Evenly apart from the first, or next to each other where there are many.
  const uint64_t flips = std::min<uint64_t>(count, bits);
  const uint64_t apart = std::max<uint64_t>(1, bits / flips);
  for (uint64_t i = 0; i < flips; ++i) {
    const uint64_t bit = (first + i * apart) % bits;
    bytes[bit / 8] ^= std::byte{1} << static_cast<int>(bit % 8);
  }
}

}  // namespace

void CardCore::Reset(TimePoint now) {
  model_.Reset(now, health_.reset);
  may_fail_ = true;
  TakeFaults(0);
  PublishState();
}

void CardCore::TakeFaults(size_t index) {
  model_.TakeFaults(faults_);
  auto next = faults_.begin();
  for (; next != faults_.end() && next->before <= index; ++next) OnFault(*next);
  faults_.erase(faults_.begin(), next);
}

void CardCore::OnFault(const ModelFault& fired) {
  faults_fired_.Add(1);
  const Fault& fault = fired.fault;
  FaultEvent event{
      .kind = fault.kind, .rule = fault.rule, .at = fired.at, .queue_pair = fired.queue_pair};
  if (fired.request != kNoRequest) {
    auto* const request = reinterpret_cast<Request*>(fired.request);
    event.request = request->number;
    event.operation = request->kind;
    const bool damages =
        fault.kind == FaultKind::kWrongResult || fault.kind == FaultKind::kVerdictInverted;
    if (damages) to_damage_.emplace(request, fault);
  } else if (SiteOf(fault.kind) == FaultSite::kInterrupt) {
    Outbox& outbox = outboxes_[fired.queue_pair];
    event.request = outbox.last_completed;
    event.operation = outbox.last_operation;
    outbox.muted = fault.kind != FaultKind::kInterruptDuplicated;
  }
  fault_log_.Append(event);
}

void CardCore::Damage(Request& request) {
  const auto found = to_damage_.find(&request);
  if (found == to_damage_.end()) return;
  const Fault fault = found->second;
  to_damage_.erase(found);
  const bool good = request.status == CompletionStatus::kPending;
  if (fault.kind == FaultKind::kWrongResult) {
    if (good) FlipBits(request.output, fault.times, fault.draw);
  } else if (good) {
    request.status = CompletionStatus::kOperationFailed;
  } else if (request.status == CompletionStatus::kOperationFailed) {
    request.status = CompletionStatus::kOk;
  }
}

void CardCore::OnRepeat(const ModelEvent& event) {
  Outbox& outbox = outboxes_[event.queue_pair];
  // The ring has room for so many; a card has no more memory for them either.
  const uint64_t taken = queue_pairs_[event.queue_pair]->repeats_taken();
  if (outbox.repeats - taken >= repeats_max_) {
    GHOSTCARD_RARE("no room for a response once more");
    return;
  }
  ++outbox.repeats;
  Dirty(event.queue_pair).completions.push_back(Descriptor::Repeat(event.request));
  outbox.unsignalled = true;
}

bool CardCore::FinishReset(TimePoint now) {
  bool posted = false;
  for (; !reset_.empty() && reset_.front().first->parts_open == 0; reset_.pop_front()) {
    const auto [request, queue_pair] = reset_.front();
    to_damage_.erase(request);
    if (Finish(now, *request, queue_pair)) posted = true;
  }
  return posted;
}

void CardCore::PublishState() {
  const int64_t stopped =
      model_.heartbeat_stopped().value_or(TimePoint::max()).time_since_epoch().count();
  heartbeat_stopped_ns_.store(stopped, std::memory_order_relaxed);
  const CardState state = model_.state();
  if (state == state_.load(std::memory_order_relaxed)) return;
  using enum QueuePair::Admission;
  const auto admission =
      state == CardState::kUp ? kOpen : (state == CardState::kLost ? kClosedForGood : kClosed);
  for (const auto& queue_pair : queue_pairs_) queue_pair->SetAdmission(admission);
  state_.store(state, std::memory_order_release);
}

uint64_t CardCore::Heartbeat(TimePoint now) const {
  const TimePoint stopped(Duration(heartbeat_stopped_ns_.load(std::memory_order_relaxed)));
  const TimePoint alive = std::max(start_, std::min(now, stopped));
  return static_cast<uint64_t>((alive - start_) / health_.heartbeat);
}

Expected<uint32_t> OpenableQueuePairs(const CardCore::Plan& plan, uint32_t queue_pairs) {
  constexpr uint64_t kOpenStream = uint64_t{1} << 33;
  FaultInjector faults(plan.profile.faults, FaultSite::kOpen, Random(plan.seed).Fork(kOpenStream),
                       plan.start);
  if (faults.empty()) return queue_pairs;
  uint32_t open = 0;
  for (uint32_t index = 0; index < queue_pairs; ++index) {
    const std::optional<Fault> fault =
        faults.At({.queue_pair = index, .in_flight = open, .now = plan.start});
    if (!fault) {
      ++open;
      continue;
    }
    plan.fault_log.Append(
        {.kind = fault->kind, .rule = fault->rule, .at = plan.start, .queue_pair = index});
  }
  if (open == 0) {
    return Unexpected("queue_pairs: the card has no instance left for any of the " +
                      std::to_string(queue_pairs) + " asked for (fault instances_exhausted)");
  }
  return open;
}

QueuePair::Options QueuePairOptions(const CardCore::Plan& plan, uint32_t index, uint32_t depth,
                                    const Clock& clock) {
  // Streams far from the ones that the model numbers its own with.
  constexpr uint64_t kSubmitStream = uint64_t{1} << 32;
  constexpr uint64_t kListStream = uint64_t{1} << 34;
  const FaultPlan& faults = plan.profile.faults;
  return {.index = index,
          .depth = depth,
          .submit_faults = FaultInjector(faults, FaultSite::kSubmit,
                                         Random(plan.seed).Fork(kSubmitStream + index), plan.start),
          .list_faults = FaultInjector(faults, FaultSite::kList,
                                       Random(plan.seed).Fork(kListStream + index), plan.start),
          .repeats = faults.Has(FaultKind::kResponseDuplicated),
          .fault_log = &plan.fault_log,
          .clock = &clock};
}

FaultInjector PlanAt(const CardCore::Plan& plan, FaultSite site) {
  constexpr uint64_t kSiteStreams = uint64_t{1} << 35;
  return FaultInjector(plan.profile.faults, site,
                       Random(plan.seed).Fork(kSiteStreams + static_cast<uint64_t>(site)),
                       plan.start);
}

uint32_t CompletionRingDepth(const Profile& profile, uint32_t depth) {
  return profile.faults.Has(FaultKind::kResponseDuplicated) ? 2 * depth : depth;
}

}  // namespace hwsim
