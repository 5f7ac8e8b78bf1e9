// WorkerProcess: a forked process that reports to its parent in lines. The parent notices its end.
//
// Threads: one, in the parent. Ownership: destroying the object kills a worker that still runs.
#ifndef GHOSTCARD_TOOLS_SIMULATE_WORKER_PROCESS_H_
#define GHOSTCARD_TOOLS_SIMULATE_WORKER_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/base/error.h"
#include "hwsim/base/fd.h"

namespace tools::simulate {

// The worker's end of the pipe.
class WorkerReporter {
 public:
  explicit WorkerReporter(int fd) : fd_(fd) {}
  // Sends the line to the parent. Ends the worker when the parent is gone. Requires: no newline.
  void Report(std::string_view line) const;

 private:
  const int fd_;
};

class WorkerProcess {
 public:
  // Forks. The child runs `work` and ends. Fails when there are no descriptors or processes left.
  static hwsim::Expected<std::unique_ptr<WorkerProcess>> Start(
      const std::function<void(const WorkerReporter&)>& work);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Readable when ReadLines has something to read.
  int fd() const { return fd_.get(); }
  // The lines that have arrived. Sets `ended` when the worker has closed its end.
  std::vector<std::string> ReadLines(bool& ended);
  // Waits until the worker has ended. Empty: with exit code 0; else how: "signal 6 (Aborted)".
  std::string Wait();
  void Kill() const;

 private:
  WorkerProcess(pid_t pid, hwsim::UniqueFd fd) : pid_(pid), fd_(std::move(fd)) {}

  pid_t pid_;  // 0: Wait has returned
  hwsim::UniqueFd fd_;
  std::string partial_;
};

}  // namespace tools::simulate

#endif  // GHOSTCARD_TOOLS_SIMULATE_WORKER_PROCESS_H_
