// GivenUp: operations whose runs were given up (cancelled, timed out) while their requests are on
// the card.
//
// Threads: Add on the owner's thread, the rest from any. Ownership: an operation in the list
// belongs to its handle, or to the card if the handle was destroyed (kAbandoned). The last one
// frees it.
#ifndef GHOSTCARD_ENGINE_RUN_GIVEN_UP_H_
#define GHOSTCARD_ENGINE_RUN_GIVEN_UP_H_

#include <optional>
#include <unordered_map>

#include "engine/operation_state.h"
#include "hwsim/base/clock.h"
#include "hwsim/base/mutex.h"

namespace engine::run {

class GivenUp {
 public:
  // The owner gives up a run whose phase was kStopped, at the time `now`. False: the request has
  // just completed, there is nothing to wait for, and the operation is not in the list.
  bool Add(OperationState& operation, hwsim::TimePoint now);

  // The request of a run that was to stop completed: its phase is kDone now. Frees the operation if
  // its handle is gone. True: it was in the list, so the completion came late. False: the owner was
  // told to stop and has not run yet; it will find the result.
  bool OnCompletion(OperationState& operation);

  // When the oldest run was given up whose request the card still has; none: there is none.
  std::optional<hwsim::TimePoint> Oldest() const;

  // The card has ended: lets go of every operation, and frees those whose handles are gone.
  void LetGoOfAll();

 private:
  mutable hwsim::Mutex mutex_;
  // With the time at which its run was given up.
  std::unordered_map<OperationState*, hwsim::TimePoint> operations_ GHOSTCARD_GUARDED_BY(mutex_);
};

}  // namespace engine::run

#endif  // GHOSTCARD_ENGINE_RUN_GIVEN_UP_H_
