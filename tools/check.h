// Check: runs a program of somebody's own on the checking wait layer, and reports what in its use
// of OpenSSL's asynchronous jobs breaks the manual's rules, with call sites.
//
// Threads: Run on the main thread (see checked_program.h).
#ifndef GHOSTCARD_TOOLS_CHECK_H_
#define GHOSTCARD_TOOLS_CHECK_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "hwsim/clock.h"
#include "hwsim/error.h"
#include "tools/checked_program.h"
#include "tools/symbols.h"
#include "waitctx/check/rule.h"

namespace tools {

struct CheckOptions {
  std::vector<std::string> command;           // the program and its arguments
  std::vector<waitctx::check::Rule> ignored;  // not reported
  hwsim::Duration callback_bound = std::chrono::milliseconds(10);
};

struct SiteFrame {
  Place place;
  std::string module;    // the file's path; empty: not known
  uint64_t address = 0;  // in that file
};

struct CheckFinding {
  waitctx::check::Rule rule{};
  uint64_t count = 0;
  int64_t measure = 0;  // the largest, in the rule's unit
  std::vector<SiteFrame> site;
  std::vector<SiteFrame> origin;
};

struct CheckReport {
  std::vector<std::string> command;
  ProgramEnd end;
  std::vector<CheckFinding> findings;  // most frequent first
  uint64_t ignored = 0;                // findings of ignored rules
  uint64_t contexts = 0, jobs = 0, pauses = 0, resumes = 0, retries = 0, polls = 0, callbacks = 0;
  uint32_t processes = 0;
  std::vector<std::string> notes;  // what limits what was seen
};

// What went wrong before or instead of a report, with the exit code that tells it.
struct CheckFailure {
  int exit_code = 0;
  std::string message;
};

tl::expected<CheckReport, CheckFailure> RunCheck(const CheckOptions& options);

std::string CheckText(const CheckReport& report);
nlohmann::json ToJson(const CheckReport& report);

// 1: findings. Else the program's own, as a shell gives it (128 + N after signal N), but that
// 1 and 2, which mean something else here, become 3.
int CheckExitCode(const CheckReport& report);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_CHECK_H_
