// FaultPlan: what goes wrong, and when. A plan is data; FaultInjector is the
// plan under way, with its counters and its own random stream.
//
// A rule fires at most once for a request. Of several rules that match, the
// first in the plan that fires wins. Kinds that follow (ring full, dropped,
// duplicated, reset, ...) take their place in FaultKind and in At().
// Threads: an injector belongs to whoever drives it: the submit side of a queue
// pair (under its lock) or the card's service thread.
#ifndef GHOSTCARD_HWSIM_MODEL_FAULT_PLAN_H_
#define GHOSTCARD_HWSIM_MODEL_FAULT_PLAN_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hwsim/model/latency_model.h"
#include "hwsim/request.h"

namespace hwsim {

enum class FaultKind : uint8_t {
  kSubmitRefused,    // Submit answers kError: the card is broken
  kCompletionError,  // the request completes with kDeviceError
};
std::string_view FaultName(FaultKind kind);  // "submit_refused", "completion_error"

// Where in a request's life a kind of fault strikes.
enum class FaultSite : uint8_t { kSubmit, kService };
FaultSite SiteOf(FaultKind kind);

struct FaultRule {
  FaultKind kind = FaultKind::kCompletionError;
  // Exactly one of the two triggers is set.
  double probability = 0;  // (0, 1]: of each request that passes
  uint64_t every_nth = 0;  // >= 1: the Nth, 2Nth, 3Nth ... request that passes
  // What the rule looks at; unset: everything.
  std::optional<OperationKind> operation;
  std::optional<uint32_t> queue_pair;
  uint64_t count_max = 0;  // fires at most so often; 0: no limit
};

struct FaultPlan {
  std::vector<FaultRule> rules;
};

class FaultInjector {
 public:
  // Keeps only the rules for `site`. Each draws from a fork of `random` of its own.
  FaultInjector(const FaultPlan& plan, FaultSite site, Random random);

  // The fault that strikes this request, if one does.
  std::optional<FaultKind> At(OperationKind operation, uint32_t queue_pair);
  bool empty() const { return rules_.empty(); }
  // How often rules fired so far.
  uint64_t fired() const { return fired_; }

 private:
  struct Rule {
    FaultRule rule;
    Random random;
    uint64_t seen = 0;
    uint64_t fired = 0;
  };
  std::vector<Rule> rules_;
  uint64_t fired_ = 0;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_FAULT_PLAN_H_
