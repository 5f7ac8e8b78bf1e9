// Every scenario of this folder: it happens as it is expected to, each time the same.
#include "tools/scenario/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/load/notify.h"
#include "tools/scenario/scenario_toml.h"

namespace tools {
namespace {

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator("tests/scenarios")) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  return files;
}

class ScenarioTest : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioTest, HappensAsExpected) {
  const auto file = scenario::LoadScenario(GetParam());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_FALSE(file->about.empty());
  EXPECT_FALSE(file->pain.empty());
  EXPECT_FALSE(file->expected.empty());
  for (const load::Notify notify : file->notify) {
    SCOPED_TRACE("told by " + std::string(load::NotifyName(notify)));
    scenario::ScenarioOptions options = file->options;
    options.notify = notify;
    const auto result = scenario::RunScenario(options);
    ASSERT_TRUE(result) << result.error().message;
    for (const std::string& line : scenario::UnmetExpectations(*file, notify, *result))
      ADD_FAILURE() << line;
    const auto again = scenario::RunScenario(options);
    EXPECT_EQ(again->counts, result->counts);
    EXPECT_EQ(again->fault_log, result->fault_log);
    EXPECT_EQ(again->took, result->took);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioTest, testing::ValuesIn(Files()), [](const auto& info) {
  return std::filesystem::path(info.param).stem().string();
});

TEST(ScenarioFilesTest, AreThere) { EXPECT_GE(Files().size(), 25u); }

// What is said of a scenario that is not as expected, and of mistakes in its file.
TEST(ScenarioFileTest, UnmetExpectationsAreNamed) {
  const auto file = scenario::ParseScenario(
      "[run]\njobs = 2\noperations = 3\n[expect]\nok = 7\nagain = { min = 1 }\n[expect_callback]\n"
      "ok = { min = 1, max = 6 }\n",
      "a.toml");
  ASSERT_TRUE(file) << file.error().message;
  const scenario::ScenarioResult result = scenario::RunScenario(file->options).value();
  EXPECT_EQ(scenario::UnmetExpectations(*file, load::Notify::kFd, result),
            (std::vector<std::string>{"again: 0; expected: at least 1", "ok: 6; expected: 7"}));
  EXPECT_EQ(scenario::UnmetExpectations(*file, load::Notify::kCallback, result),
            (std::vector<std::string>{"again: 0; expected: at least 1"}));
}

TEST(ScenarioFileTest, EveryMistakeIsReported) {
  const auto file = scenario::ParseScenario(
      "[card]\ndepht = 3\n[card.moderation]\ncount = 0\n[[card.fault]]\nkind = 'card_lost'\n"
      "[run]\nnotify = 'smoke'\nsynchronous = 1\n[expect]\nok = -1\nokay = 3\n",
      "a.toml");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message,
            "a.toml:4: card.moderation.count: 0 given; allowed: a whole number from 1 to 4096\n"
            "a.toml:5: card.fault[0].probability, every_nth, nth, at, in_flight_min, from, until: "
            "one of them is needed\n"
            "a.toml:2: card.depht: no such key; did you mean 'depth'?\n"
            "a.toml:8: run.notify: 'smoke' given; allowed: fd, callback, both\n"
            "a.toml:9: run.synchronous: 1 given; allowed: true or false\n"
            "a.toml:11: expect.ok: -1 given; allowed: a whole number from 0 up\n"
            "a.toml:12: expect.okay: no such key; did you mean 'ok'?");
}

}  // namespace
}  // namespace tools
