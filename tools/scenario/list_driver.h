// ListDriver: submits lists and batches straight to the queue pairs, without an engine, as a user's
// own driver does, and checks the rules of list submission.
//
// Threads: one. Ownership: the requests are the driver's. Destroy the card before the driver: the
// card may still have requests that a fault kept.
#ifndef GHOSTCARD_TOOLS_SCENARIO_LIST_DRIVER_H_
#define GHOSTCARD_TOOLS_SCENARIO_LIST_DRIVER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "hwsim/base/random.h"
#include "hwsim/card/virtual_card.h"
#include "tools/scenario/ring_auditor.h"

namespace tools::scenario {

class ListDriver {
 public:
  // All arguments outlive the driver. `on_broken` is called with each rule that did not hold.
  ListDriver(hwsim::card::VirtualCard& card, const RingAuditor& rings, hwsim::Random& random,
             const RingAuditor::OnBroken& on_broken)
      : card_(card), rings_(rings), random_(random), on_broken_(on_broken) {}

  struct Load {
    uint64_t requests = 0;    // in all
    uint32_t length_max = 1;  // of a list or batch
    const std::vector<hwsim::operations::OperationKind>& kinds;
    hwsim::TimePoint end;      // nothing is submitted from then on, and the card is reset
    hwsim::Duration patience;  // from `end` until everything has to be back
  };
  // Submits the load in lists and batches and takes completions. The reset at `end` brings back
  // requests that a fault kept. Adds to `counts`, by what became of each request: "ok", "failed",
  // "device_error"; and by refused submits: "again", "refused". Returns false when requests are
  // still on the card after `patience`.
  bool Run(const Load& load, std::map<std::string, uint64_t>& counts);

 private:
  struct OwnRequest {
    hwsim::operations::Request request;
    bool on_card = false;
    uint32_t completions = 0;  // since it was last accepted
  };
  hwsim::TimePoint Now() const { return card_.clock().Now(); }
  bool IsAnyOnCard() const;
  void Submit(const Load& load);
  void CheckAccepted(hwsim::rings::QueuePair::ListResult result, size_t length,
                     uint32_t more_in_flight);
  void CheckRefused(const OwnRequest& own, hwsim::operations::SubmitStatus status);
  // Returns whether it took a completion.
  bool TakeCompletions();
  void Complete(const hwsim::operations::Request& request);
  void PassTime(hwsim::TimePoint end);

  hwsim::card::VirtualCard& card_;
  const RingAuditor& rings_;
  hwsim::Random& random_;
  const RingAuditor::OnBroken& on_broken_;
  std::map<std::string, uint64_t>* counts_ = nullptr;
  std::deque<OwnRequest> requests_;
  std::map<const hwsim::operations::Request*, OwnRequest*> by_request_;
  uint64_t left_ = 0;  // requests that are still to be accepted
};

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_LIST_DRIVER_H_
