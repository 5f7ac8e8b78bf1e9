#include "engine/operation_state.h"

#include "hwsim/base/check.h"

namespace engine {

void OperationState::Release() {
  GHOSTCARD_CHECK(run::RunPhase::IsAtRest(phase.now()),
                  "an operation is destroyed while a run of it is under way");
  // Either the card learns that it is the last one to hold the operation, or it has let go.
  if (run.on_card && phase.Abandon()) return;
  deleter(this);
}

}  // namespace engine
