// Callbacks, watched: each function that a program registers gets a stand-in that calls it.
//
// A stand-in knows its function by its own address, so that the argument stays the program's:
// a program that asks for callback and argument again gets its argument, and a function that
// does what its own does.
//
// Threads: any. Limits: 64 different functions in a process; further ones are not watched.
#ifndef GHOSTCARD_WAITCTX_CHECK_CALLBACKS_H_
#define GHOSTCARD_WAITCTX_CHECK_CALLBACKS_H_

#include <cstdint>

#include "waitctx/include/openssl/async.h"

namespace waitctx::check {

// What to do around a call.
struct CallbackWatcher {
  void (*before)(ASYNC_callback_fn stand_in, void* argument);
  // `ns`: how long the function ran or blocked. Time for which the thread was merely not given a
  // processor does not count.
  void (*after)(ASYNC_callback_fn function, int64_t ns);
};

// Null if there is none left. The same for equal functions. `watcher` is the first caller's.
ASYNC_callback_fn StandInFor(ASYNC_callback_fn function, const CallbackWatcher& watcher);

// How many callbacks are under way on this thread. A job's stack has a number of its own: who
// switches stacks keeps it and puts it back.
int CallbackDepth();
void SetCallbackDepth(int depth);

// Around fork().
void LockStandIns();
void UnlockStandIns();

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_CALLBACKS_H_
