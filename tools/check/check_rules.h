// The names and texts of the rules that `ghostcard check` applies.
//
// Threads: any; constant data.
#ifndef GHOSTCARD_TOOLS_CHECK_CHECK_RULES_H_
#define GHOSTCARD_TOOLS_CHECK_CHECK_RULES_H_

#include <optional>
#include <span>
#include <string_view>

#include "waitctx/check/rule.h"

namespace tools::check {

enum class Measure : uint8_t { kNone, kFd, kNanoseconds, kCount };

struct RuleText {
  waitctx::check::Rule rule;
  std::string_view name;      // for --ignore and JSON
  std::string_view headline;  // what the program did
  std::string_view manual;    // what it should do instead, and where that is written
  std::string_view site;      // what happened at the call site
  std::string_view origin;    // what happened at the origin's call site
  Measure measure = Measure::kNone;
};

// All rules, in the order of the enumeration.
std::span<const RuleText> RuleTexts();
const RuleText& TextOf(waitctx::check::Rule rule);
// nullopt: no rule has this name.
std::optional<waitctx::check::Rule> RuleNamed(std::string_view name);

}  // namespace tools::check

#endif  // GHOSTCARD_TOOLS_CHECK_CHECK_RULES_H_
