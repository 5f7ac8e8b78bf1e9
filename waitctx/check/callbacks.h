// Stand-ins for a program's callbacks: each function that a program registers gets a stand-in that
// calls it, and the checker watches the call.
//
// A stand-in finds its function by its own address, so that the argument stays the program's. A
// program that reads callback and argument back gets its argument, and a function that does what
// its own does.
//
// Threads: any. Limits: 64 different functions in a process; calls of further ones are not watched.
#ifndef GHOSTCARD_WAITCTX_CHECK_CALLBACKS_H_
#define GHOSTCARD_WAITCTX_CHECK_CALLBACKS_H_

#include <cstdint>

#include "waitctx/include/openssl/async.h"

namespace waitctx::check {

// Called before and after each watched call, on its thread.
struct CallbackWatcher {
  void (*before)(ASYNC_callback_fn stand_in, void* argument);
  // `ns`: how long the function ran or blocked, without the time in which the thread was ready to
  // run and had no processor.
  void (*after)(ASYNC_callback_fn function, int64_t ns);
};

// The stand-in of `function`, equal for equal functions; null: all 64 are in use. The first
// caller's `watcher` applies to all.
ASYNC_callback_fn StandInFor(ASYNC_callback_fn function, const CallbackWatcher& watcher);

// The number of callbacks that this thread is inside of. Each job's stack has its own number: code
// that switches stacks saves it and restores it.
int CallbackDepth();
void SetCallbackDepth(int depth);

// Around fork(): the lock is held while the process is copied.
void LockStandIns();
void UnlockStandIns();

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_CALLBACKS_H_
