#include "tools/scenario/scenario_toml_writer.h"

#include <fmt/format.h>

#include <optional>

#include "tools/load/notify.h"

namespace tools::scenario {

namespace {

using hwsim::Duration;
using hwsim::faults::FaultRule;
using hwsim::model::LatencyModel;

// Collects sections and lines of "key = value".
class TomlLines {
 public:
  void Section(std::string_view name) { text_ += fmt::format("\n{}\n", name); }
  void Line(std::string_view key, const std::string& value) {
    text_ += fmt::format("{} = {}\n", key, value);
  }
  // Writes a value that differs from its default.
  template <typename T>
  void Value(std::string_view key, const T& value, const T& default_value) {
    if (value != default_value) Line(key, Text(value));
  }
  template <typename T>
  void Maybe(std::string_view key, const std::optional<T>& value) {
    if (value) Line(key, Text(*value));
  }
  const std::string& text() const { return text_; }

  static std::string Text(Duration time) { return Quoted(hwsim::model::FormatDuration(time)); }
  static std::string Text(uint32_t value) { return fmt::format("{}", value); }
  static std::string Text(uint64_t value) { return fmt::format("{}", value); }
  static std::string Text(bool value) { return value ? "true" : "false"; }
  // The number with a fraction or an exponent, so that TOML reads it as an equal double.
  static std::string Text(double value) {
    std::string text = fmt::format("{}", value);
    if (text.find_first_of(".en") == text.npos) text += ".0";
    return text;
  }
  static std::string Quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return quoted + '"';
  }

 private:
  std::string text_;
};

std::string LatencyText(const LatencyModel& latency) {
  using Distribution = LatencyModel::Distribution;
  const std::string base = TomlLines::Text(latency.base);
  std::string text;
  switch (latency.distribution) {
    case Distribution::kFixed:
      text = fmt::format("distribution = \"fixed\", time = {}", base);
      break;
    case Distribution::kUniform:
      text = fmt::format("distribution = \"uniform\", min = {}, range = {}", base,
                         TomlLines::Text(latency.spread));
      break;
    case Distribution::kExponential:
      text = fmt::format("distribution = \"exponential\", mean = {}", base);
      break;
    case Distribution::kLognormal:
      text = fmt::format("distribution = \"lognormal\", median = {}, sigma = {}", base,
                         TomlLines::Text(latency.sigma));
      break;
    case Distribution::kMinExponential:
      text = fmt::format("distribution = \"min_exponential\", min = {}, mean_above_min = {}", base,
                         TomlLines::Text(latency.spread));
      break;
  }
  if (latency.ns_per_byte != 0) text += ", ns_per_byte = " + TomlLines::Text(latency.ns_per_byte);
  return "{ " + text + " }";
}

bool IsZero(const LatencyModel& latency) {
  return latency.distribution == LatencyModel::Distribution::kFixed &&
         latency.base == Duration::zero() && latency.ns_per_byte == 0;
}

void WriteRule(TomlLines& lines, const FaultRule& rule) {
  const FaultRule defaults{.kind = rule.kind};
  lines.Section("[[card.fault]]");
  lines.Line("kind", TomlLines::Quoted(hwsim::faults::FaultName(rule.kind)));
  lines.Value("probability", rule.probability, defaults.probability);
  lines.Value("every_nth", rule.every_nth, defaults.every_nth);
  lines.Value("nth", rule.nth, defaults.nth);
  lines.Maybe("at", rule.at);
  if (rule.operation) lines.Line("operation", TomlLines::Quoted(OperationName(*rule.operation)));
  lines.Maybe("queue_pair", rule.queue_pair);
  lines.Value("count_max", rule.count_max, defaults.count_max);
  lines.Value("in_flight_min", rule.in_flight_min, defaults.in_flight_min);
  lines.Maybe("from", rule.from);
  lines.Maybe("until", rule.until);
  lines.Maybe("time", rule.time);
  lines.Maybe("times", rule.times);
  lines.Maybe("factor", rule.factor);
  lines.Maybe("idle", rule.idle);
}

void WriteCard(TomlLines& lines, const hwsim::model::Profile& card) {
  const hwsim::model::Profile defaults;
  lines.Section("[card]");
  if (card.name != defaults.name) lines.Line("name", TomlLines::Quoted(card.name));
  if (card.source != defaults.source) lines.Line("source", TomlLines::Quoted(card.source));
  lines.Value("queue_pairs_max", card.queue_pairs_max, defaults.queue_pairs_max);
  lines.Value("depth", card.depth, defaults.depth);
  lines.Value("engines", card.service_units, defaults.service_units);
  lines.Line("moderation", fmt::format("{{ count = {}, time = {} }}", card.moderation.count,
                                       TomlLines::Text(card.moderation.time)));
  lines.Line("health",
             fmt::format("{{ heartbeat = {}, reset = {} }}", TomlLines::Text(card.health.heartbeat),
                         TomlLines::Text(card.health.reset)));
  if (!IsZero(card.transit)) lines.Line("transit", LatencyText(card.transit));
  for (size_t i = 0; i < hwsim::operations::kOperationKindCount; ++i) {
    const hwsim::model::OperationCost& cost = card.operations[i];
    if (IsZero(cost.service) && cost.rate_per_s_max == 0) continue;
    std::string text = "service = " + LatencyText(cost.service);
    if (cost.rate_per_s_max != 0)
      text += ", rate_per_s_max = " + TomlLines::Text(cost.rate_per_s_max);
    lines.Line(fmt::format("operation.{}",
                           OperationName(static_cast<hwsim::operations::OperationKind>(i))),
               "{ " + text + " }");
  }
  for (const FaultRule& rule : card.faults.rules) WriteRule(lines, rule);
}

void WriteEngine(TomlLines& lines, const engine::Engine::Options& options) {
  const engine::Engine::Options defaults;
  if (options.retry != defaults.retry) {
    lines.Line("retry", TomlLines::Quoted(engine::RetryPolicyName(options.retry)));
  }
  lines.Value("callback_when_space", options.callback_when_space, defaults.callback_when_space);
  lines.Maybe("time_limit", options.time_limit);
  lines.Value("watchdog_interval", options.watchdog_interval, defaults.watchdog_interval);
  lines.Value("attempts_max", options.recovery.attempts_max, defaults.recovery.attempts_max);
  lines.Value("wait_for_restart", options.recovery.wait_for_restart,
              defaults.recovery.wait_for_restart);
  lines.Value("software_fallback", options.recovery.software_fallback,
              defaults.recovery.software_fallback);
  lines.Value("heartbeat_interval", options.health.heartbeat_interval,
              defaults.health.heartbeat_interval);
  lines.Value("stale_looks_max", options.health.stale_looks_max, defaults.health.stale_looks_max);
  lines.Value("stuck_limit", options.health.stuck_limit, defaults.health.stuck_limit);
}

}  // namespace

