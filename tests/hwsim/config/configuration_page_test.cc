// The page that lists the keys, against the parser that reads them.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "hwsim/config/profile_toml.h"

namespace hwsim::config {
namespace {

using std::chrono::microseconds;
using Keys = std::set<std::string>;

std::string Page(const std::string& name = "config/CONFIGURATION.md") {
  std::ifstream file("hwsim/" + name);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The page from a heading to the next.
std::string Section(const std::string& heading) {
  const std::string page = Page();
  const size_t begin = page.find("\n## " + heading + "\n");
  EXPECT_NE(begin, std::string::npos) << "no section " << heading;
  return begin == std::string::npos ? ""
                                    : page.substr(begin, page.find("\n## ", begin + 1) - begin);
}

// The first column of the section's table whose first heading is `column`.
Keys Listed(const std::string& heading, const std::string& column = "key") {
  std::istringstream lines(Section(heading));
  Keys listed;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    inside = line.starts_with("| " + column + " |") || (inside && line.starts_with("|"));
    if (inside && line.starts_with("| `")) listed.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return listed;
}

// What the parser allows where this file has a key that does not exist, by its own account.
Keys Known(const std::string& toml) {
  const auto profile = ParseProfile(toml, "a.toml");
  EXPECT_FALSE(profile);
  const std::string message = profile ? "" : profile.error().message;
  const std::string_view introduction = "no such key; allowed: ";
  const size_t begin = message.find(introduction);
  EXPECT_NE(begin, std::string::npos) << message;
  if (begin == std::string::npos) return {};
  std::istringstream names(message.substr(begin + introduction.size()));
  Keys known;
  for (std::string name; names >> name;) {
    const bool last = !name.ends_with(',');
    if (!last) name.pop_back();
    known.insert(name);
    if (last) break;
  }
  return known;
}

constexpr const char* kNoSuchKey = "frobnicate_thoroughly = 1\n";
const std::vector<std::string> kDistributions = {"fixed", "uniform", "exponential", "lognormal",
                                                 "min_exponential"};

TEST(ConfigurationPageTest, ListsTheKeysOfTheCard) {
  EXPECT_EQ(Listed("The card"), Known(kNoSuchKey));
}

TEST(ConfigurationPageTest, ListsTheKeysOfModeration) {
  EXPECT_EQ(Listed("`[moderation]`"), Known(std::string("[moderation]\n") + kNoSuchKey));
}

TEST(ConfigurationPageTest, ListsTheKeysOfHealth) {
  EXPECT_EQ(Listed("`[health]`"), Known(std::string("[health]\n") + kNoSuchKey));
}

TEST(ConfigurationPageTest, ListsTheKeysOfAnOperation) {
  EXPECT_EQ(Listed("`[operation.NAME]`"), Known(std::string("[operation.copy]\n") + kNoSuchKey));
}

TEST(ConfigurationPageTest, NamesEachOperation) {
  const std::string section = Section("`[operation.NAME]`");
  for (const std::string& name : Known(std::string("[operation]\n") + kNoSuchKey)) {
    EXPECT_NE(section.find("`" + name + "`"), std::string::npos) << name;
  }
}

TEST(ConfigurationPageTest, ListsTheKeysOfALatency) {
  Keys known;
  for (const std::string& distribution : kDistributions) {
    known.merge(
        Known("[transit]\ndistribution = \"" + distribution + "\"\n" + std::string(kNoSuchKey)));
  }
  EXPECT_EQ(Listed("Latencies"), known);
}

TEST(ConfigurationPageTest, ListsTheDistributions) {
  EXPECT_EQ(Listed("Latencies", "distribution"),
            Keys(kDistributions.begin(), kDistributions.end()));
  // And the parser knows no others.
  std::string names;
  for (const std::string& name : kDistributions) names += (names.empty() ? "" : ", ") + name;
  EXPECT_TRUE(ParseProfile("transit = { distribution = '' }", "a.toml")
                  .error()
                  .message.ends_with("allowed: " + names));
}

TEST(ConfigurationPageTest, ListsTheKeysOfAFault) {
  EXPECT_EQ(Listed("`[[fault]]`"), Known(std::string("[[fault]]\n") + kNoSuchKey));
}

// What the page's table says that a kind reads: "`time` 1ms, `times` 1".
std::string Reads(const faults::FaultForm& form) {
  std::string reads;
  const auto add = [&](const char* name, const std::string& value) {
    reads += (reads.empty() ? "" : ", ") + ("`" + std::string(name) + "` ") + value;
  };
  if (form.time) add("time", model::FormatDuration(*form.time));
  if (form.times) add("times", std::to_string(*form.times));
  if (form.factor) add("factor", std::to_string(static_cast<int>(*form.factor)));
  if (form.idle) add("idle", model::FormatDuration(*form.idle));
  return reads;
}

TEST(ConfigurationPageTest, ListsTheKindsOfFaultAndWhatTheyRead) {
  Keys kinds;
  const std::string section = Section("`[[fault]]`");
  for (const faults::FaultForm& form : faults::FaultForms()) {
    kinds.insert(std::string(form.name));
    const size_t row = section.find("\n| `" + std::string(form.name) + "` |");
    ASSERT_NE(row, std::string::npos) << form.name;
    EXPECT_NE(
        section.substr(row, section.find('\n', row + 1) - row).find("| " + Reads(form) + " |"),
        std::string::npos)
        << form.name << " reads " << Reads(form);
  }
  EXPECT_EQ(Listed("`[[fault]]`", "kind"), kinds);
}

TEST(FaultsPageTest, HasARowForEachKindAndForNoOther) {
  std::istringstream lines(Page("faults/FAULTS.md"));
  Keys rows;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    EXPECT_TRUE(rows.insert(line.substr(3, line.find('`', 3) - 3)).second) << "twice: " << line;
  }
  Keys kinds;
  for (const faults::FaultForm& form : faults::FaultForms()) kinds.insert(std::string(form.name));
  EXPECT_EQ(rows, kinds);
}

TEST(ConfigurationPageTest, NamesEachProfileThatShips) {
  const std::string page = Page();
  for (const std::string_view name : ShippedProfileNames()) {
    EXPECT_NE(page.find("`" + std::string(name) + "`"), std::string::npos) << name;
  }
}

TEST(ConfigurationPageTest, ExampleLoadsAsItReads) {
  const std::string page = Page();
  const std::string opening = "```toml\n";
  const size_t begin = page.find(opening);
  ASSERT_NE(begin, std::string::npos);
  const size_t text = begin + opening.size();
  const auto profile =
      ParseProfile(page.substr(text, page.find("```\n", text) - text), "CONFIGURATION.md");
  ASSERT_TRUE(profile) << profile.error().message;
  EXPECT_EQ(profile->name, "qat-4xxx-worn");
  EXPECT_EQ(profile->service_units, 8u);  // the base's
  EXPECT_EQ(profile->depth, 128u);
  EXPECT_EQ(profile->moderation.count, 32u);
  EXPECT_EQ(profile->transit.Mean(0), microseconds(437));
  EXPECT_EQ(profile->cost(operations::OperationKind::kRsa2048Sign).service.sigma, 0.2);
  EXPECT_EQ(profile->cost(operations::OperationKind::kNull).service.base, microseconds(1));
  ASSERT_EQ(profile->faults.rules.size(), 2u);
  EXPECT_EQ(profile->faults.rules[0].operation, operations::OperationKind::kRsa2048Sign);
  EXPECT_EQ(profile->faults.rules[1].count_max, 3u);
}

// The column "default" for what an empty file gives.
TEST(ConfigurationPageTest, DefaultsAreThoseOfAnEmptyFile) {
  const model::Profile profile = ParseProfile("", "a.toml").value();
  const std::string section = Section("The card");
  const std::pair<const char*, std::string> defaults[] = {
      {"name", "`\"" + profile.name + "\"`"},
      {"source", "`\"" + profile.source + "\"`"},
      {"queue_pairs_max", std::to_string(profile.queue_pairs_max)},
      {"depth", std::to_string(profile.depth)},
      {"engines", std::to_string(profile.service_units)}};
  for (const auto& [key, value] : defaults) {
    const size_t row = section.find("| `" + std::string(key) + "` |");
    ASSERT_NE(row, std::string::npos) << key;
    EXPECT_NE(section.substr(row, section.find('\n', row) - row).find(" | " + value + " | "),
              std::string::npos)
        << key << ": " << value;
  }
}

}  // namespace
}  // namespace hwsim::config
