// Waits of a run that do not pause a job: the calling thread looks for completions itself.
//
// Threads: the owner's; WaitInPlace and PollOnce may handle other operations' completions, whose
// callbacks then run on this thread.
#ifndef GHOSTCARD_ENGINE_RUN_IN_PLACE_WAIT_H_
#define GHOSTCARD_ENGINE_RUN_IN_PLACE_WAIT_H_

#include "engine/operation_state.h"
#include "engine/run/run_resources.h"

namespace engine::run {

// For a synchronous owner: polls until the operation leaves its waiting phase. When the run does
// not wait to be told (kRetry), one poll, or one poll interval if it found nothing.
void WaitInPlace(RunResources& resources, OperationState& operation);

// The job was to pause and perhaps did not: then no other thread may be there to poll. Polls once
// if the run still waits.
void PollOnce(RunResources& resources, OperationState& operation);

// A callback_worst_moment fault struck at the last Attach: polls on another thread until the
// operation is told, while its job has not paused yet. Gives up after the fault's time.
void CompleteOnOtherThread(RunResources& resources, OperationState& operation);

}  // namespace engine::run

#endif  // GHOSTCARD_ENGINE_RUN_IN_PLACE_WAIT_H_
