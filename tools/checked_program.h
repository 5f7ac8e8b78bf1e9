// CheckedProgram: a program run on the checking library, and what it left in the report file.
//
// Threads: Run on the main thread, of a process that has no other: it forks, and waits for signals.
// While the program runs, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on to
// it (those of the terminal reach it without us) and end nobody here.
#ifndef GHOSTCARD_TOOLS_CHECKED_PROGRAM_H_
#define GHOSTCARD_TOOLS_CHECKED_PROGRAM_H_

#include <memory>
#include <string>
#include <vector>

#include "hwsim/clock.h"
#include "hwsim/error.h"
#include "waitctx/check/report_file.h"

namespace tools {

// The report file, mapped. Removed with the object.
class ReportMapping {
 public:
  static hwsim::Expected<std::unique_ptr<ReportMapping>> Create();
  ~ReportMapping();
  ReportMapping(const ReportMapping&) = delete;
  ReportMapping& operator=(const ReportMapping&) = delete;

  const std::string& path() const { return path_; }
  const waitctx::check::ReportFile& file() const { return *file_; }

 private:
  ReportMapping() = default;
  std::string path_;
  waitctx::check::ReportFile* file_ = nullptr;
};

// How the program ended: by an exit code, or by a signal.
struct ProgramEnd {
  int exit_code = 0;
  int signal = 0;  // 0: none
};

// The file that running `name` would start: itself if it has a '/', else the first of that name
// in $PATH. Fails with ENOENT or EACCES as error_number.
hwsim::Expected<std::string> FindProgram(const std::string& name);

// Why a library cannot be preloaded under the program in `path`; empty: nothing is in the way.
std::string WhyNotPreloaded(const std::string& path);

// Where the checking library is: beside this program, or where it was built.
hwsim::Expected<std::string> FindCheckLibrary();

// Runs `path` with `arguments` (the first is its name) on `library`.
hwsim::Expected<ProgramEnd> RunProgram(const std::string& path,
                                       const std::vector<std::string>& arguments,
                                       const std::string& library, const std::string& report_path,
                                       hwsim::Duration callback_bound);

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_CHECKED_PROGRAM_H_
