#include "waitctx/job.h"

#include <atomic>
#include <new>

#include "waitctx/base/tls.h"
#include "waitctx/fibres/job_slot.h"
#include "waitctx/fibres/job_stacks.h"
#include "waitctx/fibres/return_by_jump.h"
#include "waitctx/fibres/stack_overflow.h"
#include "waitctx/thread_jobs.h"

namespace waitctx {
namespace internal {

constinit GHOSTCARD_SHARED_TLS ThreadJobs* t_jobs = nullptr;

}  // namespace internal

using internal::t_jobs;
using internal::ThreadJobs;

namespace {

// The signal handler calls it too, so it only loads.
bool DescribeRunningJob(fibres::RunningJob& job) {
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
  // Relaxed: the numbers only have to differ. No thread has number 0.
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// The first frame of every job's stack. An exception that reaches it ends the process.
void RunJobs(fibres::RawFiber& fiber) noexcept {
  for (;;) {
    fibres::JobSlot* slot = t_jobs->current;
    slot->result = slot->function(slot->args);
    slot->state = fibres::JobState::kIdle;
    fiber.SuspendFresh();
  }
}

}  // namespace

namespace internal {

ThreadJobs::ThreadJobs() : number_(NextThreadNumber()) {
  fibres::ReportStackOverflows(&DescribeRunningJob);
}

void ThreadJobs::Make() {
  t_jobs = new ThreadJobs;
  thread_local ThreadJobsReaper reaper;
  [[maybe_unused]] ThreadJobsReaper* volatile use = &reaper;  // constructs it
}

fibres::JobSlot* ThreadJobs::MakeSlot() {
  const std::optional<fibres::Stack> stack = fibres::AllocateJobStack();
  if (!stack) {
    last_error = "no stack: out of memory, or of mappings for guard pages (vm.max_map_count)";
    return nullptr;
  }
  fibres::JobSlot* slot = fibres::TakeJobSlot();
  if (slot == nullptr) {
    fibres::FreeJobStack(*stack);
    last_error = "out of memory";
    return nullptr;
  }
  slot->fiber.Create(*stack, &RunJobs);
  slot->pool_number = pool_number_;
  slot->owner.store(number_, std::memory_order_relaxed);
  return slot;
}

void ThreadJobs::DestroySlot(fibres::JobSlot* slot) {
  slot->fiber.Destroy();
  fibres::FreeJobStack(slot->fiber.stack());
  fibres::GiveJobSlot(slot);
}

bool ThreadJobs::Init(size_t max_size, size_t init_size) {
  if (init_size > max_size) {
    last_error = "init_size is larger than max_size";
    return false;
  }
  max_size_ = max_size;
  while (idle_ != nullptr && max_size != 0 && in_flight_ + idle_count_ > max_size) {
    fibres::JobSlot* slot = std::exchange(idle_, idle_->next);
    --idle_count_;
    DestroySlot(slot);
  }
  while (in_flight_ + idle_count_ < init_size) {
    fibres::JobSlot* slot = MakeSlot();
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
  const fibres::JobSlot* slot = fibres::JobSlot::Of(job);
  return slot->Is(job) ? slot->context : nullptr;
}

bool CanPause() {
  const ThreadJobs* jobs = ThreadJobs::GetIfAny();
  return jobs != nullptr && jobs->CanPause();
}

GHOSTCARD_RETURN_BY_JUMP bool PauseJob() {
  ThreadJobs* jobs = ThreadJobs::GetIfAny();
  if (jobs != nullptr && jobs->CanPause()) jobs->Pause();
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
  // The paused job's frames still use the function, so it is not freed.
  if (paused()) (void)holder_.release();
}

}  // namespace waitctx
