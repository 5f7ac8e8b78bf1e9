// UniqueFd: owns one file descriptor. EventFd: an eventfd(2) counter.
//
// Threads: an EventFd is signalled and drained from any thread; moving and
// destroying either belongs to the owner.
#ifndef GHOSTCARD_HWSIM_FD_H_
#define GHOSTCARD_HWSIM_FD_H_

#include <cstdint>
#include <utility>

#include "hwsim/error.h"

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
  // Gives the descriptor to the caller, who closes it.
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

// Writes 1 to, or takes from, an eventfd that the caller knows to be open.
// SignalEventFd never blocks: a counter that is full is readable already.
void SignalEventFd(int fd);
// Takes the whole count, or 1 if the eventfd was made with EFD_SEMAPHORE.
// Returns what was taken; 0 when nothing was there.
uint64_t DrainEventFd(int fd);

class EventFd {
 public:
  enum class Kind { kCounter, kSemaphore };
  // Nonblocking and close-on-exec. Fails when the process is out of descriptors.
  static Expected<EventFd> Create(Kind kind = Kind::kCounter);

  int fd() const { return fd_.get(); }
  void Signal() const { SignalEventFd(fd()); }
  uint64_t Drain() const { return DrainEventFd(fd()); }
  // Gives the descriptor to the caller, who closes it.
  int Release() { return fd_.Release(); }

 private:
  explicit EventFd(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_FD_H_
