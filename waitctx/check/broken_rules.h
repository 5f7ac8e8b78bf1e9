// BrokenRule: a rule that a call broke, collected while the Tracker holds its lock and reported
// after it has released the lock.
//
// Threads: ReportAll on any.
#ifndef GHOSTCARD_WAITCTX_CHECK_BROKEN_RULES_H_
#define GHOSTCARD_WAITCTX_CHECK_BROKEN_RULES_H_

#include <cstdint>
#include <vector>

#include "waitctx/check/call_stack.h"
#include "waitctx/check/recorder.h"
#include "waitctx/check/rule.h"

namespace waitctx::check {

struct BrokenRule {
  Rule rule;
  const CallStack* site;    // null: the call under way
  const CallStack* origin;  // may be null
  int64_t measure = 0;
};
using BrokenRules = std::vector<BrokenRule>;

// Requires: the caller holds no lock of this library. Recorder::Report takes the loader's lock.
inline void ReportAll(const BrokenRules& broken_rules) {
  if (broken_rules.empty()) return;
  const CallStack here = CallStack::Here();
  for (const BrokenRule& broken : broken_rules) {
    Recorder::Get().Report(broken.rule, broken.site == nullptr ? here : *broken.site, broken.origin,
                           broken.measure);
  }
}

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_BROKEN_RULES_H_
