#include "hwsim/rings/uring.h"

#include <cerrno>
#include <string>

#include "hwsim/check.h"

namespace hwsim {

void CheckUring(int result, const char* what) {
  if (result >= 0) [[likely]] {
    return;
  }
  CheckFailed(__FILE__, __LINE__, what, SystemError("io_uring", -result).message.c_str());
}

Expected<std::unique_ptr<Uring>> Uring::Create(uint32_t submissions, uint32_t completions) {
  std::unique_ptr<Uring> uring(new Uring);
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  params.cq_entries = completions;
  const int result = io_uring_queue_init_params(submissions, &uring->ring_, &params);
  if (result < 0) {
    uring->ring_.ring_fd = -1;
    return Unexpected(SystemError("io_uring_setup", -result));
  }
  const int kept_from_child = io_uring_ring_dontfork(&uring->ring_);
  if (kept_from_child < 0) {
    return Unexpected(SystemError("madvise(MADV_DONTFORK)", -kept_from_child));
  }
  return uring;
}

Uring::~Uring() {
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

void Uring::PrepareMessage(int ring_fd, uint64_t user_data, uint32_t length) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) {
    Submit();
    sqe = io_uring_get_sqe(&ring_);
    GHOSTCARD_CHECK(sqe != nullptr, "a ring without SQPOLL is empty after a submit");
  }
  io_uring_prep_msg_ring(sqe, ring_fd, length, user_data, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  sqe->user_data = 0;
}

void Uring::Submit() {
  while (io_uring_sq_ready(&ring_) != 0) {
    const int result = io_uring_submit(&ring_);
    // The kernel was short of memory for the moment, or busy with an overflow that
    // somebody else's drain relieves: what is prepared stands and goes with the next try.
    if (result == -EAGAIN || result == -EBUSY || result == -EINTR) continue;
    CheckUring(result, "io_uring_submit");
  }
}

}  // namespace hwsim
