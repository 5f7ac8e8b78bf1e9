// KernelRing: owns one io_uring, and turns liburing's errors into Error or CHECK.
//
// Threads: one at a time prepares and submits; one at a time reads completions. Both may run at
// once.
#ifndef GHOSTCARD_HWSIM_RINGS_KERNEL_RING_H_
#define GHOSTCARD_HWSIM_RINGS_KERNEL_RING_H_

#include <liburing.h>

#include <cstdint>
#include <memory>

#include "hwsim/base/error.h"

namespace hwsim::rings {

class KernelRing {
 public:
  // The kernel rounds the numbers of entries up to powers of two, and down to its own limits.
  static Expected<std::unique_ptr<KernelRing>> Create(uint32_t submissions, uint32_t completions);
  ~KernelRing();
  KernelRing(const KernelRing&) = delete;
  KernelRing& operator=(const KernelRing&) = delete;

  io_uring* get() { return &ring_; }
  int fd() const { return ring_.ring_fd; }

  // Prepares a message to another ring. There, it becomes a completion with `user_data` and with
  // `length` as its result. Here, only a failure becomes a completion, with a negative result.
  // Submits the prepared messages when no entry is free.
  void PrepareMessage(int ring_fd, uint64_t user_data, uint32_t length);
  // Hands all prepared messages to the kernel.
  void Submit();

 private:
  KernelRing() = default;
  io_uring ring_{};
};

// Ends the process with the errno's name if `result` is -errno.
void CheckUring(int result, const char* what);

}  // namespace hwsim::rings

#endif  // GHOSTCARD_HWSIM_RINGS_KERNEL_RING_H_
