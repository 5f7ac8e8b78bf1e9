// What can be seen of a wait fd from outside: whether it is open, whether it is readable, and how
// much there is to read.
#ifndef GHOSTCARD_WAITCTX_CHECK_WAIT_SIGNAL_H_
#define GHOSTCARD_WAITCTX_CHECK_WAIT_SIGNAL_H_

#include <cstdint>

namespace waitctx::check {

enum class FdState : uint8_t { kClosed, kQuiet, kReadable };
// At this moment. kReadable also for hang-up and error: reading would not block.
FdState StateOf(int fd);

// How much stands to be read: an eventfd's count, the bytes in a pipe; 0: nothing. -1: a
// file of another kind, of which this tells nothing, or it could not be found out.
int64_t SignalOn(int fd);

// Which file an fd stands for, as long as that is open.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t eventfd = -1;  // the kernel's number for it; eventfds share an inode
  // False: closed, or of a kind whose files cannot be told apart.
  bool known() const { return inode != 0; }
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity IdentityOf(int fd);

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_WAIT_SIGNAL_H_
