// Lists and batches straight to the queue pairs, without an engine: what a driver of one's own
// does, and the rules that hold for it.
//
// Threads: one. Ownership: the requests are its own; it ends after the card has let go of them.
#ifndef GHOSTCARD_TOOLS_SCENARIO_LISTS_H_
#define GHOSTCARD_TOOLS_SCENARIO_LISTS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "hwsim/model/latency_model.h"
#include "hwsim/virtual_card.h"
#include "tools/ring_books.h"

namespace tools {

class ScenarioLists {
 public:
  // All are used until Run returns. `on_broken` is told of each rule that did not hold.
  ScenarioLists(hwsim::VirtualCard& card, const RingBooks& rings, hwsim::Random& chance,
                const RingBooks::OnBroken& on_broken)
      : card_(card), rings_(rings), chance_(chance), on_broken_(on_broken) {}

  // Submits `requests` requests in lists and batches of `length_max` at the most, of those kinds,
  // until `end`, and takes back all that it can. The card is reset at
  // `end`, which brings back what a fault has kept. Counts by CompletionStatus into `counts`: "ok",
  // "failed", "device_error"; and "again", "refused". False: not everything came back in `patience`
  // after `end`.
  bool Run(uint64_t requests, uint32_t length_max, const std::vector<hwsim::OperationKind>& kinds,
           hwsim::TimePoint end, hwsim::Duration patience, std::map<std::string, uint64_t>& counts);

 private:
  struct Slot {
    hwsim::Request request;
    bool on_card = false;
    uint32_t comings = 0;  // back from the card, since it was last accepted
  };
  void SubmitSome(uint32_t length_max, const std::vector<hwsim::OperationKind>& kinds);
  void CheckRefused(const Slot& slot, hwsim::SubmitStatus status);
  bool TakeCompleted();

  hwsim::VirtualCard& card_;
  const RingBooks& rings_;
  hwsim::Random& chance_;
  const RingBooks::OnBroken& on_broken_;
  std::map<std::string, uint64_t>* counts_ = nullptr;
  std::deque<Slot> slots_;
  std::map<const hwsim::Request*, Slot*> by_request_;
  uint64_t left_ = 0;
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SCENARIO_LISTS_H_
