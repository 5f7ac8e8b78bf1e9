// What the checker can see of a wait fd: whether it is open, whether it is readable, how much there
// is to read, and which file it refers to.
//
// Threads: any.
#ifndef GHOSTCARD_WAITCTX_CHECK_WAIT_SIGNAL_H_
#define GHOSTCARD_WAITCTX_CHECK_WAIT_SIGNAL_H_

#include <cstdint>

namespace waitctx::check {

enum class FdState : uint8_t { kClosed, kQuiet, kReadable };
// The state at this moment. Hang-up and error count as kReadable, since a read would not block.
FdState StateOf(int fd);

// How much there is to read: an eventfd's count, or the bytes in a pipe. -1: a file of another
// kind, or the kernel did not say.
int64_t SignalOn(int fd);

// Identifies the file of an fd, while the file is open.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t eventfd = -1;  // the kernel's number for it; eventfds share an inode
  // False: closed, or a kind of file that has no identity.
  bool known() const { return inode != 0; }
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity IdentityOf(int fd);

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_WAIT_SIGNAL_H_
