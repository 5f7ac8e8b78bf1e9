// JobSlot: what there is of a job beside its stack, and the handles by which jobs are known.
//
// A handle is the slot's address with a generation in the bits that an address leaves free.
// Slots are never unmapped, so any handle that was ever valid can be looked at safely, and is
// recognised as finished by its generation, whoever has the slot by then. It takes 2^24 jobs in one
// slot for a stale handle to look fresh again.
//
// Threads: `handle` and `owner` are read by any thread that was given a handle; everything
// else is the owner's. Memory: 256 bytes for each job of the most that there ever were at a time.
#ifndef GHOSTCARD_WAITCTX_JOB_SLOT_H_
#define GHOSTCARD_WAITCTX_JOB_SLOT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "waitctx/job.h"
#include "waitctx/raw_fiber.h"

namespace waitctx {

static_assert(sizeof(uintptr_t) == 8, "handles want the upper 16 bits of an address");

enum class JobState : uint8_t { kIdle, kRunning, kPaused };

struct alignas(256) JobSlot {
  static constexpr size_t kInlineArgs = 64;
  static constexpr uintptr_t kAddressBits = 0x0000'ffff'ffff'ff00;
  static constexpr uintptr_t kFirstStep = 1;
  static constexpr uintptr_t kCarryStep = uintptr_t{1} << 48;

  // The slot that `job` is, or was, in. Requires: a handle that was valid once.
  static JobSlot* Of(const Job* job) {
    return reinterpret_cast<JobSlot*>(reinterpret_cast<uintptr_t>(job) & kAddressBits);
  }
  // Relaxed, as for `owner`: these are compared with what the caller holds and lead to nothing
  // that another thread wrote.
  bool Is(const Job* job) const {
    return handle.load(std::memory_order_relaxed) == reinterpret_cast<uintptr_t>(job);
  }
  Job* AsHandle() const { return reinterpret_cast<Job*>(handle.load(std::memory_order_relaxed)); }
  // Makes every handle given out so far stale.
  void NextGeneration() {
    const uintptr_t now = handle.load(std::memory_order_relaxed);
    const bool carry = (now & 0xff) == 0xff;
    handle.store(carry ? (now & ~uintptr_t{0xff}) + kCarryStep : now + kFirstStep,
                 std::memory_order_relaxed);
  }

  void KeepLibraryContext(void* left) { library_context.store(left, std::memory_order_relaxed); }

  std::atomic<uintptr_t> handle{reinterpret_cast<uintptr_t>(this)};
  std::atomic<uint64_t> owner{0};  // the number of its thread; 0: none
  JobFunction function = nullptr;
  void* args = nullptr;
  // Counted from the first pause on: until then its caller's reference stands for the job's, and a
  // job that never pauses need not touch the count.
  WaitContext* context = nullptr;
  // The C API's: the library context that the job left as default. Relaxed: the API looks before
  // it knows whose the job is; only the owner's look counts.
  std::atomic<void*> library_context{nullptr};
  JobSlot* next = nullptr;                // in a list of idle or free ones
  std::unique_ptr<std::byte[]> big_args;  // where args do not fit in
  int result = 0;
  uint32_t blocked = 0;
  uint32_t pool_number = 0;  // which of its thread's pools counts it
  JobState state = JobState::kIdle;
  bool holds_context = false;
  RawFiber fiber;
  alignas(std::max_align_t) std::byte inline_args[kInlineArgs];
};

// Takes a slot that is nobody's; null: no memory. Any thread.
JobSlot* TakeJobSlot();
// Requires: no job in it, its fiber destroyed.
void GiveJobSlot(JobSlot* slot);

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_JOB_SLOT_H_
