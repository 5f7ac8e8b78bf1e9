#include "tools/simulate/reduce.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "tools/scenario/scenario_toml_writer.h"

namespace tools::simulate {

namespace {

using Change = std::function<void(scenario::ScenarioOptions&)>;

class Reducer {
 public:
  Reducer(const scenario::ScenarioOptions& options,
          const std::function<bool(const scenario::ScenarioOptions&)>& fails_alike,
          uint32_t tries_max)
      : fails_alike_(fails_alike), tries_max_(tries_max), reduction_{.options = options} {}

  Reduction Run() {
    // One removal may make another possible: repeat until a round removes nothing.
    for (bool smaller = true; smaller && reduction_.tries < tries_max_;) {
      smaller = DropRules();
      smaller = Shrink(&scenario::ScenarioOptions::jobs) || smaller;
      smaller = Shrink(&scenario::ScenarioOptions::operations) || smaller;
      smaller = Shrink(&scenario::ScenarioOptions::queue_pairs) || smaller;
      smaller = Simplify() || smaller;
    }
    return std::move(reduction_);
  }

 private:
  // Keeps the change if the changed scenario still fails. Returns whether it was kept.
  bool Try(const Change& change) {
    if (reduction_.tries >= tries_max_) return false;
    scenario::ScenarioOptions changed = reduction_.options;
    change(changed);
    ++reduction_.tries;
    if (!fails_alike_(changed)) return false;
    reduction_.options = std::move(changed);
    return true;
  }

  // Tries to remove all fault rules, then each half of them, each quarter, and so on down to single
  // rules. Like the functions below, returns whether the scenario became smaller.
  bool DropRules() {
    bool smaller = false;
    for (size_t length = Rules().size(); length != 0; length /= 2) {
      for (size_t begin = 0; begin < Rules().size();) {
        const size_t end = std::min(begin + length, Rules().size());
        const bool dropped = Try([&](scenario::ScenarioOptions& options) {
          std::vector<hwsim::faults::FaultRule>& rules = options.card.faults.rules;
          rules.erase(rules.begin() + static_cast<ptrdiff_t>(begin),
                      rules.begin() + static_cast<ptrdiff_t>(end));
        });
        smaller = smaller || dropped;
        if (!dropped) begin = end;
      }
    }
    return smaller;
  }

  // Lowers the number in steps while the scenario still fails. When it does not fail, halves the
  // step. The number stays above 0.
  bool Shrink(uint32_t scenario::ScenarioOptions::*member) {
    bool smaller = false;
    for (uint32_t step = reduction_.options.*member / 2; step != 0;) {
      const uint32_t current = reduction_.options.*member;
      if (current > step &&
          Try([&](scenario::ScenarioOptions& options) { options.*member = current - step; })) {
        smaller = true;
      } else {
        step /= 2;
      }
    }
    return smaller;
  }

  // Tries to set each option to its default, and to remove operations from the mix.
  bool Simplify() {
    using Options = scenario::ScenarioOptions;
    static constexpr std::array<void (*)(Options&, const Options&), 18> kChanges = {
        [](Options& o, const Options& defaults) { o.tasks = defaults.tasks; },
        [](Options& o, const Options& defaults) { o.cancel = defaults.cancel; },
        [](Options& o, const Options& defaults) { o.free_context = defaults.free_context; },
        [](Options& o, const Options& defaults) { o.in_place = defaults.in_place; },
        [](Options& o, const Options& defaults) { o.needless_resume = defaults.needless_resume; },
        [](Options& o, const Options& defaults) { o.slow_resume = defaults.slow_resume; },
        [](Options& o, const Options& defaults) {
          o.resume_in_callback = defaults.resume_in_callback;
        },
        [](Options& o, const Options& defaults) { o.poll_quota = defaults.poll_quota; },
        [](Options& o, const Options& defaults) { o.poll = defaults.poll; },
        [](Options& o, const Options& defaults) { o.tamper = defaults.tamper; },
        [](Options& o, const Options& defaults) { o.size_bytes = defaults.size_bytes; },
        // A job that waits in place needs the time limit: without it, the wait may never end.
        [](Options& o, const Options&) {
          if (o.in_place == 0) o.engine.time_limit.reset();
        },
        [](Options& o, const Options&) { o.engine.callback_when_space = false; },
        [](Options& o, const Options& defaults) { o.engine.recovery = defaults.engine.recovery; },
        [](Options& o, const Options& defaults) { o.engine.health = defaults.engine.health; },
        [](Options& o, const Options& defaults) { o.engine.retry = defaults.engine.retry; },
        [](Options& o, const Options& defaults) { o.card.moderation = defaults.card.moderation; },
        [](Options& o, const Options& defaults) { o.card.transit = defaults.card.transit; },
    };
    const Options defaults;
    bool smaller = false;
    for (const auto change : kChanges) {
      Options changed = reduction_.options;
      change(changed, defaults);
      if (scenario::ScenarioToml(changed) == scenario::ScenarioToml(reduction_.options)) continue;
      if (Try([&](Options& options) { options = changed; })) smaller = true;
    }
    while (reduction_.options.mix.size() > 1 && DropOperation()) smaller = true;
    return smaller;
  }

  // Removes the first operation of the mix without which the scenario still fails.
  bool DropOperation() {
    for (size_t i = 0; i < reduction_.options.mix.size(); ++i) {
      if (Try([&](scenario::ScenarioOptions& options) {
            options.mix.erase(options.mix.begin() + static_cast<ptrdiff_t>(i));
          })) {
        return true;
      }
    }
    return false;
  }

  const std::vector<hwsim::faults::FaultRule>& Rules() const {
    return reduction_.options.card.faults.rules;
  }

  const std::function<bool(const scenario::ScenarioOptions&)>& fails_alike_;
  const uint32_t tries_max_;
  Reduction reduction_;
};

// The text without its digits.
std::string Wording(const std::string& text) {
  std::string wording;
  std::ranges::copy_if(text, std::back_inserter(wording),
                       [](unsigned char c) { return std::isdigit(c) == 0; });
  return wording;
}

}  // namespace

Reduction Reduce(const scenario::ScenarioOptions& options,
                 const std::function<bool(const scenario::ScenarioOptions&)>& fails_alike,
                 uint32_t tries_max) {
  return Reducer(options, fails_alike, tries_max).Run();
}

bool FailsAlike(const ScenarioTrial& one, const ScenarioTrial& other) {
  return one.verdict == other.verdict && Wording(one.what) == Wording(other.what);
}

}  // namespace tools::simulate
