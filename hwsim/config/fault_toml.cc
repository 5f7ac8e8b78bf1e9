#include "hwsim/config/fault_toml.h"

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "hwsim/config/known_names.h"

namespace hwsim::config {

namespace {

constexpr int64_t kIntegerMax = std::numeric_limits<int64_t>::max();

std::vector<std::string_view> KindNames() {
  std::vector<std::string_view> names;
  for (const faults::FaultForm& form : faults::FaultForms()) names.push_back(form.name);
  return names;
}

// Reads a time. `value` stays empty when the key is not there.
void ReadTime(TomlReader& reader, std::string_view key, std::optional<Duration>& value) {
  if (reader.Find(key) == nullptr) return;
  Duration time{};
  reader.Time(key, faults::kFaultTimeMax, time);
  value = time;
}

void ReadTrigger(TomlReader& reader, const toml::table& table, faults::FaultRule& rule) {
  reader.Number("probability", TomlReader::kAboveZero, 1, rule.probability);
  reader.Integer("every_nth", 1, kIntegerMax, rule.every_nth);
  reader.Integer("nth", 1, kIntegerMax, rule.nth);
  ReadTime(reader, "at", rule.at);
  const int given = table.contains("probability") + table.contains("every_nth") +
                    table.contains("nth") + table.contains("at");
  if (given > 1) {
    reader.Mistake(table, "probability, every_nth, nth, at", "only one of them is allowed");
  }
  reader.Integer("in_flight_min", 1, 32768, rule.in_flight_min);
  ReadTime(reader, "from", rule.from);
  ReadTime(reader, "until", rule.until);
  if (rule.from && rule.until && *rule.until <= *rule.from) {
    reader.Mistake(*table.get("until"), "until", "not later than from");
  }
  if (given == 0 && !table.contains("in_flight_min") && !rule.from && !rule.until) {
    reader.Mistake(table, faults::kFaultTriggers, "one of them is needed");
  }
}

// Whether the file gives `key`. A key that the fault's kind does not read is a mistake.
bool IsGiven(TomlReader& reader, const faults::FaultForm& form, std::string_view key, bool read) {
  const toml::node* const node = reader.Find(key);
  if (node == nullptr || read) return node != nullptr;
  reader.Mistake(*node, key, std::string(form.name) + " does not read it");
  return false;
}

void ReadParameters(TomlReader& reader, const faults::FaultForm& form, faults::FaultRule& rule) {
  if (IsGiven(reader, form, "time", form.time.has_value())) ReadTime(reader, "time", rule.time);
  if (IsGiven(reader, form, "times", form.times.has_value())) {
    uint32_t times = 1;
    reader.Integer("times", 1, faults::kFaultTimesMax, times);
    rule.times = times;
  }
  if (IsGiven(reader, form, "factor", form.factor.has_value())) {
    double factor = 1;
    reader.Number("factor", 1, faults::kFaultFactorMax, factor);
    rule.factor = factor;
  }
  if (IsGiven(reader, form, "idle", form.idle.has_value())) ReadTime(reader, "idle", rule.idle);
}

}  // namespace

faults::FaultRule ReadFaultRule(const toml::table& table, const std::string& path,
                                uint32_t queue_pairs_max, TomlMistakes& mistakes) {
  TomlReader reader(table, path, mistakes);
  const std::vector<std::string_view> kinds = KindNames();
  faults::FaultRule rule;
  const std::optional<size_t> kind = reader.Choice("kind", kinds);
  if (kind) {
    rule.kind = static_cast<faults::FaultKind>(*kind);
  } else if (!table.contains("kind")) {
    reader.Mistake(table, "kind", "not given; one of " + JoinedNames(kinds) + " is needed");
  }
  ReadTrigger(reader, table, rule);
  rule.operation = reader.Choice<operations::OperationKind>("operation");
  uint32_t queue_pair = 0;
  reader.Integer("queue_pair", 0, int64_t{queue_pairs_max} - 1, queue_pair);
  if (table.contains("queue_pair")) rule.queue_pair = queue_pair;
  reader.Integer("count_max", 1, kIntegerMax, rule.count_max);
  if (kind) {
    ReadParameters(reader, faults::FormOf(rule.kind), rule);
  } else {
    // An unknown kind: it is unknown which of these keys are allowed. None is a mistake.
    for (const std::string_view key : {"time", "times", "factor", "idle"}) reader.Find(key);
  }
  reader.RefuseTheRest();
  return rule;
}

}  // namespace hwsim::config
