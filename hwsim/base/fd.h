// UniqueFd: owns one file descriptor. EventFd: owns an eventfd(2), a count in the kernel that
// wakes its readers. IsReadable: whether a descriptor has something to read.
//
// Threads: an EventFd is signalled and drained from any thread. Only the owner moves, resets or
// destroys a UniqueFd or an EventFd.
// Ownership: a UniqueFd closes its descriptor when it is destroyed.
#ifndef GHOSTCARD_HWSIM_BASE_FD_H_
#define GHOSTCARD_HWSIM_BASE_FD_H_

#include <chrono>
#include <cstdint>
#include <utility>

#include "hwsim/base/error.h"

namespace hwsim {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // Gives the descriptor to the caller, which has to close it. Returns -1 if there is none.
  int Release() { return std::exchange(fd_, -1); }
  // Closes the descriptor, if there is one.
  void Reset();

 private:
  int fd_ = -1;  // -1: none
};

// Whether a read of `fd` would not block: there is data, an end of file, a hang-up or an error.
// Waits at most `timeout` for it to become so; 0: does not wait. A signal restarts the wait.
// Returns false when the time is over, and for a descriptor that is not open.
bool IsReadable(int fd, std::chrono::milliseconds timeout = {});

// Adds 1 to the eventfd's count. Never blocks: a full count is readable already.
// Requires: `fd` is an open, nonblocking eventfd. DrainEventFd requires this too.
void SignalEventFd(int fd);
// Takes the whole count, or 1 if the eventfd was made with EFD_SEMAPHORE. Never blocks. Returns
// what it took; 0 when the count was 0.
uint64_t DrainEventFd(int fd);

class EventFd {
 public:
  enum class Kind { kCounter, kSemaphore };
  // Makes a nonblocking, close-on-exec eventfd with a count of 0. Fails when the process is out of
  // descriptors.
  static Expected<EventFd> Create(Kind kind = Kind::kCounter);

  int fd() const { return fd_.get(); }
  void Signal() const { SignalEventFd(fd()); }
  uint64_t Drain() const { return DrainEventFd(fd()); }
  // Gives the descriptor to the caller, which has to close it.
  int Release() { return fd_.Release(); }

 private:
  explicit EventFd(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_FD_H_
