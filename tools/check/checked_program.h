// Runs a program with the checking library preloaded, and maps the report file that the library
// writes.
//
// Threads: on the main thread of a process without other threads: it forks, and waits for signals.
// While the program runs, RunProgram passes SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2
// on to it, except those that the terminal sends to both; they do not end this process.
#ifndef GHOSTCARD_TOOLS_CHECK_CHECKED_PROGRAM_H_
#define GHOSTCARD_TOOLS_CHECK_CHECKED_PROGRAM_H_

#include <memory>
#include <string>
#include <vector>

#include "hwsim/base/clock.h"
#include "hwsim/base/error.h"
#include "waitctx/check/report_file.h"

namespace tools::check {

// The report file, mapped. The destructor removes the file.
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

// The file that a shell would run for `name`: `name` itself if it has a '/', else the first such
// file in $PATH. Fails with ENOENT or EACCES as error_number.
hwsim::Expected<std::string> FindProgram(const std::string& name);

// Why the system cannot preload a library under the program in `path`; empty: it can.
std::string WhyNotPreloaded(const std::string& path);

// The path of the checking library, which is next to this program or where the build puts it.
hwsim::Expected<std::string> FindCheckLibrary();

// Runs `path` with `arguments` (the first is the program's name) and `library` preloaded, and waits
// for its end.
hwsim::Expected<ProgramEnd> RunProgram(const std::string& path,
                                       const std::vector<std::string>& arguments,
                                       const std::string& library, const std::string& report_path,
                                       hwsim::Duration callback_bound);

}  // namespace tools::check

#endif  // GHOSTCARD_TOOLS_CHECK_CHECKED_PROGRAM_H_
