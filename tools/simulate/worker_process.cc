#include "tools/simulate/worker_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace tools::simulate {

void WorkerReporter::Report(std::string_view line) const {
  std::string text(line);
  text += '\n';
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(fd_, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) std::_Exit(1);  // the parent is gone
    if (count > 0) written += static_cast<size_t>(count);
  }
}

hwsim::Expected<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(
    const std::function<void(const WorkerReporter&)>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return hwsim::Unexpected(std::string("pipe: ") + std::strerror(errno));
  }
  hwsim::UniqueFd read_end(ends[0]);
  hwsim::UniqueFd write_end(ends[1]);
  std::fflush(nullptr);  // otherwise both processes would print what is buffered
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return hwsim::Unexpected(std::string("fork: ") + std::strerror(errno));
  if (pid == 0) {
    read_end.Reset();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // ends with the parent
    if (::getppid() != parent) std::_Exit(1);
    work(WorkerReporter(write_end.get()));
    std::exit(0);
  }
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(pid, std::move(read_end)));
}

WorkerProcess::~WorkerProcess() {
  if (pid_ == 0) return;
  Kill();
  Wait();
}

void WorkerProcess::Kill() const {
  if (pid_ != 0) ::kill(pid_, SIGKILL);
}

std::vector<std::string> WorkerProcess::ReadLines(bool& ended) {
  std::array<char, 65536> buffer;
  ssize_t count = 0;
  do {
    count = ::read(fd_.get(), buffer.data(), buffer.size());
  } while (count < 0 && errno == EINTR);
  ended = count <= 0;
  if (count > 0) partial_.append(buffer.data(), static_cast<size_t>(count));
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t end = partial_.find('\n'); end != std::string::npos;
       end = partial_.find('\n', begin)) {
    lines.push_back(partial_.substr(begin, end - begin));
    begin = end + 1;
  }
  partial_.erase(0, begin);
  return lines;
}

std::string WorkerProcess::Wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  const int code = WEXITSTATUS(status);
  return code == 0 ? "" : "exit code " + std::to_string(code);
}

}  // namespace tools::simulate
