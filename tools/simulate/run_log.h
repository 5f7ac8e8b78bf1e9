// The log of a run in a file: the scenario as TOML, followed by its events as comments. So a log is
// also a scenario file, and `ghostcard replay` takes both.
//
// Threads: one.
#ifndef GHOSTCARD_TOOLS_SIMULATE_RUN_LOG_H_
#define GHOSTCARD_TOOLS_SIMULATE_RUN_LOG_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hwsim/base/error.h"
#include "tools/scenario/event_log.h"
#include "tools/scenario/scenario_options.h"

namespace tools::simulate {

class RunLogFile {
 public:
  // Fails when the file cannot be written.
  static hwsim::Expected<std::unique_ptr<RunLogFile>> Create(
      const std::string& path, uint64_t seed, const scenario::ScenarioOptions& scenario);
  // Writes the event's line before it returns: the process may crash at any time after.
  void Append(const scenario::Event& event);
  // Writes why the run failed.
  void Failed(const std::string& what);
  // Writes the hash of a run that did not fail.
  void Ended(uint64_t hash);
  // Whether a line could not be written, for example because the disk is full.
  bool incomplete() const { return incomplete_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit RunLogFile(std::FILE* file) : file_(file) {}
  void Write(const std::string& text);
  const std::unique_ptr<std::FILE, Closer> file_;
  bool incomplete_ = false;
};

// The hash in the text of a log; nullopt when there is none, because the run failed.
std::optional<uint64_t> LoggedHash(std::string_view text);

}  // namespace tools::simulate

#endif  // GHOSTCARD_TOOLS_SIMULATE_RUN_LOG_H_
