#include "tools/scenario_lists.h"

#include <algorithm>
#include <array>
#include <span>

namespace tools {

using hwsim::CompletionStatus;
using hwsim::QueuePair;
using hwsim::Request;
using hwsim::SubmitStatus;

void ScenarioLists::CheckRefused(const Slot& slot, SubmitStatus status) {
  const bool again = status == SubmitStatus::kAgain;
  ++(*counts_)[again ? "again" : "refused"];
  if (rings_.Has(slot.request)) on_broken_("a request that was refused is on the card");
  if (slot.request.done.load(std::memory_order_relaxed)) {
    on_broken_("a request that was refused is done");
  }
}

void ScenarioLists::SubmitSome(uint32_t length_max,
                               const std::vector<hwsim::OperationKind>& kinds) {
  QueuePair& queue_pair = *card_.queue_pairs()[chance_.Next() % card_.queue_pairs().size()];
  const auto length = static_cast<size_t>(1 + chance_.Next() % length_max);
  std::vector<Request*> list;
  std::vector<Slot*> members;
  for (Slot& slot : slots_) {
    if (slot.on_card || list.size() == length || list.size() == left_) continue;
    slot.request.kind = kinds[chance_.Next() % kinds.size()];
    slot.request.status = CompletionStatus::kPending;
    slot.request.done.store(false, std::memory_order_relaxed);
    list.push_back(&slot.request);
    members.push_back(&slot);
  }
  if (list.empty()) return;
  const uint32_t before = queue_pair.in_flight();
  const bool batch = chance_.Next() % 2 == 0;
  // Before the submit, in the middle of which the watcher sees them come.
  const QueuePair::ListResult result =
      batch ? queue_pair.SubmitBatch(list) : queue_pair.Submit(std::span<Request* const>(list));
  if (queue_pair.in_flight() != before + result.accepted) {
    on_broken_("a list of which " + std::to_string(result.accepted) + " were accepted leaves " +
               std::to_string(queue_pair.in_flight() - before) + " more in flight");
  }
  if ((result.accepted == list.size()) != (result.status == SubmitStatus::kOk)) {
    on_broken_("a list is accepted in part, and its status does not say so");
  }
  for (size_t i = 0; i < members.size(); ++i) {
    members[i]->on_card = i < result.accepted;
    members[i]->comings = 0;
    if (i >= result.accepted) {
      CheckRefused(*members[i], result.status);
    } else if (!rings_.Has(members[i]->request)) {
      on_broken_("a request that was accepted is not on the card");
    }
  }
  left_ -= result.accepted;
}

bool ScenarioLists::TakeCompleted() {
  std::array<Request*, 16> popped{};
  bool any = false;
  for (const auto& queue_pair : card_.queue_pairs()) {
    const auto room = static_cast<size_t>(1 + chance_.Next() % popped.size());
    const size_t count = queue_pair->PopCompleted(std::span(popped).first(room));
    any = any || count != 0;
    for (Request* const request : std::span(popped).first(count)) {
      const auto found = by_request_.find(request);
      if (found == by_request_.end() || !found->second->on_card || ++found->second->comings != 1) {
        on_broken_("a request comes back that was not on the card");
        continue;
      }
      found->second->on_card = false;
      const CompletionStatus status = request->status;
      ++(*counts_)[status == CompletionStatus::kOk                ? "ok"
                   : status == CompletionStatus::kOperationFailed ? "failed"
                                                                  : "device_error"];
    }
  }
  return any;
}

bool ScenarioLists::Run(uint64_t requests, uint32_t length_max,
                        const std::vector<hwsim::OperationKind>& kinds, hwsim::TimePoint end,
                        hwsim::Duration patience, std::map<std::string, uint64_t>& counts) {
  counts_ = &counts;
  left_ = requests;
  uint32_t slots = 2;
  for (const auto& queue_pair : card_.queue_pairs()) slots += queue_pair->depth();
  slots_.resize(slots);
  for (Slot& slot : slots_) by_request_[&slot.request] = &slot;
  const auto now = [&] { return card_.clock().Now(); };
  const auto on_card = [&] {
    return std::ranges::any_of(slots_, [](const Slot& slot) { return slot.on_card; });
  };
  bool over = false;
  while (now() < end || on_card()) {
    if (now() >= end + patience) return false;
    while (TakeCompleted()) {
    }
    if (now() < end && left_ != 0) SubmitSome(length_max, kinds);
    // Something comes of each submit, or the driver tries again a little later.
    const hwsim::TimePoint later = now() + std::chrono::microseconds(50);
    hwsim::TimePoint next = std::min(card_.NextEvent().value_or(later), later);
    if (now() < end) next = std::min(next, end);
    card_.AdvanceTo(std::max(next, now()));
    if (now() >= end && !over) {
      over = true;
      card_.Reset();
    }
  }
  return true;
}

}  // namespace tools
