// A scenario from a file, with the outcome that is expected of it (SCENARIOS.md lists
// the keys).
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_SCENARIO_TOML_H_
#define GHOSTCARD_TOOLS_SCENARIO_TOML_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/error.h"
#include "tools/scenario.h"

namespace tools {

struct ExpectedCount {
  uint64_t least = 0;
  uint64_t most = UINT64_MAX;
};

struct ScenarioFile {
  std::string about;  // what happens, in a sentence
  std::string pain;   // what people report; may be empty
  ScenarioOptions options;
  std::vector<Notify> notify;  // run once with each
  // By the name of a ScenarioResult's count, for each way to be told.
  std::map<Notify, std::map<std::string, ExpectedCount>> expected;
};

// Fails with every mistake, one to a line: FILE:LINE: KEY: what was given; what is allowed.
hwsim::Expected<ScenarioFile> ParseScenario(std::string_view toml, std::string_view origin);
hwsim::Expected<ScenarioFile> LoadScenario(const std::string& path);

// What is not as expected, a line each; none: all is.
std::vector<std::string> Unmet(const ScenarioFile& file, Notify notify,
                               const ScenarioResult& result);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_SCENARIO_TOML_H_
