// Check: runs a program on the checking wait layer, and reports with call sites where the program's
// use of OpenSSL's asynchronous jobs breaks the manual's rules.
//
// Threads: RunCheck on the main thread (see checked_program.h).
#ifndef GHOSTCARD_TOOLS_CHECK_CHECK_H_
#define GHOSTCARD_TOOLS_CHECK_CHECK_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "hwsim/base/clock.h"
#include "hwsim/base/error.h"
#include "tools/check/checked_program.h"
#include "tools/check/symbols.h"
#include "waitctx/check/rule.h"

namespace tools::check {

struct CheckOptions {
  std::vector<std::string> command;           // the program and its arguments
  std::vector<waitctx::check::Rule> ignored;  // not reported
  hwsim::Duration callback_bound = std::chrono::milliseconds(10);
};

struct SiteFrame {
  SourcePlace place;
  std::string module;    // the path of the program or library; empty: not known
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
  std::vector<std::string> notes;  // what the report may lack, and why
};

// Why there is no report, with the exit code for it.
struct CheckFailure {
  int exit_code = 0;
  std::string message;
};

tl::expected<CheckReport, CheckFailure> RunCheck(const CheckOptions& options);

std::string CheckText(const CheckReport& report);
nlohmann::json ToJson(const CheckReport& report);

// 1: there are findings. Otherwise the program's own exit code, as a shell gives it (128 + N after
// signal N), with 3 in place of 1 and 2, which have another meaning here.
int CheckExitCode(const CheckReport& report);

}  // namespace tools::check

#endif  // GHOSTCARD_TOOLS_CHECK_CHECK_H_
