// Task: a C++20 coroutine that waits on a WaitContext, as a job does: the second way to
// wait, on the same contexts, with the same contract: start it, and while it is paused wait on the
// context and resume it.
//
//   waitctx::Task<int> Sign(engine::Engine& card, Operation& op) {
//     co_return co_await card.RunAsync(op) == engine::Outcome::kOk ? 0 : -1;
//   }
//   auto task = Sign(card, op);
//   for (task.Start(context); task.paused(); task.Resume()) WaitFor(context);
//
// Threads: a task is started and resumed by one thread at a time. Ownership: Task owns the frame; a
// task awaited by another is owned by that one. Destroying a paused task destroys its frames,
// innermost first; what it awaited is told by its awaiter's destructor.
#ifndef GHOSTCARD_WAITCTX_COROUTINE_H_
#define GHOSTCARD_WAITCTX_COROUTINE_H_

#include "waitctx/wait_context.h"

namespace waitctx {

// What a paused task waits for. An awaiter implements it, and tells the task with
// TaskControl::Suspend.
class Suspension {
 public:
  // Asked on each resume, on the resuming thread: false keeps the task paused (the wake-up was for
  // someone else).
  virtual bool ReadyToResume() = 0;

 protected:
  ~Suspension() = default;
};

// (Task<T>, its promise and TaskControl are written out by the implementation of this layer.)

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_COROUTINE_H_
