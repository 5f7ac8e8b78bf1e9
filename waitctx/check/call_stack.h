// CallStack: the return addresses above a call, and a store that keeps one copy of equal stacks.
//
// Threads: any. Ownership: kept stacks are never freed; their number is that of the ways through
// the program to a call.
#ifndef GHOSTCARD_WAITCTX_CHECK_CALL_STACK_H_
#define GHOSTCARD_WAITCTX_CHECK_CALL_STACK_H_

#include <cstddef>
#include <cstdint>

#include "waitctx/check/report_file.h"

namespace waitctx::check {

struct CallStack {
  static constexpr size_t kDepthMax = kFramesMax + 8;  // includes frames of this library

  // The stack of the caller. Inside a job it ends where the job begins.
  static CallStack Here();
  // A stack of one frame: the beginning of `function`.
  static CallStack Of(const void* function);

  uint64_t Hash() const;
  bool operator==(const CallStack& other) const;

  uint32_t depth = 0;
  const void* frames[kDepthMax];
};

// A pointer that is equal for equal stacks and valid until the process ends.
const CallStack* Keep(const CallStack& stack);

// Around fork(): the lock is held while the process is copied.
void LockKeptStacks();
void UnlockKeptStacks();

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_CALL_STACK_H_
