// RunProcess: a forked worker that reports to its parent in lines, and whose death is noticed.
//
// Threads: the parent's one thread. Ownership: a worker that still runs is killed with this.
#ifndef GHOSTCARD_TOOLS_RUN_PROCESS_H_
#define GHOSTCARD_TOOLS_RUN_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/error.h"
#include "hwsim/fd.h"

namespace tools {

// The worker's end.
class RunReporter {
 public:
  explicit RunReporter(int fd) : fd_(fd) {}
  // `line` has no newline.
  void Say(std::string_view line) const;

 private:
  const int fd_;
};

class RunProcess {
 public:
  // Forks; the child runs `work` and ends.
  static hwsim::Expected<std::unique_ptr<RunProcess>> Start(
      const std::function<void(const RunReporter&)>& work);
  ~RunProcess();
  RunProcess(const RunProcess&) = delete;
  RunProcess& operator=(const RunProcess&) = delete;

  // Readable when there is something to take.
  int fd() const { return fd_.get(); }
  // The lines that have come. Sets `ended` when no more will.
  std::vector<std::string> TakeLines(bool& ended);
  // Waits for its end. Empty: it ended well; else how: "signal 6 (Aborted)".
  std::string Wait();
  void Kill() const;

 private:
  RunProcess(pid_t pid, hwsim::UniqueFd fd) : pid_(pid), fd_(std::move(fd)) {}

  pid_t pid_;  // 0: waited for
  hwsim::UniqueFd fd_;
  std::string partial_;
};

}  // namespace tools

#endif  // GHOSTCARD_TOOLS_RUN_PROCESS_H_
