#include "hwsim/config/profile_toml.h"

#include <array>

#include "hwsim/config/fault_toml.h"
#include "hwsim/config/known_names.h"
#include "hwsim/config/profile_table.h"
#include "hwsim/config/shipped_profiles.h"
#include "hwsim/config/toml_reader.h"

namespace hwsim::config {

namespace {

constexpr Duration kLatencyMax = std::chrono::hours(1);
constexpr Duration kModerationTimeMax = std::chrono::milliseconds(10);

// A distribution's name, and the keys of its parameters.
struct DistributionForm {
  std::string_view name;
  model::LatencyModel::Distribution distribution;
  std::string_view base;    // key of LatencyModel::base
  std::string_view spread;  // key of LatencyModel::spread; empty: the distribution has none
};
constexpr std::array<DistributionForm, 5> kDistributions = {{
    {"fixed", model::LatencyModel::Distribution::kFixed, "time", ""},
    {"uniform", model::LatencyModel::Distribution::kUniform, "min", "range"},
    {"exponential", model::LatencyModel::Distribution::kExponential, "mean", ""},
    {"lognormal", model::LatencyModel::Distribution::kLognormal, "median", ""},
    {"min_exponential", model::LatencyModel::Distribution::kMinExponential, "min",
     "mean_above_min"},
}};

// A latency: a time ("133us"), or a table with a distribution.
void ReadLatency(TomlReader& parent, std::string_view key, model::LatencyModel& latency) {
  const toml::node* const node = parent.Find(key);
  if (node == nullptr) return;
  if (!node->is_table()) {
    Duration time{};
    parent.Time(key, kLatencyMax, time);
    latency = {.base = time};
    return;
  }
  TomlReader reader(*node->as_table(), parent.path() + std::string(key) + ".", parent.mistakes());
  std::vector<std::string_view> names;
  for (const DistributionForm& form : kDistributions) names.push_back(form.name);
  const std::optional<size_t> choice = reader.Choice("distribution", names);
  // With an unknown distribution it is unknown which other keys are allowed.
  if (!choice && node->as_table()->contains("distribution")) return;
  const DistributionForm& form = kDistributions[choice.value_or(0)];
  latency = {.distribution = form.distribution};
  reader.Time(form.base, kLatencyMax, latency.base);
  if (!form.spread.empty()) reader.Time(form.spread, kLatencyMax, latency.spread);
  if (form.distribution == model::LatencyModel::Distribution::kLognormal) {
    reader.Number("sigma", 0, 4, latency.sigma);
  }
  reader.Number("ns_per_byte", 0, 1e6, latency.ns_per_byte);
  reader.RefuseTheRest();
}

void ReadOperations(const toml::table& table, const std::string& path, TomlMistakes& mistakes,
                    model::Profile& profile) {
  TomlReader reader(table, path, mistakes);
  for (size_t i = 0; i < operations::kOperationKindCount; ++i) {
    const std::string_view name =
        operations::OperationName(static_cast<operations::OperationKind>(i));
    const toml::table* const operation = reader.Table(name);
    if (operation == nullptr) continue;
    TomlReader cost(*operation, reader.path() + std::string(name) + ".", mistakes);
    ReadLatency(cost, "service", profile.operations[i].service);
    double& rate = profile.operations[i].rate_per_s_max;
    cost.Number("rate_per_s_max", 0, model::kRatePerSecondMax, rate);
    if (rate > 0 && rate < model::kRatePerSecondMin) {
      cost.Mistake(*operation->get("rate_per_s_max"), "rate_per_s_max",
                   "slower than 0.001 given; allowed: 0 (no cap), or a number from 0.001 up");
    }
    cost.RefuseTheRest();
  }
  reader.RefuseTheRest();
}

void ReadProfile(TomlReader& reader, TomlMistakes& mistakes, model::Profile& profile) {
  reader.String("name", profile.name);
  reader.String("source", profile.source);
  reader.Integer("queue_pairs_max", 1, 1024, profile.queue_pairs_max);
  reader.Integer("depth", 1, 32768, profile.depth);
  reader.Integer("engines", 1, 65536, profile.service_units);
  if (const toml::table* const table = reader.Table("moderation")) {
    TomlReader moderation(*table, reader.path() + "moderation.", mistakes);
    moderation.Integer("count", 1, 4096, profile.moderation.count);
    moderation.Time("time", kModerationTimeMax, profile.moderation.time);
    moderation.RefuseTheRest();
  }
  if (const toml::table* const table = reader.Table("health")) {
    TomlReader health(*table, reader.path() + "health.", mistakes);
    health.Time("heartbeat", model::kHeartbeatMax, profile.health.heartbeat);
    if (profile.health.heartbeat < model::kHeartbeatMin) {
      health.Mistake(*table->get("heartbeat"), "heartbeat", "shorter than \"1us\"");
    }
    health.Time("reset", model::kResetMax, profile.health.reset);
    health.RefuseTheRest();
  }
  ReadLatency(reader, "transit", profile.transit);
  if (const toml::table* const table = reader.Table("operation")) {
    ReadOperations(*table, reader.path() + "operation.", mistakes, profile);
  }
  if (const toml::array* const faults = reader.Tables("fault")) {
    profile.faults.rules.clear();  // the list replaces that of the shipped profile
    for (size_t i = 0; i < faults->size(); ++i) {
      profile.faults.rules.push_back(ReadFaultRule(
          *faults->get(i)->as_table(), reader.path() + "fault[" + std::to_string(i) + "].",
          profile.queue_pairs_max, mistakes));
    }
  }
  reader.RefuseTheRest();
}

}  // namespace

void ReadProfileTable(const toml::table& table, const std::string& path, TomlMistakes& mistakes,
                      model::Profile& profile) {
  TomlReader reader(table, path, mistakes);
  if (std::string base; table.contains("profile")) {
    reader.String("profile", base);
    if (auto shipped = ShippedProfile(base)) {
      profile = std::move(*shipped);
    } else if (table.get("profile")->is_string()) {
      reader.Mistake(*table.get("profile"), "profile", shipped.error().message);
    }
  }
  reader.Find("profile");
  ReadProfile(reader, mistakes, profile);
}

Expected<model::Profile> ParseProfile(std::string_view toml, std::string_view origin) {
  const auto parsed = ParseToml(toml, origin);
  if (!parsed) return Unexpected(parsed.error());
  TomlMistakes mistakes{.origin = std::string(origin), .lines = {}};
  model::Profile profile;
  ReadProfileTable(*parsed, "", mistakes, profile);
  if (!mistakes.lines.empty()) return Unexpected(mistakes.Message());
  return profile.Validate().map([&] { return std::move(profile); }).map_error([&](Error error) {
    error.message.insert(0, std::string(origin) + ": ");
    return error;
  });
}

Expected<model::Profile> LoadProfile(const std::string& path) {
  auto text = ReadTextFile(path);
  if (!text) return Unexpected(std::move(text.error()));
  return ParseProfile(*text, path);
}

std::span<const std::string_view> ShippedProfileNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const ShippedProfileText& profile : ShippedProfileTexts()) list.push_back(profile.name);
    return list;
  }();
  return names;
}

Expected<model::Profile> ShippedProfile(std::string_view name) {
  for (const ShippedProfileText& profile : ShippedProfileTexts()) {
    if (profile.name == name) return ParseProfile(profile.toml, std::string(name) + ".toml");
  }
  return Unexpected("'" + std::string(name) +
                    "' given; profiles that ship: " + JoinedNames(ShippedProfileNames()));
}

}  // namespace hwsim::config
