#include "hwsim/base/fd.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "hwsim/base/check.h"

namespace hwsim {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void UniqueFd::Reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool IsReadable(int fd, std::chrono::milliseconds timeout) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  return ready == 1 && (entry.revents & POLLNVAL) == 0;
}

void SignalEventFd(int fd) {
  const uint64_t one = 1;
  ssize_t written = 0;
  do {
    written = ::write(fd, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
  GHOSTCARD_CHECK(written == sizeof one || errno == EAGAIN, "write to an eventfd");
}

uint64_t DrainEventFd(int fd) {
  uint64_t count = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd, &count, sizeof count);
  } while (got < 0 && errno == EINTR);
  GHOSTCARD_CHECK(got == sizeof count || errno == EAGAIN, "read from an eventfd");
  return got == sizeof count ? count : 0;
}

Expected<EventFd> EventFd::Create(Kind kind) {
  const int flags = EFD_CLOEXEC | EFD_NONBLOCK | (kind == Kind::kSemaphore ? EFD_SEMAPHORE : 0);
  UniqueFd fd(::eventfd(0, flags));
  if (!fd.valid()) return Unexpected(SystemError("eventfd", errno));
  return EventFd(std::move(fd));
}

}  // namespace hwsim
