#include "hwsim/faults/fault_injector.h"

namespace hwsim::faults {

Fault FaultOf(const FaultRule& rule, uint32_t index) {
  const FaultForm& form = FormOf(rule.kind);
  return {.kind = rule.kind,
          .rule = index,
          .time = rule.time.value_or(form.time.value_or(Duration::zero())),
          .times = rule.times.value_or(form.times.value_or(1)),
          .factor = rule.factor.value_or(form.factor.value_or(1))};
}

FaultInjector::FaultInjector(const FaultPlan& plan, FaultSite site, Random random, TimePoint start)
    : start_(start) {
  for (uint32_t index = 0; index < plan.rules.size(); ++index) {
    const FaultRule& rule = plan.rules[index];
    if (SiteOf(rule.kind) != site) continue;
    if (FormOf(rule.kind).card_wide && rule.at) continue;
    looks_at_time_ = looks_at_time_ || rule.at || rule.from || rule.until;
    rules_.push_back({.rule = rule, .index = index, .random = random.Fork(rules_.size())});
  }
}

bool FaultInjector::LooksAt(const FaultRule& rule, const FaultPass& pass) const {
  if (rule.operation.value_or(pass.operation) != pass.operation) return false;
  if (rule.queue_pair.value_or(pass.queue_pair) != pass.queue_pair) return false;
  if (pass.in_flight < rule.in_flight_min) return false;
  if (rule.kind == FaultKind::kWakeUp) {
    const Duration idle = rule.idle.value_or(*FormOf(rule.kind).idle);
    if (!pass.idle || *pass.idle < idle) return false;
  }
  if (rule.at && pass.now < start_ + *rule.at) return false;
  if (rule.from && pass.now < start_ + *rule.from) return false;
  return !rule.until || pass.now < start_ + *rule.until;
}

bool FaultInjector::Fires(Rule& state) {
  const FaultRule& rule = state.rule;
  ++state.seen;
  if (rule.every_nth != 0) return state.seen % rule.every_nth == 0;
  if (rule.nth != 0) return state.seen == rule.nth;
  if (rule.at) return state.seen == 1;
  return rule.probability == 0 || state.random.NextDouble() < rule.probability;
}

std::optional<Fault> FaultInjector::At(const FaultPass& pass) {
  std::optional<Fault> struck;
  for (Rule& state : rules_) {
    if (!LooksAt(state.rule, pass)) continue;
    const bool ended = state.rule.count_max != 0 && state.fired >= state.rule.count_max;
    if (!Fires(state) || struck || ended) continue;
    ++state.fired;
    ++fired_;
    struck = FaultOf(state.rule, state.index);
    struck->draw = state.random.Fork(state.fired).Next();
  }
  return struck;
}

}  // namespace hwsim::faults
