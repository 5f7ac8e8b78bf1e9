#include "waitctx/job.h"

#include <atomic>
#include <cstring>
#include <new>

#include "waitctx/job_slot.h"
#include "waitctx/job_stacks.h"
#include "waitctx/return_by_jump.h"
#include "waitctx/stack_overflow.h"
#include "waitctx/tls.h"

namespace waitctx {
namespace internal {

constexpr const char* kNoError = "no error";

// What one thread has of jobs.
class ThreadJobs {
 public:
  // The calling thread's, made on first use.
  static ThreadJobs& Get();
  // Null before that.
  static ThreadJobs* GetIfAny();

  // Inline, so that there is one return after a switch.
  [[gnu::always_inline]] JobStatus Start(Job*& job, WaitContext* context, int& result,
                                         JobFunction function, std::span<const std::byte> args);
  [[gnu::always_inline]] JobStatus Resume(Job*& job, int& result);
  bool Init(size_t max_size, size_t init_size);
  void Cleanup();
  // The current job will hold `context`, if that is its own.
  void Hold(WaitContext* context) {
    if (current != nullptr && current->context == context && !current->holds_context) {
      HoldContext(current);
    }
  }
  JobPoolCounts counts() const { return {in_flight_ + orphans_, idle_count_, max_size_}; }

  JobSlot* current = nullptr;
  const char* last_error = kNoError;

 private:
  ThreadJobs();
  JobStatus Refuse(const char* why) {
    last_error = why;
    return JobStatus::kError;
  }
  [[gnu::always_inline]] JobStatus Run(JobSlot* slot, Job*& job, int& result);
  JobSlot* TakeSlot();
  JobSlot* MakeSlot();
  void Finish(JobSlot* slot);
  static void HoldContext(JobSlot* slot) {
    slot->holds_context = true;
    (void)WaitContextRef::Retain(slot->context).Release();
  }
  static void DestroySlot(JobSlot* slot);

