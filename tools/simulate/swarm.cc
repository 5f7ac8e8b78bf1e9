#include "tools/simulate/swarm.h"

#include <algorithm>
#include <array>

#include "hwsim/base/parse_number.h"
#include "tools/load/notify.h"

namespace tools::simulate {

namespace {

using hwsim::Duration;
using hwsim::Random;
using hwsim::faults::FaultKind;
using hwsim::faults::FaultRule;
using hwsim::model::LatencyModel;
using hwsim::operations::OperationKind;

// The random choices of a seed.
class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(Random(seed).Fork(kStream)) {}

  uint64_t Word() { return random_.Next(); }
  // From `min` to `max`, both included.
  uint32_t Number(uint32_t min, uint32_t max) {
    return min + static_cast<uint32_t>(random_.Next() % (uint64_t{max} - min + 1));
  }
  // True in `share` of 100 draws.
  bool Percent(uint32_t share) { return Number(0, 99) < share; }
  // A probability in whole thousandths, so that a scenario file can write it exactly.
  double Probability(uint32_t min_thousandths, uint32_t max_thousandths) {
    return static_cast<double>(Number(min_thousandths, max_thousandths)) / 1000;
  }
  Duration Microseconds(uint32_t min, uint32_t max) {
    return std::chrono::microseconds(Number(min, max));
  }
  template <typename T, size_t kCount>
  T OneOf(const std::array<T, kCount>& values) {
    return values[Number(0, kCount - 1)];
  }

