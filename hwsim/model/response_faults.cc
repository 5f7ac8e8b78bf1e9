#include "hwsim/model/response_faults.h"

#include <utility>

#include "hwsim/base/coverage_mark.h"

namespace hwsim::model {

void ResponseFaults::Deliver(const Response& response) {
  const auto found = context_.of_requests.find(response.rank);
  if (found == context_.of_requests.end()) {
    DeliverToHost(response);
    return;
  }
  const faults::Fault& fault = found->second;
  switch (fault.kind) {
    case faults::FaultKind::kResponseDropped:
      Drop(response);
      return;
    case faults::FaultKind::kResponseDelayed:
      PutOff(response.time + fault.time, DelayedAction::Kind::kDeliver, response);
      return;
    case faults::FaultKind::kResponseReordered:
      queue_pairs_[response.queue_pair].held.push_back({.response = response, .left = fault.times});
      PutOff(response.time + fault.time, DelayedAction::Kind::kRelease, response);
      return;
    default:
      DeliverToHost(response);
  }
}

void ResponseFaults::DeliverToHost(const Response& response) {
  QueuePairState& queue_pair = queue_pairs_[response.queue_pair];
  if (response.time < queue_pair.stalled_until) {
    queue_pair.stalled.push_back(response);
    return;
  }
  Complete(response, operations::CompletionStatus::kOk);
  std::vector<Response> released;
  std::erase_if(queue_pair.held, [&](Held& held) {
    if (--held.left != 0) return false;
    released.push_back(held.response);
    return true;
  });
  for (Response& next : released) {
    GHOSTCARD_COVERAGE_MARK("a response was overtaken");
    next.time = response.time;
    Complete(next, operations::CompletionStatus::kOk);
  }
}

void ResponseFaults::Complete(const Response& response, operations::CompletionStatus status) {
  const auto found = context_.of_requests.find(response.rank);
  if (found != context_.of_requests.end()) {
    const faults::Fault fault = found->second;
    context_.of_requests.erase(found);
    if (fault.kind == faults::FaultKind::kCompletionError &&
        status == operations::CompletionStatus::kOk) {
      status = operations::CompletionStatus::kDeviceError;
    }
    if (fault.kind == faults::FaultKind::kResponseDuplicated &&
        status == operations::CompletionStatus::kOk) {
      for (uint32_t i = 1; i <= fault.times; ++i) {
        PutOff(response.time + i * fault.time, DelayedAction::Kind::kRepeat, response);
      }
    }
  }
  context_.host.Complete(response, status);
}

void ResponseFaults::Stall(uint32_t index, TimePoint until) {
  QueuePairState& queue_pair = queue_pairs_[index];
  if (until <= queue_pair.stalled_until) return;
  queue_pair.stalled_until = until;
  context_.actions.Add(until, {.kind = DelayedAction::Kind::kEndStall, .queue_pair = index});
}

void ResponseFaults::Do(TimePoint card, const DelayedAction& action) {
  Response response = action.response;
  response.time = card;
  switch (action.kind) {
    case DelayedAction::Kind::kDeliver:
      DeliverToHost(response);
      return;
    case DelayedAction::Kind::kRepeat:
      context_.host.Repeat(response);
      return;
    case DelayedAction::Kind::kRelease:
      Release(response);
      return;
    case DelayedAction::Kind::kEndStall:
      EndStall(card, queue_pairs_[action.queue_pair]);
      return;
    case DelayedAction::Kind::kRaise:
      return;
  }
}

void ResponseFaults::Release(const Response& response) {
  // Not held any more: enough others have completed before its time was over.
  const auto held = std::erase_if(queue_pairs_[response.queue_pair].held, [&](const Held& other) {
    return other.response.rank == response.rank;
  });
  if (held == 0) return;
  GHOSTCARD_COVERAGE_MARK("a response was held until its time");
  DeliverToHost(response);
}

void ResponseFaults::EndStall(TimePoint card, QueuePairState& queue_pair) {
  if (card < queue_pair.stalled_until) {  // another fault made the stall longer
    GHOSTCARD_COVERAGE_MARK("a stall was made longer");
    return;
  }
  for (Response& stalled : std::exchange(queue_pair.stalled, {})) {
    stalled.time = card;
    DeliverToHost(stalled);
  }
}

std::vector<ServiceUnits::Response> ResponseFaults::TakeAll() {
  std::vector<Response> all = std::exchange(dropped_, {});
  for (QueuePairState& queue_pair : queue_pairs_) {
    all.insert(all.end(), queue_pair.stalled.begin(), queue_pair.stalled.end());
    for (const Held& held : queue_pair.held) all.push_back(held.response);
    queue_pair = {};
  }
  return all;
}

}  // namespace hwsim::model
