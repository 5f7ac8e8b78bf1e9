// ThreadJobs: the job pool of one thread, with the paths of a start, a resume and a pause inline.
//
// They are inline so that job.h's functions and OpenSSL's names switch stacks in their own frame:
// the processor has to predict one more return for each further frame between a caller and the
// switch.
//
// Threads: each thread has its own. For this layer only.
#ifndef GHOSTCARD_WAITCTX_THREAD_JOBS_H_
#define GHOSTCARD_WAITCTX_THREAD_JOBS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "waitctx/base/tls.h"
#include "waitctx/fibres/job_slot.h"
#include "waitctx/fibres/job_types.h"
#include "waitctx/fibres/raw_fiber.h"
#include "waitctx/fibres/stack_overflow.h"
#include "waitctx/wait_context.h"

namespace waitctx::internal {

inline constexpr const char* kNoError = "no error";

class ThreadJobs {
 public:
  // The calling thread's; the first call makes it.
  static ThreadJobs& Get();
  // Null before the first Get().
  static ThreadJobs* GetIfAny();

  // As StartJob and ResumeJob. Inline, so that one return follows a switch.
  [[gnu::always_inline]] fibres::JobStatus Start(fibres::Job*& job, WaitContext* context,
                                                 int& result, fibres::JobFunction function,
                                                 std::span<const std::byte> args);
  [[gnu::always_inline]] fibres::JobStatus Resume(fibres::Job*& job, int& result);
  // Requires: CanPause().
  [[gnu::always_inline]] void Pause();
  bool CanPause() const { return current != nullptr && current->blocked == 0; }
  // As InitThread and CleanupThread.
  bool Init(size_t max_size, size_t init_size);
  void Cleanup();
  // Makes the running job hold a reference to `context`, if that is its context.
  void Hold(WaitContext* context) {
    if (current != nullptr && current->context == context && !current->holds_context) {
      HoldContext(current);
    }
  }
  fibres::JobPoolCounts counts() const { return {in_flight_ + orphans_, idle_count_, max_size_}; }

  fibres::JobSlot* current = nullptr;  // the running job's; null: none
  const char* last_error = kNoError;

 private:
  ThreadJobs();
  static void Make();
  fibres::JobStatus Refuse(const char* why) {
    last_error = why;
    return fibres::JobStatus::kError;
  }
  [[gnu::always_inline]] fibres::JobStatus Run(fibres::JobSlot* slot, fibres::Job*& job,
                                               int& result);
  fibres::JobSlot* TakeSlot();
  fibres::JobSlot* MakeSlot();
  void Finish(fibres::JobSlot* slot);
  static void HoldContext(fibres::JobSlot* slot) {
    slot->holds_context = true;
    (void)WaitContextRef::Retain(slot->context).Release();
  }
  static void DestroySlot(fibres::JobSlot* slot);

