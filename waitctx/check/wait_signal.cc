#include "waitctx/check/wait_signal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace waitctx::check {
namespace {

// The count of an eventfd, from what the kernel says of the descriptor. -1: it is none.
int64_t EventFdCount(int fd) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
  const int info = open(path, O_RDONLY | O_CLOEXEC);
  if (info < 0) return -1;
  char text[512];
  const ssize_t length = read(info, text, sizeof(text) - 1);
  close(info);
  if (length <= 0) return -1;
  text[length] = '\0';
  static constexpr char kName[] = "eventfd-count:";
  const char* count = std::strstr(text, kName);
  return count == nullptr ? -1 : std::strtoll(count + sizeof(kName) - 1, nullptr, 16);
}

}  // namespace

FdState StateOf(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  if (poll(&entry, 1, 0) <= 0) return FdState::kQuiet;
  return (entry.revents & POLLNVAL) != 0 ? FdState::kClosed : FdState::kReadable;
}

int64_t SignalOn(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return -1;
  if (!S_ISFIFO(status.st_mode)) return EventFdCount(fd);
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : -1;
}

}  // namespace waitctx::check
