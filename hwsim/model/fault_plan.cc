#include "hwsim/model/fault_plan.h"

namespace hwsim {

std::string_view FaultName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kSubmitRefused:
      return "submit_refused";
    case FaultKind::kCompletionError:
      return "completion_error";
  }
  return "unknown";
}

FaultSite SiteOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kSubmitRefused:
      return FaultSite::kSubmit;
    case FaultKind::kCompletionError:
      return FaultSite::kService;
  }
  return FaultSite::kService;
}

FaultInjector::FaultInjector(const FaultPlan& plan, FaultSite site, Random random) {
  for (const FaultRule& rule : plan.rules) {
    if (SiteOf(rule.kind) == site) {
      rules_.push_back({.rule = rule, .random = random.Fork(rules_.size())});
    }
  }
}

std::optional<FaultKind> FaultInjector::At(OperationKind operation, uint32_t queue_pair) {
  std::optional<FaultKind> struck;
  for (Rule& state : rules_) {
    const FaultRule& rule = state.rule;
    if (rule.operation.value_or(operation) != operation) continue;
    if (rule.queue_pair.value_or(queue_pair) != queue_pair) continue;
    // Every rule sees each request that it looks at, also those that an earlier rule struck: its
    // count and its draws do not depend on its neighbours.
    ++state.seen;
    const bool fires = rule.every_nth != 0 ? state.seen % rule.every_nth == 0
                                           : state.random.NextDouble() < rule.probability;
    if (!fires || struck || (rule.count_max != 0 && state.fired >= rule.count_max)) continue;
    ++state.fired;
    ++fired_;
    struck = rule.kind;
  }
  return struck;
}

}  // namespace hwsim
