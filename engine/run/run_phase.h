// RunPhase: where an operation stands, and the only code that changes it.
//
// Every change of the phase is one method of this class, one row or two of this table. "Owner" is
// the thread of the job, task or plain caller that runs the operation. "Teller" is the thread that
// moved the operation to kTelling: no other thread moves it on from there.
//
//   from              event                                      to          thread
//   kIdle, kDone      a run begins (Begin)                       kRetry      owner
//   kRetry, kGranted  the owner submits (BeginSubmit)            kRunning    owner
//   kRunning          the submit is refused (SubmitRefused)      kRetry      owner
//   kRunning          the request completes (OnCompletion)       kDone       completing thread
//   kRunning          the owner goes to wait (Pause)             kPaused     owner
//   kPaused           ... and finds a stop request (Pause)       kStopped    owner
//   kPaused           the request completes (OnCompletion)       kTelling    completing thread
//   kRetry            the owner waits for space (Enqueue)        kQueued     owner, queue's lock
//   kQueued           ... and a slot is free (GrantAtOnce)       kGranted    owner, queue's lock
//   kQueued           ... and finds a stop request (StopQueued)  kStopped    owner
//   kQueued           a slot comes free (BeginGrant)             kTelling    any, queue's lock
//   kQueued           its context was closed (LeaveQueue)        kRetry      any, queue's lock
//   kPaused, kQueued  cancel, deadline or GiveUp (RequestStop)   kTelling    any
//   kTelling          the teller publishes (FinishTelling)       kDone, kGranted or kStopped
//                                                                            teller
//   kDone             the card failed it, next try (TryAgain)    kRetry      owner
//   kRetry, kGranted, the run ends (End); with its request on    kIdle       owner
//     kDone, kStopped the card, it keeps its phase instead
//   any               in a forked child, the run ends (End)      kIdle       owner
//   kStopped          the handle is destroyed (Abandon)          kAbandoned  owner
//   kStopped,         the card lets go (LetGo)                   kDone       completing thread, or
//     kAbandoned                                                             the engine's end
//
// A run begins again only from kIdle or kDone: while a request of an earlier run is on the card,
// the phase is kStopped.
//
// Threads: as the table says; now() from any. Memory order: each change to a phase that another
// thread may see is a release, each load an acquire, so fields written in one phase are seen in the
// next. Changes of the owner to a phase that only the owner moves on from are relaxed.
#ifndef GHOSTCARD_ENGINE_RUN_RUN_PHASE_H_
#define GHOSTCARD_ENGINE_RUN_RUN_PHASE_H_

#include <atomic>
#include <cstdint>

#include "engine/run_options.h"

namespace engine::run {

enum class Phase : uint32_t {
  kIdle,       // with its owner; no run is under way
  kRunning,    // accepted by the card; the owner has not gone to wait yet
  kPaused,     // accepted by the card; the owner waits and will be told
  kQueued,     // no slot yet, in the retry queue; the owner waits and will be told
  kRetry,      // no slot yet, not in the retry queue; the owner submits whenever it is resumed
  kTelling,    // a thread took it out of kPaused or kQueued and reads how to tell its owner; short
  kGranted,    // a slot is kept for it
  kStopped,    // given up (cancelled, timed out); the card may still have the request
  kDone,       // the card let go of the request
  kAbandoned,  // given up and its handle destroyed: the operation belongs to the card alone
};

class RunPhase {
 public:
  RunPhase() = default;
  RunPhase(const RunPhase&) = delete;
  RunPhase& operator=(const RunPhase&) = delete;

  Phase now() const { return phase_.load(std::memory_order_acquire); }
  // The owner waits until another thread moves the phase on.
  static bool IsWaiting(Phase phase) {
    return phase == Phase::kPaused || phase == Phase::kQueued || phase == Phase::kTelling;
  }
  // No run is under way.
  static bool IsAtRest(Phase phase) {
    return phase == Phase::kIdle || phase == Phase::kDone || phase == Phase::kStopped;
  }

  // --- The owner's thread ---

  // A run begins; an earlier stop request is forgotten. False: the card still has the request of an
  // earlier run, nothing happened. Requires: no run is under way.
  bool Begin();

  // To be called before the queue pair's submit: from then on the request may complete at any
  // moment, on another thread.
  void BeginSubmit() { phase_.store(Phase::kRunning, std::memory_order_release); }
  // The card did not take the request.
  void SubmitRefused() { phase_.store(Phase::kRetry, std::memory_order_relaxed); }

