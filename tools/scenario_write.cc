#include "tools/scenario_write.h"

#include <fmt/format.h>

#include <optional>

namespace tools {

namespace {

using hwsim::Duration;
using hwsim::FaultRule;
using hwsim::LatencyModel;

// Lines of "key = value", those that are not the default.
class Writer {
 public:
  void Section(std::string_view name) { text_ += fmt::format("\n{}\n", name); }
  void Line(std::string_view key, const std::string& value) {
    text_ += fmt::format("{} = {}\n", key, value);
  }
  template <typename T>
  void Value(std::string_view key, const T& value, const T& usual) {
    if (value != usual) Line(key, Text(value));
  }
  template <typename T>
  void Maybe(std::string_view key, const std::optional<T>& value) {
    if (value) Line(key, Text(*value));
  }
  const std::string& text() const { return text_; }

  static std::string Text(Duration time) { return Quoted(hwsim::FormatDuration(time)); }
  static std::string Text(uint32_t value) { return fmt::format("{}", value); }
  static std::string Text(uint64_t value) { return fmt::format("{}", value); }
  static std::string Text(bool value) { return value ? "true" : "false"; }
  // A number that reads as one with a fraction, and as the same.
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
  const std::string base = Writer::Text(latency.base);
  std::string text;
  switch (latency.distribution) {
    case Distribution::kFixed:
      text = fmt::format("distribution = \"fixed\", time = {}", base);
      break;
    case Distribution::kUniform:
      text = fmt::format("distribution = \"uniform\", min = {}, range = {}", base,
                         Writer::Text(latency.spread));
      break;
    case Distribution::kExponential:
      text = fmt::format("distribution = \"exponential\", mean = {}", base);
      break;
    case Distribution::kLognormal:
      text = fmt::format("distribution = \"lognormal\", median = {}, sigma = {}", base,
                         Writer::Text(latency.sigma));
      break;
    case Distribution::kMinExponential:
      text = fmt::format("distribution = \"min_exponential\", min = {}, mean_above_min = {}", base,
                         Writer::Text(latency.spread));
      break;
  }
  if (latency.ns_per_byte != 0) text += ", ns_per_byte = " + Writer::Text(latency.ns_per_byte);
  return "{ " + text + " }";
}

bool IsNothing(const LatencyModel& latency) {
  return latency.distribution == LatencyModel::Distribution::kFixed &&
         latency.base == Duration::zero() && latency.ns_per_byte == 0;
}

void WriteRule(Writer& writer, const FaultRule& rule) {
  const FaultRule usual{.kind = rule.kind};
  writer.Section("[[card.fault]]");
  writer.Line("kind", Writer::Quoted(hwsim::FaultName(rule.kind)));
  writer.Value("probability", rule.probability, usual.probability);
  writer.Value("every_nth", rule.every_nth, usual.every_nth);
  writer.Value("nth", rule.nth, usual.nth);
  writer.Maybe("at", rule.at);
  if (rule.operation) writer.Line("operation", Writer::Quoted(OperationName(*rule.operation)));
  writer.Maybe("queue_pair", rule.queue_pair);
  writer.Value("count_max", rule.count_max, usual.count_max);
  writer.Value("in_flight_min", rule.in_flight_min, usual.in_flight_min);
  writer.Maybe("from", rule.from);
  writer.Maybe("until", rule.until);
  writer.Maybe("time", rule.time);
  writer.Maybe("times", rule.times);
  writer.Maybe("factor", rule.factor);
  writer.Maybe("idle", rule.idle);
}

void WriteCard(Writer& writer, const hwsim::Profile& card) {
  const hwsim::Profile usual;
  writer.Section("[card]");
  if (card.name != usual.name) writer.Line("name", Writer::Quoted(card.name));
  if (card.source != usual.source) writer.Line("source", Writer::Quoted(card.source));
  writer.Value("queue_pairs_max", card.queue_pairs_max, usual.queue_pairs_max);
  writer.Value("depth", card.depth, usual.depth);
  writer.Value("engines", card.service_units, usual.service_units);
  writer.Line("moderation", fmt::format("{{ count = {}, time = {} }}", card.moderation.count,
                                        Writer::Text(card.moderation.time)));
  writer.Line("health",
              fmt::format("{{ heartbeat = {}, reset = {} }}", Writer::Text(card.health.heartbeat),
                          Writer::Text(card.health.reset)));
  if (!IsNothing(card.transit)) writer.Line("transit", LatencyText(card.transit));
  for (size_t i = 0; i < hwsim::kOperationKindCount; ++i) {
    const hwsim::OperationCost& cost = card.operations[i];
    if (IsNothing(cost.service) && cost.rate_per_s_max == 0) continue;
    std::string text = "service = " + LatencyText(cost.service);
    if (cost.rate_per_s_max != 0) text += ", rate_per_s_max = " + Writer::Text(cost.rate_per_s_max);
    writer.Line(fmt::format("operation.{}", OperationName(static_cast<hwsim::OperationKind>(i))),
                "{ " + text + " }");
  }
  for (const FaultRule& rule : card.faults.rules) WriteRule(writer, rule);
}

void WriteEngine(Writer& writer, const engine::Engine::Options& options) {
  const engine::Engine::Options usual;
  if (options.retry != usual.retry) {
    writer.Line("retry", Writer::Quoted(engine::RetryPolicyName(options.retry)));
  }
  writer.Value("callback_when_space", options.callback_when_space, usual.callback_when_space);
  writer.Maybe("time_limit", options.time_limit);
  writer.Value("watchdog_interval", options.watchdog_interval, usual.watchdog_interval);
  writer.Value("attempts_max", options.recovery.attempts_max, usual.recovery.attempts_max);
  writer.Value("wait_for_restart", options.recovery.wait_for_restart,
               usual.recovery.wait_for_restart);
  writer.Value("software_fallback", options.recovery.software_fallback,
               usual.recovery.software_fallback);
  writer.Value("heartbeat_interval", options.health.heartbeat_interval,
               usual.health.heartbeat_interval);
  writer.Value("stale_looks_max", options.health.stale_looks_max, usual.health.stale_looks_max);
  writer.Value("stuck_limit", options.health.stuck_limit, usual.health.stuck_limit);
}

std::string_view PollName(ScenarioPoll poll) {
  switch (poll) {
    case ScenarioPoll::kAlways:
      return "always";
    case ScenarioPoll::kHeuristic:
      return "heuristic";
    case ScenarioPoll::kOnInterrupt:
      break;
  }
  return "on_interrupt";
}

}  // namespace

std::string ScenarioToml(const ScenarioOptions& options) {
  const ScenarioOptions usual;
  Writer writer;
  writer.Section("[run]");
  writer.Line("seed", Writer::Text(options.seed));
  writer.Line("queue_pairs", Writer::Text(options.queue_pairs));
  writer.Value("depth", options.depth, usual.depth);
  writer.Line("notify", Writer::Quoted(NotifyName(options.notify)));
  writer.Line("poll", Writer::Quoted(PollName(options.poll)));
  writer.Value("poll_quota", options.poll_quota, usual.poll_quota);
  writer.Value("synchronous", options.synchronous, usual.synchronous);
  writer.Value("tasks", options.tasks, usual.tasks);
  writer.Value("lists", options.lists, usual.lists);
  writer.Line("jobs", Writer::Text(options.jobs));
  writer.Line("operations", Writer::Text(options.operations));
  writer.Value("size_bytes", options.size_bytes, usual.size_bytes);
  std::string mix;
  for (const hwsim::OperationKind kind : options.mix) {
    mix += (mix.empty() ? "" : ", ") + Writer::Quoted(OperationName(kind));
  }
  writer.Line("mix", "[" + mix + "]");
  writer.Value("tamper", options.tamper, usual.tamper);
  writer.Value("cancel", options.cancel, usual.cancel);
  writer.Value("free_context", options.free_context, usual.free_context);
  writer.Value("in_place", options.in_place, usual.in_place);
  writer.Value("needless_resume", options.needless_resume, usual.needless_resume);
  writer.Value("slow_resume", options.slow_resume, usual.slow_resume);
  writer.Value("resume_in_callback", options.resume_in_callback, usual.resume_in_callback);
  writer.Maybe("free_contexts_at", options.free_contexts_at);
  writer.Maybe("faults_end", options.faults_end);
  writer.Line("patience", Writer::Text(options.patience));
  WriteEngine(writer, options.engine);
  WriteCard(writer, options.card);
  return writer.text().substr(1);
}

}  // namespace tools
