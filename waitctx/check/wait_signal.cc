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

// The number called `name` in the kernel's information about the descriptor, written in `base`. -1:
// there is none.
int64_t FdInfoNumber(int fd, const char* name, int base) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
  const int info = open(path, O_RDONLY | O_CLOEXEC);
  if (info < 0) return -1;
  char text[512];
  const ssize_t length = read(info, text, sizeof(text) - 1);
  close(info);
  if (length <= 0) return -1;
  text[length] = '\0';
  const char* found = std::strstr(text, name);
  return found == nullptr ? -1 : std::strtoll(found + std::strlen(name), nullptr, base);
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
  if (!S_ISFIFO(status.st_mode)) return FdInfoNumber(fd, "eventfd-count:", 16);
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : -1;
}

FileIdentity IdentityOf(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return {};
  const bool shares_inode = (status.st_mode & S_IFMT) == 0;  // anonymous: eventfd, timerfd ...
  const int64_t eventfd = shares_inode ? FdInfoNumber(fd, "eventfd-id:", 10) : -1;
  if (shares_inode && eventfd < 0) return {};
  return {status.st_dev, status.st_ino, eventfd};
}

}  // namespace waitctx::check
