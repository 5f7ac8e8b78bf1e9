// ForkGuard: tells a forked child from its parent for the price of one load: a
// page that the kernel wipes in the child (MADV_WIPEONFORK, Linux 4.14).
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_FORK_GUARD_H_
#define GHOSTCARD_HWSIM_FORK_GUARD_H_

#include <atomic>

namespace hwsim {

class ForkGuard {
 public:
  ForkGuard();
  // True in the process that made this guard; false in a child forked later.
  // Relaxed: the page changes only across a fork, which orders everything.
  bool InCreator() const { return word_->load(std::memory_order_relaxed) != 0; }

 private:
  const std::atomic<int>* word_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_FORK_GUARD_H_
