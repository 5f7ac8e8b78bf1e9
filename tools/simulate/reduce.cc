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
    // Removing one thing may make it possible to remove another: repeat until nothing goes.
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
  // Applies the change if the scenario still fails with it. Returns whether it does.
  bool Try(const Change& change) {
    if (reduction_.tries >= tries_max_) return false;
    scenario::ScenarioOptions changed = reduction_.options;
    change(changed);
    ++reduction_.tries;
    if (!fails_alike_(changed)) return false;
    reduction_.options = std::move(changed);
    return true;
  }

  // Removes all fault rules, then halves, quarters and so on, down to single rules.
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

  bool Shrink(uint32_t scenario::ScenarioOptions::*member) {
    bool smaller = false;
    for (uint32_t less = reduction_.options.*member / 2; less != 0;) {
      const uint32_t now = reduction_.options.*member;
      if (now > less &&
          Try([&](scenario::ScenarioOptions& options) { options.*member = now - less; })) {
        smaller = true;
      } else {
        less /= 2;
      }
    }
    return smaller;
  }

  // Sets options to their defaults, one by one.
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
        // Without a time limit a job that waits in place may wait for ever.
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
