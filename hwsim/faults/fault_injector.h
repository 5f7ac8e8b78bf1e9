// FaultInjector: the rules of a fault plan for one site, with their counters and random streams.
//
// At most one rule fires for a pass: the first in the plan that would. Every rule counts each pass
// that meets its conditions, also when an earlier rule fires, so its count and its draws do not
// depend on other rules.
//
// Threads: one at a time. The submit side of a queue pair and the notifier call theirs under a
// lock; the card's service thread calls the model's.
#ifndef GHOSTCARD_HWSIM_FAULTS_FAULT_INJECTOR_H_
#define GHOSTCARD_HWSIM_FAULTS_FAULT_INJECTOR_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "hwsim/base/random.h"
#include "hwsim/faults/fault_plan.h"

namespace hwsim::faults {

// What a site is about to do; rules decide whether a fault strikes it.
struct FaultPass {
  operations::OperationKind operation = operations::OperationKind::kNull;
  uint32_t queue_pair = 0;
  uint32_t in_flight = 0;          // requests of the queue pair, with this one
  TimePoint now{};                 // read only when looks_at_time()
  std::optional<Duration> idle{};  // how long the card was idle; nullopt: it was not
};

// A fault: a rule that fired, with all its parameters.
struct Fault {
  FaultKind kind{};
  uint32_t rule = 0;  // index in the plan
  Duration time{};
  uint32_t times = 1;
  double factor = 1;
  uint64_t draw = 0;  // seed for what is random in the fault's effect
};

class FaultInjector {
 public:
  FaultInjector() = default;
  // Takes the plan's rules for `site`. Each rule draws from its own fork of `random`. Times in
  // rules count from `start`, the card's start. A card-wide rule with `at` is left out: it fires by
  // the clock (model_faults.h) and not for a request.
  FaultInjector(const FaultPlan& plan, FaultSite site, Random random, TimePoint start = {});

  // The fault that strikes this pass; nullopt: none does.
  std::optional<Fault> At(const FaultPass& pass);

  bool empty() const { return rules_.empty(); }
  bool looks_at_time() const { return looks_at_time_; }
  // How many faults have struck so far.
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

// The rule as a fault with all its parameters; draw is 0.
Fault FaultOf(const FaultRule& rule, uint32_t index);

}  // namespace hwsim::faults

#endif  // GHOSTCARD_HWSIM_FAULTS_FAULT_INJECTOR_H_
