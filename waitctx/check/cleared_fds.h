// ClearedFds: wait fds that were cleared with ASYNC_WAIT_CTX_clear_fd, which closes nothing.
//
// An engine may keep a cleared fd and use it again. One that makes new fds while many that it
// cleared are open, and none was ever used again, has forgotten to close them.
//
// Threads: the Tracker's lock. Limits: files are told apart by inode, eventfds by the number that
// the kernel gives them (5.2); others of the kind without inode are not followed.
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
  // So many at a time are no cache.
  static constexpr int64_t kLeftOpenMin = 8;

  struct LeftOpen {
    const CallStack* cleared_at;
    int64_t count;
  };
  // A wait fd is set at `set_at`. What it tells of those that were set there before and cleared.
  std::optional<LeftOpen> OnSet(int fd, const CallStack* set_at);
  void OnCleared(int fd, const CallStack* set_at, const CallStack* cleared_at);

 private:
  struct Cleared {
    FileIdentity file;
    const CallStack* cleared_at;
  };
  // By where they were set, and by fd.
  std::map<const CallStack*, std::map<int, Cleared>> cleared_;
  std::set<const CallStack*> reused_;  // where a cleared fd was set again: there they are kept
};

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_CLEARED_FDS_H_
