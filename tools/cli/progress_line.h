// ProgressLine: one line on a terminal, rewritten in place. Prints nothing when standard error is
// not a terminal.
//
// Threads: one. Limits: at most ten lines a second.
#ifndef GHOSTCARD_TOOLS_CLI_PROGRESS_LINE_H_
#define GHOSTCARD_TOOLS_CLI_PROGRESS_LINE_H_

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace tools::cli {

class ProgressLine {
 public:
  ProgressLine() = default;
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void Show(const std::string& what, double fraction) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_terminal_ || now - shown_ < std::chrono::milliseconds(100)) return;
    shown_ = now;
    fmt::print(stderr, "\r\033[K{:3.0f} %  {}", 100 * fraction, what);
    std::fflush(stderr);
  }
  void Clear() {
    if (on_terminal_ && shown_.time_since_epoch().count() != 0) fmt::print(stderr, "\r\033[K");
    shown_ = {};
  }

 private:
  const bool on_terminal_ = ::isatty(STDERR_FILENO) != 0;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace tools::cli

#endif  // GHOSTCARD_TOOLS_CLI_PROGRESS_LINE_H_
