#include "hwsim/model/profile.h"

#include <array>
#include <charconv>
#include <utility>

namespace hwsim::model {

namespace {

constexpr Duration kLatencyMax = std::chrono::hours(1);

// The shortest text that reads back as the same value: "0.5", "60000", "nan".
std::string Number(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end.ptr);
}

// Collects what is out of bounds.
class Checker {
 public:
  // `format` makes the text of `given` and of the limits. A NaN is out of bounds.
  template <typename T, typename Format>
  void Range(const std::string& key, T given, T least, T most, Format format) {
    if (given >= least && given <= most) return;
    Add(key, format(given) + " given; allowed: " + format(least) + " to " + format(most));
  }
  void Count(const std::string& key, uint64_t given, uint64_t least, uint64_t most) {
    Range(key, given, least, most, [](uint64_t value) { return std::to_string(value); });
  }
  void Time(const std::string& key, Duration given, Duration most) {
    Range(key, given, Duration::zero(), most, FormatDuration);
  }
  void Real(const std::string& key, double given, double least, double most) {
    Range(key, given, least, most, Number);
  }

  void Latency(const std::string& key, const LatencyModel& model) {
    Time(key + ".base", model.base, kLatencyMax);
    Time(key + ".spread", model.spread, kLatencyMax);
    Real(key + ".sigma", model.sigma, 0, 4);
    Real(key + ".ns_per_byte", model.ns_per_byte, 0, 1e6);
  }

  void Rate(const std::string& key, double given) {
    if (given == 0 || (given >= kRatePerSecondMin && given <= kRatePerSecondMax)) return;
    Add(key, Number(given) + " given; allowed: 0 (no cap), or 0.001 to 1e+09");
  }

  void Fault(const std::string& key, const faults::FaultRule& rule, uint32_t queue_pairs_max) {
    Trigger(key, rule);
    if (rule.queue_pair && queue_pairs_max > 0) {
      Count(key + ".queue_pair", *rule.queue_pair, 0, queue_pairs_max - 1);
    }
    if (rule.at) Time(key + ".at", *rule.at, faults::kFaultTimeMax);
    if (rule.from) Time(key + ".from", *rule.from, faults::kFaultTimeMax);
    if (rule.until) Time(key + ".until", *rule.until, faults::kFaultTimeMax);
    if (rule.from && rule.until && *rule.until <= *rule.from) {
      Add(key + ".until", FormatDuration(*rule.until) + " given; allowed: later than from");
    }
    Parameters(key, rule);
  }

  void Add(std::string key, std::string message) {
    mistakes_.push_back({.key = std::move(key), .message = std::move(message)});
  }
  std::vector<ProfileMistake> Take() { return std::move(mistakes_); }

 private:
  void Trigger(const std::string& key, const faults::FaultRule& rule) {
    const int given =
        (rule.probability != 0) + (rule.every_nth != 0) + (rule.nth != 0) + rule.at.has_value();
    if (given > 1) {
      Add(key, "several of probability, every_nth, nth and at given; allowed: one of them");
    } else if (given == 0 && rule.in_flight_min == 0 && !rule.from && !rule.until) {
      Add(key, "no trigger given; allowed: " + std::string(faults::kFaultTriggers));
    } else if (!(rule.probability >= 0 && rule.probability <= 1)) {
      Add(key + ".probability", Number(rule.probability) + " given; allowed: above 0, up to 1");
    }
  }

  void Parameters(const std::string& key, const faults::FaultRule& rule) {
    const faults::FaultForm& form = faults::FormOf(rule.kind);
    const auto unread = [&](const char* name, bool given, bool read) {
      if (given && !read) {
        Add(key + "." + name, "given; " + std::string(form.name) + " does not read it");
      }
    };
    unread("time", rule.time.has_value(), form.time.has_value());
    unread("times", rule.times.has_value(), form.times.has_value());
    unread("factor", rule.factor.has_value(), form.factor.has_value());
    unread("idle", rule.idle.has_value(), form.idle.has_value());
    if (rule.time) Time(key + ".time", *rule.time, faults::kFaultTimeMax);
    if (rule.times) Count(key + ".times", *rule.times, 1, faults::kFaultTimesMax);
    if (rule.factor) Real(key + ".factor", *rule.factor, 1, faults::kFaultFactorMax);
    if (rule.idle) Time(key + ".idle", *rule.idle, faults::kFaultTimeMax);
  }

  std::vector<ProfileMistake> mistakes_;
};

}  // namespace

std::string FormatDuration(Duration duration) {
  constexpr std::array<std::pair<int64_t, const char*>, 4> kUnits = {
      {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}, {1, "ns"}}};
  for (const auto& [ns, unit] : kUnits) {
    if (duration.count() != 0 && duration.count() % ns == 0) {
      return std::to_string(duration.count() / ns) + unit;
    }
  }
  return "0ns";
}

std::vector<ProfileMistake> Profile::Mistakes() const {
  Checker check;
  check.Count("queue_pairs_max", queue_pairs_max, 1, 1024);
  check.Count("depth", depth, 1, 32768);
  check.Count("engines", service_units, 1, 65536);
  check.Count("moderation.count", moderation.count, 1, 4096);
  check.Time("moderation.time", moderation.time, std::chrono::milliseconds(10));
  check.Range("health.heartbeat", health.heartbeat, kHeartbeatMin, kHeartbeatMax, FormatDuration);
  check.Time("health.reset", health.reset, kResetMax);
  check.Latency("transit", transit);
  for (size_t i = 0; i < operations.size(); ++i) {
    const std::string key =
        "operation." +
        std::string(operations::OperationName(static_cast<operations::OperationKind>(i)));
    check.Latency(key + ".service", operations[i].service);
    check.Rate(key + ".rate_per_s_max", operations[i].rate_per_s_max);
  }
  for (size_t i = 0; i < faults.rules.size(); ++i) {
    check.Fault("fault[" + std::to_string(i) + "]", faults.rules[i], queue_pairs_max);
  }
  return check.Take();
}

Expected<void> Profile::Validate() const {
  std::string all;
  for (const ProfileMistake& mistake : Mistakes()) {
    if (!all.empty()) all += '\n';
    all += mistake.key + ": " + mistake.message;
  }
  if (all.empty()) return {};
  return Unexpected(std::move(all));
}

}  // namespace hwsim::model
