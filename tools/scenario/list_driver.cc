#include "tools/scenario/list_driver.h"

#include <algorithm>
#include <array>
#include <span>

namespace tools::scenario {

using hwsim::operations::CompletionStatus;
using hwsim::operations::Request;
using hwsim::operations::SubmitStatus;
using hwsim::rings::QueuePair;

void ListDriver::CheckRefused(const OwnRequest& own, SubmitStatus status) {
  const bool again = status == SubmitStatus::kAgain;
  ++(*counts_)[again ? "again" : "refused"];
  if (rings_.Has(own.request)) on_broken_("a request that was refused is on the card");
  if (own.request.done.load(std::memory_order_relaxed)) {
    on_broken_("a request that was refused is done");
  }
}

void ListDriver::CheckAccepted(QueuePair::ListResult result, size_t length,
                               uint32_t more_in_flight) {
  if (more_in_flight != result.accepted) {
    on_broken_("a list of which " + std::to_string(result.accepted) + " were accepted leaves " +
               std::to_string(more_in_flight) + " more in flight");
  }
  if ((result.accepted == length) != (result.status == SubmitStatus::kOk)) {
    on_broken_("the status of a list does not say whether all of it was accepted");
  }
}

void ListDriver::Submit(const Load& load) {
  QueuePair& queue_pair = *card_.queue_pairs()[random_.Next() % card_.queue_pairs().size()];
  const auto length = static_cast<size_t>(1 + random_.Next() % load.length_max);
  std::vector<Request*> list;
  std::vector<OwnRequest*> members;
  for (OwnRequest& own : requests_) {
    if (own.on_card || list.size() == length || list.size() == left_) continue;
    own.request.kind = load.kinds[random_.Next() % load.kinds.size()];
    own.request.status = CompletionStatus::kPending;
    own.request.done.store(false, std::memory_order_relaxed);
    list.push_back(&own.request);
    members.push_back(&own);
  }
  if (list.empty()) return;
  const uint32_t before = queue_pair.in_flight();
  const bool batch = random_.Next() % 2 == 0;
  const QueuePair::ListResult result =
      batch ? queue_pair.SubmitBatch(list) : queue_pair.Submit(std::span<Request* const>(list));
  CheckAccepted(result, list.size(), queue_pair.in_flight() - before);
  for (size_t i = 0; i < members.size(); ++i) {
    members[i]->on_card = i < result.accepted;
    members[i]->completions = 0;
    if (i >= result.accepted) {
      CheckRefused(*members[i], result.status);
    } else if (!rings_.Has(members[i]->request)) {
      on_broken_("a request that was accepted is not on the card");
    }
  }
  left_ -= result.accepted;
}

void ListDriver::Complete(const Request& request) {
  const auto found = by_request_.find(&request);
  if (found == by_request_.end() || !found->second->on_card || ++found->second->completions != 1) {
    on_broken_("a request was handed back that was not on the card");
    return;
  }
  found->second->on_card = false;
  ++(*counts_)[request.status == CompletionStatus::kOk                ? "ok"
               : request.status == CompletionStatus::kOperationFailed ? "failed"
                                                                      : "device_error"];
}

bool ListDriver::TakeCompletions() {
  std::array<Request*, 16> popped{};
  bool any = false;
  for (const auto& queue_pair : card_.queue_pairs()) {
    const auto room = static_cast<size_t>(1 + random_.Next() % popped.size());
    const size_t count = queue_pair->PopCompleted(std::span(popped).first(room));
    any = any || count != 0;
    for (const Request* const request : std::span(popped).first(count)) Complete(*request);
  }
  return any;
}

bool ListDriver::IsAnyOnCard() const {
  return std::ranges::any_of(requests_, [](const OwnRequest& own) { return own.on_card; });
}

void ListDriver::PassTime(hwsim::TimePoint end) {
  // The next event of the card; or a little later, since a refused submit causes no event.
  const hwsim::TimePoint later = Now() + std::chrono::microseconds(50);
  hwsim::TimePoint next = std::min(card_.NextEvent().value_or(later), later);
  if (Now() < end) next = std::min(next, end);
  card_.AdvanceTo(std::max(next, Now()));
}

bool ListDriver::Run(const Load& load, std::map<std::string, uint64_t>& counts) {
  counts_ = &counts;
  left_ = load.requests;
  uint32_t total = 2;  // more than the card takes, so that some are refused
  for (const auto& queue_pair : card_.queue_pairs()) total += queue_pair->depth();
  requests_.resize(total);
  for (OwnRequest& own : requests_) by_request_[&own.request] = &own;
  bool was_reset = false;
  while (Now() < load.end || IsAnyOnCard()) {
    if (Now() >= load.end + load.patience) return false;
    while (TakeCompletions()) {
    }
    if (Now() < load.end && left_ != 0) Submit(load);
    PassTime(load.end);
    if (Now() >= load.end && !was_reset) {
      was_reset = true;
      card_.Reset();
    }
  }
  return true;
}

}  // namespace tools::scenario
