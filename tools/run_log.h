// A run's log in a file: the scenario as TOML, and what happened as comments behind it. So a log
// is a scenario file as well, and a scenario file can be replayed as a log.
//
// Threads: one.
#ifndef GHOSTCARD_TOOLS_RUN_LOG_H_
#define GHOSTCARD_TOOLS_RUN_LOG_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hwsim/error.h"
#include "tools/event_log.h"
#include "tools/scenario.h"

namespace tools {

class RunLogFile {
 public:
  // Fails when the file cannot be written.
  static hwsim::Expected<std::unique_ptr<RunLogFile>> Create(const std::string& path, uint64_t seed,
                                                             const ScenarioOptions& scenario);
  // Each line is in the file when this returns: the next may be the last.
  void Append(const Event& event);
  void Failed(const std::string& what);
  void Ended(uint64_t hash);
  // Whether something could not be written, as on a full disk.
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

// The hash that a log in this form says that the run had; none: it did not get there.
std::optional<uint64_t> LoggedHash(std::string_view text);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_RUN_LOG_H_
