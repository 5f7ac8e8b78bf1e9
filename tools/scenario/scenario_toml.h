// Scenario files: a scenario with the counts that are expected of it (SCENARIOS.md lists the keys).
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_SCENARIO_SCENARIO_TOML_H_
#define GHOSTCARD_TOOLS_SCENARIO_SCENARIO_TOML_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/base/error.h"
#include "tools/scenario/scenario_options.h"

namespace tools::scenario {

// Both ends are included.
struct ExpectedCount {
  uint64_t min = 0;
  uint64_t max = UINT64_MAX;
};

struct ScenarioFile {
  std::string about;                 // what happens, in a sentence; may be empty
  std::string pain;                  // what people report from the field; may be empty
  ScenarioOptions options;           // `notify` is not set
  std::vector<load::Notify> notify;  // the scenario is run once with each
  // By way of notification, then by the name of a count of ScenarioResult.
  std::map<load::Notify, std::map<std::string, ExpectedCount>> expected;
};

// Both fail with a line for each mistake: "FILE:LINE: KEY: what was given; what is allowed".
// `origin` is the FILE in these lines.
hwsim::Expected<ScenarioFile> ParseScenario(std::string_view toml, std::string_view origin);
hwsim::Expected<ScenarioFile> LoadScenario(const std::string& path);

// A line for each broken rule and for each count that is not as expected. Empty: the run came out
// as expected.
std::vector<std::string> UnmetExpectations(const ScenarioFile& file, load::Notify notify,
                                           const ScenarioResult& result);

}  // namespace tools::scenario

#endif  // GHOSTCARD_TOOLS_SCENARIO_SCENARIO_TOML_H_
