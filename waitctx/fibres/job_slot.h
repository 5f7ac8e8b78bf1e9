// JobSlot: the state of a job apart from its stack, and the handles that name jobs.
//
// A handle is the slot's address with a generation number in the unused bits of the address. Slots
// are never unmapped, so any handle that was ever valid can be looked up safely. A finished job's
// handle is recognised by its generation, also when another job uses the slot. A stale handle looks
// valid again only after 2^24 further jobs in one slot.
//
// Threads: any thread that has a handle reads `handle` and `owner`; only the owner's thread uses
// the rest. Memory: 256 bytes for each job of the largest number that existed at one time.
#ifndef GHOSTCARD_WAITCTX_FIBRES_JOB_SLOT_H_
#define GHOSTCARD_WAITCTX_FIBRES_JOB_SLOT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "waitctx/fibres/job_types.h"
#include "waitctx/fibres/raw_fiber.h"

namespace waitctx {
class WaitContext;
}  // namespace waitctx

namespace waitctx::fibres {

static_assert(sizeof(uintptr_t) == 8, "handles use the upper 16 bits of an address");

enum class JobState : uint8_t { kIdle, kRunning, kPaused };

struct alignas(256) JobSlot {
  static constexpr size_t kInlineArgs = 64;
  static constexpr uintptr_t kAddressBits = 0x0000'ffff'ffff'ff00;
  static constexpr uintptr_t kFirstStep = 1;
  static constexpr uintptr_t kCarryStep = uintptr_t{1} << 48;

  // The slot of `job`. Requires: a handle that is or was valid.
  static JobSlot* Of(const Job* job) {
    return reinterpret_cast<JobSlot*>(reinterpret_cast<uintptr_t>(job) & kAddressBits);
  }
  // Relaxed, as for `owner`: the value is only compared with the caller's, and gives access to
  // nothing that another thread wrote.
  bool Is(const Job* job) const {
    return handle.load(std::memory_order_relaxed) == reinterpret_cast<uintptr_t>(job);
  }
  Job* AsHandle() const { return reinterpret_cast<Job*>(handle.load(std::memory_order_relaxed)); }
  // Makes all earlier handles of this slot stale.
  void NextGeneration() {
    const uintptr_t now = handle.load(std::memory_order_relaxed);
    const bool carry = (now & 0xff) == 0xff;
    handle.store(carry ? (now & ~uintptr_t{0xff}) + kCarryStep : now + kFirstStep,
                 std::memory_order_relaxed);
  }

  void KeepLibraryContext(void* left) { library_context.store(left, std::memory_order_relaxed); }

  std::atomic<uintptr_t> handle{reinterpret_cast<uintptr_t>(this)};
  std::atomic<uint64_t> owner{0};  // the number of the job's thread; 0: none
  JobFunction function = nullptr;
  void* args = nullptr;
  // The job holds a reference from its first pause on. Until then the caller's reference keeps the
  // context alive, so a job that never pauses does not change the count.
  WaitContext* context = nullptr;
  // For the C API: the default library context when the job last paused. Relaxed: the API reads it
  // before it knows whether the calling thread owns the job, and uses the value only if so.
  std::atomic<void*> library_context{nullptr};
  JobSlot* next = nullptr;                // in a list of idle or free slots
  std::unique_ptr<std::byte[]> big_args;  // args that do not fit in inline_args
  int result = 0;
  uint32_t blocked = 0;
  uint32_t pool_number = 0;  // the pool of its thread that counts it
  JobState state = JobState::kIdle;
  bool holds_context = false;
  RawFiber fiber;
  alignas(std::max_align_t) std::byte inline_args[kInlineArgs];
};

// Takes a free slot; null: no memory. Any thread.
JobSlot* TakeJobSlot();
// Gives the slot back. Requires: no job is in it, and its fiber is destroyed.
void GiveJobSlot(JobSlot* slot);

}  // namespace waitctx::fibres

#endif  // GHOSTCARD_WAITCTX_FIBRES_JOB_SLOT_H_