std::string ScenarioToml(const ScenarioOptions& options) {
  const ScenarioOptions defaults;
  TomlLines lines;
  lines.Section("[run]");
  lines.Line("seed", TomlLines::Text(options.seed));
  lines.Line("queue_pairs", TomlLines::Text(options.queue_pairs));
  lines.Value("depth", options.depth, defaults.depth);
  lines.Line("notify", TomlLines::Quoted(load::NotifyName(options.notify)));
  lines.Line("poll", TomlLines::Quoted(hwsim::EnumNames<ScenarioPoll>::NameOf(options.poll)));
  lines.Value("poll_quota", options.poll_quota, defaults.poll_quota);
  lines.Value("synchronous", options.synchronous, defaults.synchronous);
  lines.Value("tasks", options.tasks, defaults.tasks);
  lines.Value("lists", options.lists, defaults.lists);
  lines.Line("jobs", TomlLines::Text(options.jobs));
  lines.Line("operations", TomlLines::Text(options.operations));
  lines.Value("size_bytes", options.size_bytes, defaults.size_bytes);
  std::string mix;
  for (const hwsim::operations::OperationKind kind : options.mix) {
    mix += (mix.empty() ? "" : ", ") + TomlLines::Quoted(OperationName(kind));
  }
  lines.Line("mix", "[" + mix + "]");
  lines.Value("tamper", options.tamper, defaults.tamper);
  lines.Value("cancel", options.cancel, defaults.cancel);
  lines.Value("free_context", options.free_context, defaults.free_context);
  lines.Value("in_place", options.in_place, defaults.in_place);
  lines.Value("needless_resume", options.needless_resume, defaults.needless_resume);
  lines.Value("slow_resume", options.slow_resume, defaults.slow_resume);
  lines.Value("resume_in_callback", options.resume_in_callback, defaults.resume_in_callback);
  lines.Maybe("free_contexts_at", options.free_contexts_at);
  lines.Maybe("faults_end", options.faults_end);
  lines.Line("patience", TomlLines::Text(options.patience));
  WriteEngine(lines, options.engine);
  WriteCard(lines, options.card);
  return lines.text().substr(1);
}

}  // namespace tools::scenario
