// ForkGuard: tells whether the caller is in a forked child of the process that made the guard. It
// reads a word in a page that the kernel zeroes in the child (MADV_WIPEONFORK, since Linux 4.14).
//
// Threads: any. Limits: where the kernel does not know MADV_WIPEONFORK, a child made by clone(2)
// instead of fork() is taken for its parent.
// Ownership: the page belongs to the process and is never unmapped; guards may be copied.
#ifndef GHOSTCARD_HWSIM_BASE_FORK_GUARD_H_
#define GHOSTCARD_HWSIM_BASE_FORK_GUARD_H_

#include <atomic>

namespace hwsim {

class ForkGuard {
 public:
  // Maps one page for the process's first guard; its other guards share the page. CHECKs that there
  // is memory for it.
  ForkGuard();
  // Returns true in the process that made this guard, false in a child forked later. Costs one
  // load. Relaxed: the word changes only across a fork, which orders everything.
  bool InCreator() const { return word_->load(std::memory_order_relaxed) != 0; }

 private:
  const std::atomic<int>* word_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_FORK_GUARD_H_
