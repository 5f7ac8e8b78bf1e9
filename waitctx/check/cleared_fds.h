// ClearedFds: wait fds that the program cleared with ASYNC_WAIT_CTX_clear_fd, which does not close
// them.
//
// An engine may keep a cleared fd and use it again. An engine that makes new fds while many of its
// cleared fds are open, and that has never used one again, has forgotten to close them.
//
// Threads: under the Tracker's lock. Limits: files are compared by inode, eventfds by the kernel's
// number (Linux 5.2); other files without an inode are not followed.
#ifndef GHOSTCARD_WAITCTX_CHECK_CLEARED_FDS_H_
#define GHOSTCARD_WAITCTX_CHECK_CLEARED_FDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "waitctx/check/call_stack.h"
#include "waitctx/check/wait_signal.h"

namespace waitctx::check {

class ClearedFds {
 public:
  // An engine that keeps this many cleared fds open does not keep them as a cache.
  static constexpr int64_t kLeftOpenMin = 8;

  struct LeftOpen {
    const CallStack* cleared_at;
    int64_t count;
  };
  // A wait fd is set at `set_at`. Returns the cleared fds that were set there before, if the engine
  // has forgotten to close them.
  std::optional<LeftOpen> OnSet(int fd, const CallStack* set_at);
  void OnCleared(int fd, const CallStack* set_at, const CallStack* cleared_at);

 private:
  struct Cleared {
    FileIdentity file;
    const CallStack* cleared_at;
  };
  // By the place where they were set, and by fd.
  std::map<const CallStack*, std::map<int, Cleared>> cleared_;
  std::set<const CallStack*> reused_;  // places that used a cleared fd again
};

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_CLEARED_FDS_H_