  ExceptionState* const exceptions_ = ExceptionState::OfThread();
  // Not its address, nor the system's thread id: those are used again.
  const uint64_t number_;
  // A new pool with each Cleanup(): jobs then in flight are orphans, counted but not limited.
  uint32_t pool_number_ = 0;
  size_t in_flight_ = 0;
  size_t orphans_ = 0;
  size_t idle_count_ = 0;
  size_t max_size_ = 0;
  JobSlot* idle_ = nullptr;
  AlternateStack alternate_stack_;
};

constinit GHOSTCARD_TLS ThreadJobs* t_jobs = nullptr;

inline ThreadJobs* ThreadJobs::GetIfAny() { return t_jobs; }

}  // namespace internal

using internal::t_jobs;
using internal::ThreadJobs;

namespace {

// In the signal handler too: no more than loads.
bool DescribeRunningJob(RunningJob& job) {
  const ThreadJobs* jobs = t_jobs;
  if (jobs == nullptr || jobs->current == nullptr) return false;
  job.handle = jobs->current->AsHandle();
  job.function = reinterpret_cast<const void*>(jobs->current->function);
  job.stack = jobs->current->fiber.stack();
  return true;
}

struct ThreadJobsReaper {
  ~ThreadJobsReaper() {
    ThreadJobs* jobs = std::exchange(t_jobs, nullptr);
    jobs->Cleanup();
    delete jobs;
  }
};

uint64_t NextThreadNumber() {
  // Relaxed: numbers need only differ. 0 is nobody's.
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// The frame at the bottom of every job's stack. An exception that comes this far ends the process.
void RunJobs(RawFiber& fiber) noexcept {
  for (;;) {
    JobSlot* slot = t_jobs->current;
    slot->result = slot->function(slot->args);
    slot->state = JobState::kIdle;
    fiber.SuspendFresh();
  }
}

}  // namespace

namespace internal {

ThreadJobs::ThreadJobs() : number_(NextThreadNumber()) {
  ReportStackOverflows(&DescribeRunningJob);
}

ThreadJobs& ThreadJobs::Get() {
  if (t_jobs == nullptr) [[unlikely]] {
    t_jobs = new ThreadJobs;
    thread_local ThreadJobsReaper reaper;
    [[maybe_unused]] ThreadJobsReaper* volatile use = &reaper;  // makes it
  }
  return *t_jobs;
}

JobSlot* ThreadJobs::TakeSlot() {
  if (JobSlot* slot = idle_; slot != nullptr) {
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

JobSlot* ThreadJobs::MakeSlot() {
  const std::optional<Stack> stack = AllocateJobStack();
  if (!stack) {
    last_error = "no stack: out of memory, or of mappings for guard pages (vm.max_map_count)";
    return nullptr;
  }
  JobSlot* slot = TakeJobSlot();
  if (slot == nullptr) {
    FreeJobStack(*stack);
    last_error = "out of memory";
    return nullptr;
  }
  slot->fiber.Create(*stack, &RunJobs);
  slot->pool_number = pool_number_;
  slot->owner.store(number_, std::memory_order_relaxed);
  return slot;
}

void ThreadJobs::DestroySlot(JobSlot* slot) {
  slot->fiber.Destroy();
  FreeJobStack(slot->fiber.stack());
  GiveJobSlot(slot);
}

inline JobStatus ThreadJobs::Run(JobSlot* slot, Job*& job, int& result) {
  slot->state = JobState::kRunning;
  current = slot;
  slot->fiber.Resume(exceptions_);
  current = nullptr;
  if (slot->state == JobState::kPaused) {
    // The first pause: from here on the job may outlive its caller's reference.
    if (!slot->holds_context && slot->context != nullptr) [[unlikely]]
      HoldContext(slot);
    job = slot->AsHandle();
    return JobStatus::kPaused;
  }
  job = nullptr;
  result = slot->result;
  Finish(slot);
  return JobStatus::kFinished;
}

inline JobStatus ThreadJobs::Start(Job*& job, WaitContext* context, int& result,
                                   JobFunction function, std::span<const std::byte> args) {
  if (current != nullptr) return Refuse("a job cannot start another");
  if (function == nullptr) return Refuse("no function");
  std::unique_ptr<std::byte[]> big_args;
  if (args.size() > JobSlot::kInlineArgs) {
    big_args.reset(new (std::nothrow) std::byte[args.size()]);
    if (big_args == nullptr) return Refuse("out of memory for the arguments");
  }
  JobSlot* slot = TakeSlot();
  if (slot == nullptr) return JobStatus::kNoJobs;
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

inline JobStatus ThreadJobs::Resume(Job*& job, int& result) {
  if (current != nullptr) return Refuse("a job cannot resume another, nor itself");
  if (job == nullptr) return Refuse("no job");
  JobSlot* slot = JobSlot::Of(job);
  if (!slot->Is(job)) return Refuse("the job has finished: its handle is stale");
  if (slot->owner.load(std::memory_order_relaxed) != number_) {
    return Refuse("the job is another thread's: resume it on the thread that started it");
  }
  if (slot->state != JobState::kPaused) return Refuse("the job is not paused");
  if (slot->context != nullptr) slot->context->ResetChanges();
  return Run(slot, job, result);
}

void ThreadJobs::Finish(JobSlot* slot) {
  slot->NextGeneration();
  slot->blocked = 0;
  slot->KeepLibraryContext(nullptr);
  if (slot->big_args != nullptr) slot->big_args.reset();
  // The last reference runs cleanups, which may start jobs.
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

bool ThreadJobs::Init(size_t max_size, size_t init_size) {
  if (init_size > max_size) {
    last_error = "init_size is larger than max_size";
    return false;
  }
  max_size_ = max_size;
  while (idle_ != nullptr && max_size != 0 && in_flight_ + idle_count_ > max_size) {
    JobSlot* slot = std::exchange(idle_, idle_->next);
    --idle_count_;
    DestroySlot(slot);
  }
  while (in_flight_ + idle_count_ < init_size) {
    JobSlot* slot = MakeSlot();
    if (slot == nullptr) break;
    slot->next = std::exchange(idle_, slot);
    ++idle_count_;
  }
  return true;
}

void ThreadJobs::Cleanup() {
  while (idle_ != nullptr) DestroySlot(std::exchange(idle_, idle_->next));
  idle_count_ = 0;
  max_size_ = 0;
  orphans_ += std::exchange(in_flight_, 0);
  ++pool_number_;
}

}  // namespace internal

GHOSTCARD_RETURN_BY_JUMP JobStatus StartJob(Job*& job, WaitContext* context, int& result,
                                            JobFunction function, std::span<const std::byte> args) {
  return ThreadJobs::Get().Start(job, context, result, function, args);
}

GHOSTCARD_RETURN_BY_JUMP JobStatus ResumeJob(Job*& job, int& result) {
  return ThreadJobs::Get().Resume(job, result);
}

Job* CurrentJob() {
  const ThreadJobs* jobs = ThreadJobs::GetIfAny();
  return jobs == nullptr || jobs->current == nullptr ? nullptr : jobs->current->AsHandle();
}

WaitContext* CurrentWaitContext() {
  const ThreadJobs* jobs = ThreadJobs::GetIfAny();
  return jobs == nullptr || jobs->current == nullptr ? nullptr : jobs->current->context;
}

WaitContext* JobWaitContext(const Job* job) {
  if (job == nullptr) return nullptr;
  const JobSlot* slot = JobSlot::Of(job);
  return slot->Is(job) ? slot->context : nullptr;
}

void HoldWaitContext(WaitContext* context) {
  if (ThreadJobs* jobs = ThreadJobs::GetIfAny(); jobs != nullptr) jobs->Hold(context);
}

bool CanPause() {
  const ThreadJobs* jobs = ThreadJobs::GetIfAny();
  return jobs != nullptr && jobs->current != nullptr && jobs->current->blocked == 0;
}

GHOSTCARD_RETURN_BY_JUMP bool PauseJob() {
  if (!CanPause()) return true;
  JobSlot* slot = t_jobs->current;
  slot->state = JobState::kPaused;
  slot->fiber.Suspend();
  return true;
}

void BlockPause() {
  const ThreadJobs* jobs = ThreadJobs::GetIfAny();
  if (jobs != nullptr && jobs->current != nullptr) ++jobs->current->blocked;
}

void UnblockPause() {
  const ThreadJobs* jobs = ThreadJobs::GetIfAny();
  if (jobs == nullptr || jobs->current == nullptr || jobs->current->blocked == 0) return;
  --jobs->current->blocked;
}

bool InitThread(size_t max_size, size_t init_size) {
  return ThreadJobs::Get().Init(max_size, init_size);
}

void CleanupThread() {
  if (ThreadJobs* jobs = ThreadJobs::GetIfAny(); jobs != nullptr) jobs->Cleanup();
}

JobPoolCounts ThreadJobCounts() {
  const ThreadJobs* jobs = ThreadJobs::GetIfAny();
  return jobs == nullptr ? JobPoolCounts{} : jobs->counts();
}

const char* LastJobError() {
  const ThreadJobs* jobs = ThreadJobs::GetIfAny();
  return jobs == nullptr ? internal::kNoError : jobs->last_error;
}

void Fibre::Start(std::unique_ptr<HolderBase> holder) {
  holder_ = std::move(holder);
  HolderBase* const pointer = holder_.get();
  const auto run = [](void* args) { return (*static_cast<HolderBase**>(args))->Run(); };
  status_ = StartJob(job_, context_.get(), result_, run, std::as_bytes(std::span(&pointer, 1)));
}

GHOSTCARD_RETURN_BY_JUMP JobStatus Fibre::Resume() { return status_ = ResumeJob(job_, result_); }

Fibre::~Fibre() {
  // The job's frames still use the function: it stays with them.
  if (paused()) (void)holder_.release();
}

}  // namespace waitctx
