#include "waitctx/fibres/job_slot.h"

#include <pthread.h>
#include <sys/mman.h>

#include <mutex>
#include <new>

namespace waitctx::fibres {
namespace {

// Never destroyed, since slots are not.
struct FreeSlots {
  static constexpr size_t kChunk = 256 * sizeof(JobSlot);

  std::mutex mutex;
  JobSlot* head = nullptr;  // guarded by mutex

  static FreeSlots& Get() {
    static FreeSlots& slots = []() -> FreeSlots& {
      auto* made = new FreeSlots;
      pthread_atfork([] { Get().mutex.lock(); }, [] { Get().mutex.unlock(); },
                     [] { Get().mutex.unlock(); });
      return *made;
    }();
    return slots;
  }
};

}  // namespace

JobSlot* TakeJobSlot() {
  FreeSlots& free = FreeSlots::Get();
  const std::lock_guard lock(free.mutex);
  if (free.head == nullptr) {
    void* chunk = mmap(nullptr, FreeSlots::kChunk, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED) return nullptr;
    auto* slots = static_cast<JobSlot*>(chunk);
    for (size_t i = FreeSlots::kChunk / sizeof(JobSlot); i-- > 0;) {
      JobSlot* slot = new (slots + i) JobSlot;
      slot->next = free.head;
      free.head = slot;
    }
  }
  JobSlot* slot = free.head;
  free.head = slot->next;
  slot->next = nullptr;
  return slot;
}

void GiveJobSlot(JobSlot* slot) {
  slot->owner.store(0, std::memory_order_relaxed);
  FreeSlots& free = FreeSlots::Get();
  const std::lock_guard lock(free.mutex);
  slot->next = free.head;
  free.head = slot;
}

}  // namespace waitctx::fibres
