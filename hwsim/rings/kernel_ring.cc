#include "hwsim/rings/kernel_ring.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "hwsim/base/check.h"

namespace hwsim::rings {

void CheckUring(int result, const char* what) {
  if (result >= 0) [[likely]] {
    return;
  }
  CheckFailed(__FILE__, __LINE__, what, SystemError("io_uring", -result).message.c_str());
}

namespace {

// The kernel frees the memory of closed rings some milliseconds later. Until then it counts against
// the limit on locked memory, so a process that closes one card and opens the next may be refused
// for a moment.
int InitWaitingForMemory(uint32_t submissions, io_uring* ring, const io_uring_params& wanted) {
  constexpr int kTries = 40;
  constexpr auto kPause = std::chrono::milliseconds(5);
  int result = -ENOMEM;
  for (int i = 0; i < kTries && result == -ENOMEM; ++i) {
    if (i != 0) std::this_thread::sleep_for(kPause);
    io_uring_params params = wanted;
    result = io_uring_queue_init_params(submissions, ring, &params);
  }
  return result;
}

}  // namespace

Expected<std::unique_ptr<KernelRing>> KernelRing::Create(uint32_t submissions,
                                                         uint32_t completions) {
  std::unique_ptr<KernelRing> ring(new KernelRing);
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  params.cq_entries = std::max(completions, submissions);  // the kernel refuses fewer
  const int result = InitWaitingForMemory(submissions, &ring->ring_, params);
  if (result < 0) {
    ring->ring_.ring_fd = -1;
    return Unexpected(SystemError("io_uring_setup", -result));
  }
  const int kept_from_child = io_uring_ring_dontfork(&ring->ring_);
  if (kept_from_child < 0) {
    return Unexpected(SystemError("madvise(MADV_DONTFORK)", -kept_from_child));
  }
  return ring;
}

KernelRing::~KernelRing() {
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

void KernelRing::PrepareMessage(int ring_fd, uint64_t user_data, uint32_t length) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) {
    Submit();
    sqe = io_uring_get_sqe(&ring_);
    GHOSTCARD_CHECK(sqe != nullptr, "a ring without SQPOLL has free entries after a submit");
  }
  io_uring_prep_msg_ring(sqe, ring_fd, length, user_data, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  sqe->user_data = 0;
}

void KernelRing::Submit() {
  while (io_uring_sq_ready(&ring_) != 0) {
    const int result = io_uring_submit(&ring_);
    // The kernel is short of memory for the moment, or a completion queue has overflowed and has to
    // be read first. The prepared messages go with the next attempt.
    if (result == -EAGAIN || result == -EBUSY || result == -EINTR) continue;
    CheckUring(result, "io_uring_submit");
  }
}

}  // namespace hwsim::rings