 private:
  static constexpr uint64_t kStream = 4242;
  Random random_;
};

LatencyModel DrawLatency(Draw& draw, Duration max) {
  using Distribution = LatencyModel::Distribution;
  const auto us = static_cast<uint32_t>(max / std::chrono::microseconds(1));
  LatencyModel latency;
  latency.base = draw.Microseconds(0, us);
  latency.distribution = draw.OneOf(std::array{Distribution::kFixed, Distribution::kUniform,
                                               Distribution::kExponential, Distribution::kLognormal,
                                               Distribution::kMinExponential});
  if (latency.distribution == Distribution::kUniform ||
      latency.distribution == Distribution::kMinExponential) {
    latency.spread = draw.Microseconds(0, us);
  }
  if (latency.distribution == Distribution::kLognormal) latency.sigma = draw.Probability(0, 1000);
  if (draw.Percent(20)) latency.ns_per_byte = draw.Number(1, 10);
  return latency;
}

void DrawCard(Draw& draw, scenario::ScenarioOptions& options) {
  hwsim::model::Profile& card = options.card;
  card.service_units = draw.Number(1, 8);
  if (draw.Percent(30)) {
    card.moderation = {.count = draw.Number(1, 8), .time = draw.Microseconds(0, 200)};
  }
  card.health = {.heartbeat = draw.Microseconds(50, 1000), .reset = draw.Microseconds(0, 3000)};
  if (draw.Percent(50)) card.transit = DrawLatency(draw, std::chrono::microseconds(20));
  options.mix.clear();
  for (const OperationKind kind : scenario::kMixKinds) {
    if (!draw.Percent(40)) continue;
    options.mix.push_back(kind);
    hwsim::model::OperationCost& cost = card.cost(kind);
    cost.service =
        DrawLatency(draw, draw.OneOf(std::array<Duration, 3>{std::chrono::microseconds(5),
                                                             std::chrono::microseconds(50),
                                                             std::chrono::microseconds(400)}));
    if (draw.Percent(15)) cost.rate_per_s_max = draw.Number(5'000, 100'000);
  }
  if (options.mix.empty()) options.mix.push_back(OperationKind::kSha256);
  options.queue_pairs = draw.Percent(50) ? 1 : draw.Number(2, 4);
  options.depth = draw.Percent(60) ? draw.Number(1, 4) : draw.Number(5, 24);
  options.size_bytes = draw.Number(1, 128);
}

void DrawEngine(Draw& draw, scenario::ScenarioOptions& options) {
  engine::Engine::Options& engine = options.engine;
  engine.retry =
      draw.Percent(80) ? engine::RetryPolicy::kWhenSpace : engine::RetryPolicy::kImmediate;
  engine.callback_when_space = draw.Percent(30);
  engine.watchdog_interval = draw.Microseconds(1000, 5000);
  if (draw.Percent(50)) engine.time_limit = draw.Microseconds(100, 10'000);
  if (draw.Percent(60)) {
    engine.recovery = {.attempts_max = draw.Number(1, 4),
                       .wait_for_restart = draw.Percent(50),
                       .software_fallback = draw.Percent(50)};
  }
  if (draw.Percent(60)) {
    engine.health.heartbeat_interval =
        2 * options.card.health.heartbeat + draw.Microseconds(0, 1000);
    engine.health.stale_looks_max = draw.Number(1, 3);
  }
  if (draw.Percent(60)) engine.health.stuck_limit = draw.Microseconds(1000, 10'000);
}

void DrawApplication(Draw& draw, scenario::ScenarioOptions& options) {
  options.notify = draw.Percent(50) ? load::Notify::kFd : load::Notify::kCallback;
  options.poll =
      draw.OneOf(std::array{scenario::ScenarioPoll::kAlways, scenario::ScenarioPoll::kHeuristic,
                            scenario::ScenarioPoll::kOnInterrupt});
  if (draw.Percent(20)) options.poll_quota = draw.Number(1, 4);
  // One job, as many as there are slots, or more than there are slots.
  const uint32_t slots = options.queue_pairs * options.depth;
  options.jobs = std::clamp(draw.OneOf(std::array<uint32_t, 4>{1, slots, 2 * slots, 4 * slots}),
                            uint32_t{1}, uint32_t{32});
  options.operations = std::max<uint32_t>(1, draw.Number(20, 200) / options.jobs);
  options.tamper = draw.Percent(5);
  // Lists instead of jobs.
  if (draw.Percent(8)) options.lists = draw.Number(2, 2 * options.depth);
  options.tasks = draw.Percent(40) && options.lists == 0;
  if (draw.Percent(30)) options.cancel = draw.Probability(5, 200);
  if (draw.Percent(30)) options.free_context = draw.Probability(5, 200);
  if (draw.Percent(20)) options.in_place = draw.Probability(5, 200);
  if (draw.Percent(20)) options.needless_resume = draw.Probability(5, 100);
  if (draw.Percent(20)) options.slow_resume = draw.Probability(100, 900);
  // A callback must not block, so an operation that it runs may not wait in place.
  options.resume_in_callback =
      draw.Percent(30) && options.notify == load::Notify::kCallback && options.in_place == 0;
}

void DrawTrigger(Draw& draw, Duration faults_end, FaultRule& rule) {
  const auto end_us = static_cast<uint32_t>(faults_end / std::chrono::microseconds(1));
  switch (draw.Number(0, 5)) {
    case 0:
    case 1:
      rule.probability = draw.Probability(5, 150);
      break;
    case 2:
      rule.every_nth = draw.Number(2, 30);
      break;
    case 3:
      rule.nth = draw.Number(1, 60);
      break;
    case 4:
      rule.at = draw.Microseconds(0, end_us - 1);
      break;
    default:
      rule.in_flight_min = draw.Number(1, 6);
      rule.count_max = draw.Number(1, 4);
      break;
  }
  if (draw.Percent(20)) rule.from = draw.Microseconds(0, end_us / 2);
  if (draw.Percent(20)) rule.count_max = draw.Number(1, 5);
}

void DrawParameters(Draw& draw, FaultRule& rule) {
  const hwsim::faults::FaultForm& form = hwsim::faults::FormOf(rule.kind);
  if (form.time) rule.time = draw.Microseconds(0, draw.Percent(50) ? 100 : 3000);
  // A hang with time 0 lasts until a reset.
  if (rule.kind == FaultKind::kCardHang && draw.Percent(50)) rule.time = Duration::zero();
  if (form.times) rule.times = draw.Number(1, 6);
  if (form.factor) rule.factor = draw.Number(1, 20);
  if (form.idle) rule.idle = draw.Microseconds(0, 100);
}

FaultRule DrawRule(Draw& draw, FaultKind kind, const scenario::ScenarioOptions& options) {
  const Duration faults_end = *options.faults_end;
  FaultRule rule{.kind = kind};
  DrawTrigger(draw, faults_end, rule);
  DrawParameters(draw, rule);
  if (draw.Percent(10)) rule.queue_pair = draw.Number(0, options.queue_pairs - 1);
  if (draw.Percent(10)) {
    rule.operation = options.mix[draw.Number(0, static_cast<uint32_t>(options.mix.size()) - 1)];
  }
  // No fault fires after the end of the faults.
  rule.until = faults_end;
  return rule;
}

void DrawFaults(Draw& draw, scenario::ScenarioOptions& options) {
  options.faults_end = draw.Microseconds(1000, 20'000);
  options.patience = std::chrono::seconds(2);
  // One scenario in ten has no faults; each of the others has a share of all kinds.
  const uint32_t share = draw.Percent(10) ? 0 : draw.OneOf(std::array<uint32_t, 3>{5, 15, 40});
  for (size_t i = 0; i < hwsim::faults::kFaultKindCount; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    // These faults leave little for the rest of the run to do, so they are rare.
    const bool rare = kind == FaultKind::kCardLost || kind == FaultKind::kInstancesExhausted;
    const bool drawn = draw.Percent(rare ? share / 4 : share);
    if (drawn) options.card.faults.rules.push_back(DrawRule(draw, kind, options));
  }
}

// Gives the operations a time limit when a job may wait in place for a response that never comes.
// Without a time limit the job may correctly wait without end, and the run would end as stuck.
void LimitWaitsInPlace(Draw& draw, scenario::ScenarioOptions& options) {
  const hwsim::faults::FaultPlan& faults = options.card.faults;
  const bool for_good = faults.Has(FaultKind::kCardHang) || faults.Has(FaultKind::kResponseDropped);
  if (options.in_place == 0 || !for_good || options.engine.time_limit) return;
  options.engine.time_limit = draw.Microseconds(100, 10'000);
}

}  // namespace

scenario::ScenarioOptions DrawScenario(uint64_t seed) {
  Draw draw(seed);
  scenario::ScenarioOptions options;
  options.card.name = "swarm";
  options.card.source = "drawn";
  options.seed = draw.Word() >> 1;
  DrawCard(draw, options);
  DrawEngine(draw, options);
  DrawApplication(draw, options);
  DrawFaults(draw, options);
  LimitWaitsInPlace(draw, options);
  return options;
}

std::optional<uint64_t> ParseSeed(std::string_view text) {
  const bool prefixed = text.starts_with("0x");
  const std::string_view digits = prefixed ? text.substr(2) : text;
  if (!prefixed && text.size() <= 20) {
    if (const auto decimal = hwsim::ParseNumber(text)) return decimal;
  }
  const bool hexadecimal = digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos;
  const bool fits = prefixed ? digits.size() <= 16 : digits.size() >= 7 && digits.size() <= 64;
  if (!hexadecimal || !fits) return std::nullopt;
  return hwsim::ParseNumber(digits.substr(0, 16), 16);
}

}  // namespace tools::simulate
