#include "tools/scenario/scenario_toml.h"

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "hwsim/base/enum_names.h"
#include "hwsim/config/profile_table.h"
#include "hwsim/config/toml_reader.h"
#include "tools/load/notify.h"

namespace tools::scenario {

namespace {

using hwsim::Duration;
using hwsim::config::TomlMistakes;
using hwsim::config::TomlReader;

constexpr Duration kTimeMax = std::chrono::hours(1);
constexpr int64_t kCountMax = std::numeric_limits<int64_t>::max();

// The names of a ScenarioResult's counts, besides the names of the outcomes.
constexpr auto kCounts = std::to_array<std::string_view>(
    {"wrong", "stuck", "again", "err", "wakes", "callbacks", "spurious", "in_software", "late",
     "retried", "resets", "false_alarms", "told_again", "left_on_card", "faults", "interrupts"});

// Reads a time. Without the key `value` stays as it is.
void ReadTime(TomlReader& reader, std::string_view key, std::optional<Duration>& value) {
  if (reader.Find(key) == nullptr) return;
  Duration time{};
  reader.Time(key, kTimeMax, time);
  value = time;
}

// Reads the name of one way to notify a job, or "both".
void ReadNotify(TomlReader& reader, std::vector<load::Notify>& notify) {
  using Names = hwsim::EnumNames<load::Notify>;
  static_assert(Names::kCount == 2, "\"both\" means every way");
  constexpr auto kNames = Names::All();
  const auto chosen = reader.Choice("notify", {kNames[0], kNames[1], "both"});
  if (!chosen) return;
  notify.clear();
  for (size_t i = 0; i < Names::kCount; ++i) {
    if (i == *chosen || *chosen == Names::kCount) notify.push_back(Names::kEntries[i].value);
  }
}

void ReadEngine(TomlReader& reader, engine::Engine::Options& options) {
  options.retry = reader.Choice<engine::RetryPolicy>("retry").value_or(options.retry);
  ReadTime(reader, "time_limit", options.time_limit);
  reader.Time("watchdog_interval", kTimeMax, options.watchdog_interval);
  reader.Integer("attempts_max", 1, 100, options.recovery.attempts_max);
  reader.Bool("wait_for_restart", options.recovery.wait_for_restart);
  reader.Bool("software_fallback", options.recovery.software_fallback);
  reader.Bool("callback_when_space", options.callback_when_space);
  reader.Time("heartbeat_interval", kTimeMax, options.health.heartbeat_interval);
  reader.Integer("stale_looks_max", 1, 1000, options.health.stale_looks_max);
  reader.Time("stuck_limit", kTimeMax, options.health.stuck_limit);
}

std::string MixNames() {
  std::string names;
  for (const hwsim::operations::OperationKind kind : kMixKinds) {
    if (!names.empty()) names += ", ";
    names += OperationName(kind);
  }
  return names;
}

std::optional<hwsim::operations::OperationKind> MixKind(std::string_view name) {
  for (const hwsim::operations::OperationKind kind : kMixKinds) {
    if (name == OperationName(kind)) return kind;
  }
  return std::nullopt;
}

void ReadMix(TomlReader& reader, std::vector<hwsim::operations::OperationKind>& mix) {
  const toml::node* const node = reader.Find("mix");
  if (node == nullptr) return;
  const auto refuse = [&](const std::string& given) {
    reader.Mistake(*node, "mix", given + " given; allowed: a list of " + MixNames());
  };
  const toml::array* const names = node->as_array();
  if (names == nullptr) return refuse("no list");
  if (names->empty()) return refuse("an empty list");
  std::vector<hwsim::operations::OperationKind> kinds;
  for (const toml::node& entry : *names) {
    const auto name = entry.value_or<std::string>("a value that is no name");
    const auto kind = MixKind(name);
    if (!kind) return refuse("'" + name + "'");
    kinds.push_back(*kind);
  }
  mix = std::move(kinds);
}

void ReadChances(TomlReader& reader, ScenarioOptions& options) {
  reader.Number("cancel", 0, 1, options.cancel);
  reader.Number("free_context", 0, 1, options.free_context);
  reader.Number("in_place", 0, 1, options.in_place);
  reader.Number("needless_resume", 0, 1, options.needless_resume);
  // With 1 a notified job would never be resumed, and never end.
  reader.Number("slow_resume", 0, 0.99, options.slow_resume);
  reader.Bool("resume_in_callback", options.resume_in_callback);
}

void ReadRun(const toml::table& table, TomlMistakes& mistakes, ScenarioFile& file) {
  ScenarioOptions& options = file.options;
  TomlReader reader(table, "run.", mistakes);
  reader.Integer("queue_pairs", 1, 1024, options.queue_pairs);
  reader.Integer("depth", 1, 32768, options.depth);
  reader.Integer("seed", 0, kCountMax, options.seed);
  ReadNotify(reader, file.notify);
  options.poll = reader.Choice<ScenarioPoll>("poll").value_or(options.poll);
  reader.Integer("poll_quota", 0, 1'000'000, options.poll_quota);
  reader.Bool("synchronous", options.synchronous);
  reader.Bool("tasks", options.tasks);
  reader.Integer("lists", 0, 1024, options.lists);
  reader.Integer("jobs", 1, 10'000, options.jobs);
  reader.Integer("operations", 1, 1'000'000, options.operations);
  reader.Integer("size_bytes", 1, 1'000'000, options.size_bytes);
  ReadMix(reader, options.mix);
  reader.Bool("tamper", options.tamper);
  ReadChances(reader, options);
  ReadTime(reader, "free_contexts_at", options.free_contexts_at);
  ReadTime(reader, "faults_end", options.faults_end);
  reader.Time("patience", kTimeMax, options.patience);
  ReadEngine(reader, options.engine);
  if (options.lists != 0 && !options.faults_end) {
    reader.Mistake(*reader.Find("lists"), "lists",
                   "allowed: with faults_end, the time at which the lists end");
  }
  reader.RefuseTheRest();
}

void ReadCount(TomlReader& reader, std::string_view name,
               std::map<std::string, ExpectedCount>& expected) {
  const toml::node* const node = reader.Find(name);
  if (node == nullptr) return;
  ExpectedCount& count = expected[std::string(name)];
  if (const toml::table* const table = node->as_table()) {
    TomlReader range(*table, reader.path() + std::string(name) + ".", reader.mistakes());
    range.Integer("min", 0, kCountMax, count.min);
    range.Integer("max", 0, kCountMax, count.max);
    range.RefuseTheRest();
    return;
  }
  reader.Integer(name, 0, kCountMax, count.min);
  count.max = count.min;
}

void ReadExpected(TomlReader& parent, std::string_view key, const std::vector<load::Notify>& ways,
                  ScenarioFile& file) {
  const toml::table* const table = parent.Table(key);
  if (table == nullptr) return;
  std::map<std::string, ExpectedCount> expected;
  TomlReader reader(*table, std::string(key) + ".", parent.mistakes());
  for (const std::string_view name : hwsim::EnumNames<engine::Outcome>::All()) {
    ReadCount(reader, name, expected);
  }
  for (const std::string_view name : kCounts) ReadCount(reader, name, expected);
  reader.RefuseTheRest();
  for (const load::Notify notify : ways) {
    for (const auto& [name, count] : expected) file.expected[notify][name] = count;
  }
}

}  // namespace

hwsim::Expected<ScenarioFile> ParseScenario(std::string_view toml, std::string_view origin) {
  const auto parsed = hwsim::config::ParseToml(toml, origin);
  if (!parsed) return hwsim::Unexpected(parsed.error());
  TomlMistakes mistakes{.origin = std::string(origin), .lines = {}};
  TomlReader reader(*parsed, "", mistakes);
  ScenarioFile file{.notify = {load::Notify::kFd, load::Notify::kCallback}};
  reader.String("about", file.about);
  reader.String("pain", file.pain);
  if (const toml::table* const card = reader.Table("card")) {
    hwsim::config::ReadProfileTable(*card, "card.", mistakes, file.options.card);
  }
  if (const toml::table* const run = reader.Table("run")) ReadRun(*run, mistakes, file);
  ReadExpected(reader, "expect", {load::Notify::kFd, load::Notify::kCallback}, file);
  ReadExpected(reader, "expect_fd", {load::Notify::kFd}, file);
  ReadExpected(reader, "expect_callback", {load::Notify::kCallback}, file);
  reader.RefuseTheRest();
  if (!mistakes.lines.empty()) return hwsim::Unexpected(mistakes.Message());
  if (auto valid = file.options.card.Validate(); !valid) {
    return hwsim::Unexpected(std::string(origin) + ": card: " + valid.error().message);
  }
  return file;
}

hwsim::Expected<ScenarioFile> LoadScenario(const std::string& path) {
  const auto text = hwsim::config::ReadTextFile(path);
  if (!text) return hwsim::Unexpected(text.error());
  return ParseScenario(*text, path);
}

std::vector<std::string> UnmetExpectations(const ScenarioFile& file, load::Notify notify,
                                           const ScenarioResult& result) {
  std::vector<std::string> unmet = result.broken;
  const auto expected = file.expected.find(notify);
  if (expected == file.expected.end()) return unmet;
  for (const auto& [name, count] : expected->second) {
    const uint64_t given = result.count(name);
    if (given >= count.min && given <= count.max) continue;
    std::string line = name + ": " + std::to_string(given) + "; expected: ";
    line += count.min == count.max ? std::to_string(count.min)
            : count.max == UINT64_MAX
                ? "at least " + std::to_string(count.min)
                : std::to_string(count.min) + " to " + std::to_string(count.max);
    unmet.push_back(std::move(line));
  }
  return unmet;
}

}  // namespace tools::scenario
