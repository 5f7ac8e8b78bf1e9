#include "engine/job_binding.h"

#include "waitctx/job.h"

namespace engine {

bool OwnJobs::CanPause() const { return waitctx::CanPause(); }
waitctx::WaitContext* OwnJobs::Context() const { return waitctx::CurrentWaitContext(); }
bool OwnJobs::Pause(const PausedRun&) const { return waitctx::PauseJob(); }

}  // namespace engine
