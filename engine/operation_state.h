// OperationState: what job, card and engine share of one operation. Users have an Operation
// (engine/operation.h) instead.
//
// Threads: `phase` says which thread may touch what (engine/run/run_phase.h). `run` is the owner's;
// the thread that moved the phase to kTelling reads it too. `queue` is the retry queue's, under its
// lock. Ownership: see Release.
#ifndef GHOSTCARD_ENGINE_OPERATION_STATE_H_
#define GHOSTCARD_ENGINE_OPERATION_STATE_H_

#include <cstdint>
#include <optional>

#include "engine/notify/wait_line.h"
#include "engine/run/run_phase.h"
#include "engine/run_options.h"
#include "hwsim/operations/request.h"
#include "hwsim/rings/queue_pair.h"
#include "waitctx/wait_context.h"

namespace engine {

struct OperationState;

// The fields of one run. Each run begins with a new one. Constant while another thread may tell the
// owner, except where NotifyState says otherwise.
struct RunState {
  waitctx::WaitContext* context = nullptr;  // null: no way to tell the owner
  bool synchronous = false;                 // the owner waits in place
  bool on_card = false;                     // submitted, and its completion was not seen yet
  bool in_software = false;                 // the run ended with the work done in software
  Outcome outcome = Outcome::kOk;           // valid when the run is over
  hwsim::rings::QueuePair* queue_pair = nullptr;
  std::optional<hwsim::TimePoint> deadline;
  std::optional<uint32_t> retries_left;  // at a full queue pair; none: it waits for space
  Recovery recovery;
  uint32_t attempts = 0;  // accepted submits
  notify::NotifyState notify;
};

// The operation's place in a retry queue. Empty between runs: a run leaves the queue before it
// ends.
struct QueueLinks {
  enum class Membership : uint8_t { kNone, kWaiting, kGranted };
  Membership membership = Membership::kNone;
  OperationState* next = nullptr;
  OperationState* previous = nullptr;
  // Keeps the context of a queued job alive: the job itself may be gone. Set by the owner without
  // the lock, before the operation is in the queue.
  waitctx::WaitContextRef context;
};

struct OperationState : hwsim::operations::Request {
  using Deleter = void (*)(OperationState*);
  explicit OperationState(Deleter deleter) : deleter(deleter) {}

  // The handle is destroyed. Frees the operation, or leaves that to the card if the card still has
  // the request of a run that was given up. Requires: no run is under way.
  void Release();

  run::RunPhase phase;
  RunState run;
  QueueLinks queue;
  const Deleter deleter;
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPERATION_STATE_H_
