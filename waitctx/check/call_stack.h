// CallStack: the return addresses above a call, and a place where equal ones are kept once.
//
// Threads: any. Ownership: kept stacks are never freed: a program has as many as it has ways
// to get to a call.
#ifndef GHOSTCARD_WAITCTX_CHECK_CALL_STACK_H_
#define GHOSTCARD_WAITCTX_CHECK_CALL_STACK_H_

#include <cstddef>
#include <cstdint>

#include "waitctx/check/report_file.h"

namespace waitctx::check {

struct CallStack {
  static constexpr size_t kDepthMax = kFramesMax + 8;  // some are our own

  // Of whoever calls this. Inside a job it ends where the job begins.
  static CallStack Here();
  // One frame: the beginning of a function.
  static CallStack Of(const void* function);

  uint64_t Hash() const;
  bool operator==(const CallStack& other) const;

  uint32_t depth = 0;
  const void* frames[kDepthMax];
};

// The same pointer for equal stacks, valid for good.
const CallStack* Keep(const CallStack& stack);

// Around fork(): held while the process is copied.
void LockKeptStacks();
void UnlockKeptStacks();

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_CALL_STACK_H_