  fibres::ExceptionState* const exceptions_ = fibres::ExceptionState::OfThread();
  // Unique, unlike the address of this object and the system's thread id.
  const uint64_t number_;
  // Each Cleanup() begins a new pool. Jobs in flight at that time become orphans: counts() includes
  // them, max_size does not apply to them.
  uint32_t pool_number_ = 0;
  size_t in_flight_ = 0;
  size_t orphans_ = 0;
  size_t idle_count_ = 0;
  size_t max_size_ = 0;
  fibres::JobSlot* idle_ = nullptr;
  fibres::AlternateStack alternate_stack_;
};

extern constinit GHOSTCARD_SHARED_TLS ThreadJobs* t_jobs;

inline ThreadJobs* ThreadJobs::GetIfAny() { return t_jobs; }

inline ThreadJobs& ThreadJobs::Get() {
  if (t_jobs == nullptr) [[unlikely]] {
    Make();
  }
  return *t_jobs;
}

inline fibres::JobSlot* ThreadJobs::TakeSlot() {
  if (fibres::JobSlot* slot = idle_; slot != nullptr) {
    idle_ = slot->next;
    --idle_count_;
    return slot;
  }
  if (max_size_ != 0 && in_flight_ >= max_size_) {
    last_error = "the pool is at its limit: all its jobs are in flight";
    return nullptr;
  }
  return MakeSlot();
}

inline void ThreadJobs::Finish(fibres::JobSlot* slot) {
  slot->NextGeneration();
  slot->blocked = 0;
  slot->KeepLibraryContext(nullptr);
  if (slot->big_args != nullptr) slot->big_args.reset();
  // Releasing the last reference runs cleanups, which may start jobs.
  WaitContext* const context = std::exchange(slot->context, nullptr);
  if (std::exchange(slot->holds_context, false)) WaitContextRef::Adopt(context);

  const bool orphan = slot->pool_number != pool_number_;
  --(orphan ? orphans_ : in_flight_);
  if (orphan || (max_size_ != 0 && in_flight_ + idle_count_ >= max_size_)) {
    DestroySlot(slot);
    return;
  }
  slot->next = idle_;
  idle_ = slot;
  ++idle_count_;
}

inline fibres::JobStatus ThreadJobs::Run(fibres::JobSlot* slot, fibres::Job*& job, int& result) {
  slot->state = fibres::JobState::kRunning;
  current = slot;
  slot->fiber.Resume(exceptions_);
  current = nullptr;
  if (slot->state == fibres::JobState::kPaused) {
    // The first pause: from now on the job may outlive its caller's reference.
    if (!slot->holds_context && slot->context != nullptr) [[unlikely]]
      HoldContext(slot);
    job = slot->AsHandle();
    return fibres::JobStatus::kPaused;
  }
  job = nullptr;
  result = slot->result;
  Finish(slot);
  return fibres::JobStatus::kFinished;
}

inline fibres::JobStatus ThreadJobs::Start(fibres::Job*& job, WaitContext* context, int& result,
                                           fibres::JobFunction function,
                                           std::span<const std::byte> args) {
  if (current != nullptr) return Refuse("a job cannot start another");
  if (function == nullptr) return Refuse("no function");
  std::unique_ptr<std::byte[]> big_args;
  if (args.size() > fibres::JobSlot::kInlineArgs) {
    big_args.reset(new (std::nothrow) std::byte[args.size()]);
    if (big_args == nullptr) return Refuse("out of memory for the arguments");
  }
  fibres::JobSlot* slot = TakeSlot();
  if (slot == nullptr) return fibres::JobStatus::kNoJobs;
  ++in_flight_;

  slot->function = function;
  slot->args = nullptr;
  if (!args.empty()) {
    slot->args = big_args != nullptr ? big_args.get() : slot->inline_args;
    std::memcpy(slot->args, args.data(), args.size());
    slot->big_args = std::move(big_args);
  }
  slot->context = context;
  return Run(slot, job, result);
}

inline fibres::JobStatus ThreadJobs::Resume(fibres::Job*& job, int& result) {
  if (current != nullptr) return Refuse("a job cannot resume another, nor itself");
  if (job == nullptr) return Refuse("no job");
  fibres::JobSlot* slot = fibres::JobSlot::Of(job);
  if (!slot->Is(job)) return Refuse("the job has finished: its handle is stale");
  if (slot->owner.load(std::memory_order_relaxed) != number_) {
    return Refuse("the job is another thread's: resume it on the thread that started it");
  }
  if (slot->state != fibres::JobState::kPaused) return Refuse("the job is not paused");
  if (slot->context != nullptr) slot->context->ResetChanges();
  return Run(slot, job, result);
}

inline void ThreadJobs::Pause() {
  fibres::JobSlot* slot = current;
  slot->state = fibres::JobState::kPaused;
  slot->fiber.Suspend();
}

}  // namespace waitctx::internal

namespace waitctx {

// Makes the running job hold `context`, if that is its context. For a job whose own function is
// about to release the caller's reference.
inline void HoldWaitContext(WaitContext* context) {
  if (internal::ThreadJobs* jobs = internal::ThreadJobs::GetIfAny(); jobs != nullptr) {
    jobs->Hold(context);
  }
}

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_THREAD_JOBS_H_
