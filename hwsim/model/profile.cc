#include "hwsim/model/profile.h"

#include <charconv>

namespace hwsim {

namespace {

constexpr Duration kLatencyMax = std::chrono::hours(1);

// In full: what is refused for being too small is not to be shown as 0.
std::string Number(double value) {
  std::array<char, 400> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return end.ec == std::errc() ? std::string(text.data(), end.ptr) : std::to_string(value);
}

Expected<void> CheckRange(const std::string& key, double given, double least, double most) {
  if (given >= least && given <= most) return {};
  return Unexpected(key + ": " + Number(given) + " given; allowed: " + Number(least) + " to " +
                    Number(most));
}

Expected<void> CheckLatency(const std::string& key, const LatencyModel& model) {
  const auto ns = [](Duration duration) { return static_cast<double>(duration.count()); };
  return CheckRange(key + ".base (ns)", ns(model.base), 0, ns(kLatencyMax))
      .and_then(
          [&] { return CheckRange(key + ".spread (ns)", ns(model.spread), 0, ns(kLatencyMax)); })
      .and_then([&] { return CheckRange(key + ".sigma", model.sigma, 0, 4); })
      .and_then([&] { return CheckRange(key + ".ns_per_byte", model.ns_per_byte, 0, 1e6); });
}

Expected<void> CheckRate(const std::string& key, double rate) {
  if (rate == 0 || (rate >= kRatePerSecondMin && rate <= kRatePerSecondMax)) return {};
  return Unexpected(key + ": " + Number(rate) + " given; allowed: 0 (no cap), or " +
                    Number(kRatePerSecondMin) + " to " + Number(kRatePerSecondMax));
}

Expected<void> CheckFault(const std::string& key, const FaultRule& rule, uint32_t queue_pairs_max) {
  if ((rule.probability != 0) == (rule.every_nth != 0)) {
    return Unexpected(key + ": exactly one of probability and every_nth is to be set");
  }
  if (!(rule.probability >= 0 && rule.probability <= 1)) {
    return Unexpected(key + ".probability: " + Number(rule.probability) +
                      " given; allowed: above 0, up to 1");
  }
  if (rule.queue_pair && *rule.queue_pair >= queue_pairs_max) {
    return CheckRange(key + ".queue_pair", *rule.queue_pair, 0, queue_pairs_max - 1);
  }
  return {};
}

}  // namespace

Expected<void> Profile::Validate() const {
  Expected<void> checked = CheckRange("queue_pairs_max", queue_pairs_max, 1, 1024);
  const auto check = [&](auto next) { checked = checked.and_then(next); };
  check([&] { return CheckRange("depth", depth, 1, 32768); });
  check([&] { return CheckRange("engines", engines, 1, 65536); });
  check([&] { return CheckRange("moderation.count", moderation.count, 1, 4096); });
  check([&] {
    return CheckRange("moderation.time (ns)", static_cast<double>(moderation.time.count()), 0, 1e7);
  });
  check([&] { return CheckLatency("transit", transit); });
  for (size_t i = 0; i < operations.size(); ++i) {
    const std::string key =
        "operation." + std::string(OperationName(static_cast<OperationKind>(i)));
    check([&] { return CheckLatency(key + ".service", operations[i].service); });
    check([&] { return CheckRate(key + ".rate_per_s_max", operations[i].rate_per_s_max); });
  }
  for (size_t i = 0; i < faults.rules.size(); ++i) {
    check([&] {
      return CheckFault("fault " + std::to_string(i + 1), faults.rules[i], queue_pairs_max);
    });
  }
  return checked;
}

}  // namespace hwsim
