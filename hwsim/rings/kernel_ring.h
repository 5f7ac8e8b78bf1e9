// KernelRing: one io_uring, owned. What liburing answers, turned into Error or CHECK.
//
// Threads: its user's. Preparing and submitting is for one thread at a time,
// looking at completions too; the two do not meet.
#ifndef GHOSTCARD_HWSIM_RINGS_KERNEL_RING_H_
#define GHOSTCARD_HWSIM_RINGS_KERNEL_RING_H_

#include <liburing.h>

#include <cstdint>
#include <memory>

#include "hwsim/error.h"

namespace hwsim {

class KernelRing {
 public:
  // Entries are rounded up to powers of two and cut down to what the kernel allows.
  static Expected<std::unique_ptr<KernelRing>> Create(uint32_t submissions, uint32_t completions);
  ~KernelRing();
  KernelRing(const KernelRing&) = delete;
  KernelRing& operator=(const KernelRing&) = delete;

  io_uring* get() { return &ring_; }
  int fd() const { return ring_.ring_fd; }

  // Prepares a message for another ring: there, a completion with that user_data
  // and `length` as its result. Here, a completion only if that fails; it has a
  // negative result. Submits what is prepared when no entry is free.
  void PrepareMessage(int ring_fd, uint64_t user_data, uint32_t length);
  // Hands all that is prepared to the kernel.
  void Submit();

 private:
  KernelRing() = default;
  io_uring ring_{};
};

// Ends the process with the errno's name when liburing answered -errno.
void CheckUring(int result, const char* what);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_RINGS_KERNEL_RING_H_