  enum class PauseAnswer : uint8_t {
    kPaused,     // the owner waits: another thread will tell it
    kCompleted,  // the request completed before: kDone
    kStopped,    // a stop was requested before: kStopped
  };
  // The owner of a submitted request goes to wait.
  PauseAnswer Pause() {
    Phase phase = Phase::kRunning;
    // seq_cst, as in RequestStop: each side stores its own word first and loads the other's second.
    // Either this thread sees the stop request, or the stopping thread sees kPaused.
    if (!phase_.compare_exchange_strong(phase, Phase::kPaused, std::memory_order_seq_cst)) {
      return PauseAnswer::kCompleted;
    }
    return StopRequestedIn(Phase::kPaused) ? PauseAnswer::kStopped : PauseAnswer::kPaused;
  }

  // The owner goes to wait for space. Under the retry queue's lock. seq_cst, as in Pause.
  void Enqueue() { phase_.store(Phase::kQueued, std::memory_order_seq_cst); }
  // Under the retry queue's lock. False: another thread has stopped it.
  bool GrantAtOnce() { return Move(Phase::kQueued, Phase::kGranted); }
  // To be called after Enqueue. True: a stop was requested before, the phase is kStopped.
  bool StopQueued() { return StopRequestedIn(Phase::kQueued); }

  // The next attempt of a run whose request the card failed. Requires: kDone.
  void TryAgain() { phase_.store(Phase::kRetry, std::memory_order_relaxed); }
  // The run ends. Requires: the card does not have the request, or this is a forked child.
  void End() { phase_.store(Phase::kIdle, std::memory_order_relaxed); }
  // The handle goes. True: the card has the request and frees the operation when it lets go. False:
  // the caller frees it. Requires: the run was given up with its request on the card.
  bool Abandon() { return Move(Phase::kStopped, Phase::kAbandoned); }

  bool stop_requested() const { return stop_.load(std::memory_order_seq_cst) != Outcome::kOk; }
  // Why the run is to stop: kTimedOut or kCancelled; kOk: no stop was requested.
  Outcome stop_reason() const { return stop_.load(std::memory_order_acquire); }

  // --- Any thread ---

  // Asks the run under way to end with `why`; the first reason stands. True: its owner waited, the
  // phase is kTelling, and the caller tells the owner kStopped. False: the owner does not wait, and
  // sees the request before it next waits or submits.
  bool RequestStop(Outcome why);

  // A slot is granted. Under the retry queue's lock. True: the phase is kTelling, and the caller
  // tells the owner kGranted. False: another thread stops it.
  bool BeginGrant() { return Move(Phase::kQueued, Phase::kTelling); }
  // The operation leaves the retry queue and its owner is not told; if the owner is ever resumed,
  // it submits again. Under the retry queue's lock.
  void LeaveQueue() { Move(Phase::kQueued, Phase::kRetry); }

  // The teller publishes kDone, kGranted or kStopped. The owner may free the operation at once: the
  // caller does not touch it afterwards.
  void FinishTelling(Phase next) { phase_.store(next, std::memory_order_release); }

  enum class CompletionAnswer : uint8_t {
    kOwnerLooks,  // kDone: the owner has not gone to wait and finds the result itself
    kTellOwner,   // kTelling: the caller tells the owner kDone
    kLate,        // kStopped or kAbandoned, unchanged: the caller takes it from the given-up list
  };
  // The card completed the request.
  CompletionAnswer OnCompletion() {
    for (Phase phase = now();;) {
      switch (phase) {
        case Phase::kRunning:
          if (phase_.compare_exchange_weak(phase, Phase::kDone, std::memory_order_acq_rel)) {
            return CompletionAnswer::kOwnerLooks;
          }
          break;
        case Phase::kPaused:
          if (phase_.compare_exchange_weak(phase, Phase::kTelling, std::memory_order_acq_rel)) {
            return CompletionAnswer::kTellOwner;
          }
          break;
        case Phase::kStopped:
        case Phase::kAbandoned:
          return CompletionAnswer::kLate;
        case Phase::kTelling:
        default:
          phase = AwaitStop(phase);
      }
    }
  }
  // The card lets go of a request whose run was given up. True: the phase was kAbandoned, and the
  // caller frees the operation. Under the given-up list's lock, or when the card has ended.
  bool LetGo() {
    return phase_.exchange(Phase::kDone, std::memory_order_acq_rel) == Phase::kAbandoned;
  }

  // Waits while another thread is telling, and returns the phase after that. No user code runs
  // before the teller publishes, so the wait is short.
  Phase AwaitTold() const;

 private:
  bool Move(Phase from, Phase to) {
    return phase_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
  }
  bool StopRequestedIn(Phase waiting) { return stop_requested() && Move(waiting, Phase::kStopped); }
  // A completion met `phase`: waits for the stop that is under way. Requires: kTelling.
  Phase AwaitStop(Phase phase) const;

  std::atomic<Phase> phase_{Phase::kIdle};
  // Set by RequestStop at any time; kOk: no stop was requested.
  std::atomic<Outcome> stop_{Outcome::kOk};
};

}  // namespace engine::run

#endif  // GHOSTCARD_ENGINE_RUN_RUN_PHASE_H_
