// FaultInjector: a fault plan under way at one site, with its counters and its own
// random stream.
//
// A rule fires at most once for one pass. Of several rules that match, the first in the plan that
// fires wins. Every rule looks at each pass that its conditions let through, also at those that
// an earlier rule struck: its count and its draws do not depend on its neighbours.
// Threads: whoever drives it: the submit side of a queue pair (under its lock), the card's service
// thread, the engine's notifier (under its lock).
#ifndef GHOSTCARD_HWSIM_MODEL_FAULT_INJECTOR_H_
#define GHOSTCARD_HWSIM_MODEL_FAULT_INJECTOR_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "hwsim/model/fault_plan.h"
#include "hwsim/model/latency_model.h"

namespace hwsim {

// What passes a site.
struct FaultPass {
  OperationKind operation = OperationKind::kNull;
  uint32_t queue_pair = 0;
  uint32_t in_flight = 0;          // in its queue pair, itself included
  TimePoint now{};                 // read only when looks_at_time()
  std::optional<Duration> idle{};  // since when nothing was on the card; none: something is
};

// A rule that fired, with its parameters filled in.
struct Fault {
  FaultKind kind{};
  uint32_t rule = 0;  // its place in the plan
  Duration time{};
  uint32_t times = 1;
  double factor = 1;
  uint64_t draw = 0;  // seeds what else is random about it
};

class FaultInjector {
 public:
  FaultInjector() = default;
  // Keeps only the rules for `site`. Each draws from a fork of `random` of its own. `start` is the
  // card's: times in rules count from it. A card-wide rule with `at` is left out: it fires by the
  // clock (CardModel), and not for a request.
  FaultInjector(const FaultPlan& plan, FaultSite site, Random random, TimePoint start = {});

  // The fault that strikes, if one does.
  std::optional<Fault> At(const FaultPass& pass);

  bool empty() const { return rules_.empty(); }
  bool looks_at_time() const { return looks_at_time_; }
  // How often rules fired so far.
  uint64_t fired() const { return fired_; }

 private:
  struct Rule {
    FaultRule rule;
    uint32_t index = 0;
    Random random{0};
    uint64_t seen = 0;
    uint64_t fired = 0;
  };
  bool LooksAt(const FaultRule& rule, const FaultPass& pass) const;
  static bool Fires(Rule& state);

  std::vector<Rule> rules_;
  TimePoint start_{};
  bool looks_at_time_ = false;
  uint64_t fired_ = 0;
};

// The rule as a fault, its parameters filled in; without a draw.
Fault FaultOf(const FaultRule& rule, uint32_t index);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_FAULT_INJECTOR_H_
