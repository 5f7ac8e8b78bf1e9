// SCENARIOS.md lists what scenario files take, and nothing else; its example is a scenario.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "tools/scenario/scenario.h"
#include "tools/scenario/scenario_toml.h"

namespace tools {
namespace {

using Keys = std::set<std::string>;

std::string Page() {
  std::ifstream file("tools/scenario/SCENARIOS.md");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What stands in backquotes in the first column, from a heading to the next.
Keys Listed(const std::string& heading) {
  std::istringstream lines(Page());
  Keys listed;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (!inside || !line.starts_with("| `")) continue;
    const std::string column = line.substr(2, line.find(" |", 2) - 2);
    for (size_t begin = column.find('`'); begin != std::string::npos;) {
      const size_t end = column.find('`', begin + 1);
      listed.insert(column.substr(begin + 1, end - begin - 1));
      begin = column.find('`', end + 1);
    }
  }
  return listed;
}

// What the parser allows there, by its own account.
Keys Known(const std::string& table) {
  const auto file = scenario::ParseScenario(table + "frobnicate_thoroughly = 1\n", "a.toml");
  EXPECT_FALSE(file);
  const std::string message = file ? "" : file.error().message;
  const std::string introduction = "no such key; allowed: ";
  const size_t begin = message.find(introduction);
  EXPECT_NE(begin, std::string::npos) << message;
  if (begin == std::string::npos) return {};
  std::istringstream names(message.substr(begin + introduction.size()));
  Keys known;
  for (std::string name; std::getline(names >> std::ws, name, ',');) known.insert(name);
  return known;
}

TEST(ScenariosPageTest, ListsEveryKeyAndNoOther) {
  EXPECT_EQ(Listed("The file"), Known(""));
  EXPECT_EQ(Listed("`[run]`"), Known("[run]\n"));
  EXPECT_EQ(Listed("`[expect]`"), Known("[expect]\n"));
}

TEST(ScenariosPageTest, ExampleHappensAsItExpects) {
  const std::string page = Page();
  const std::string opening = "```toml\n";
  const size_t begin = page.find(opening) + opening.size();
  const auto file =
      scenario::ParseScenario(page.substr(begin, page.find("```\n", begin) - begin), "page");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_FALSE(file->expected.empty());
  for (const load::Notify notify : file->notify) {
    scenario::ScenarioOptions options = file->options;
    options.notify = notify;
    const auto result = scenario::RunScenario(options);
    ASSERT_TRUE(result) << result.error().message;
    for (const std::string& line : scenario::UnmetExpectations(*file, notify, *result))
      ADD_FAILURE() << line;
  }
}

}  // namespace
}  // namespace tools
