#include "waitctx/fibres/job_stacks.h"

#include <pthread.h>
#include <sys/mman.h>

#include <map>
#include <mutex>

namespace waitctx::fibres {
namespace {

void* PoolAlloc(size_t* size);
void PoolFree(void* stack);

// Never destroyed: a job may outlive main.
struct Process {
  StackPool pool{StackPool::Options{}};

  std::mutex mutex;
  // Guarded by mutex.
  std::map<void*, size_t> large;  // stacks from PoolAlloc that are larger than the pool's
  StackAllocFn alloc = &PoolAlloc;
  StackFreeFn free = &PoolFree;
  bool frozen = false;  // a stack has been made

  static Process& Get() {
    static Process& process = []() -> Process& {
      auto* made = new Process;
      // Locked during fork: the child must not inherit a lock that is held by a thread which the
      // child does not have.
      pthread_atfork([] { Get().Lock(); }, [] { Get().Unlock(); }, [] { Get().Unlock(); });
      return *made;
    }();
    return process;
  }

  void Lock() {
    mutex.lock();
    pool.LockForFork();
  }
  void Unlock() {
    pool.UnlockAfterFork();
    mutex.unlock();
  }
};

void* PoolAlloc(size_t* size) {
  Process& process = Process::Get();
  if (*size <= process.pool.stack_size()) {
    const std::optional<Stack> stack = process.pool.Allocate();
    if (!stack) return nullptr;
    *size = stack->size;
    return stack->bottom;
  }
  // Large stacks are rare: each gets its own mapping.
  void* mapped = mmap(nullptr, *size + kGuardSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (mprotect(mapped, kGuardSize, PROT_NONE) != 0) {
    munmap(mapped, *size + kGuardSize);
    return nullptr;
  }
  void* bottom = static_cast<std::byte*>(mapped) + kGuardSize;
  const std::lock_guard lock(process.mutex);
  process.large[bottom] = *size;
  return bottom;
}

void PoolFree(void* stack) {
  Process& process = Process::Get();
  if (stack == nullptr || process.pool.Free(static_cast<std::byte*>(stack))) return;
  const std::lock_guard lock(process.mutex);
  const auto found = process.large.find(stack);
  if (found == process.large.end()) return;
  munmap(static_cast<std::byte*>(stack) - kGuardSize, found->second + kGuardSize);
  process.large.erase(found);
}

}  // namespace

bool SetStackFunctions(StackAllocFn alloc, StackFreeFn free) {
  Process& process = Process::Get();
  const std::lock_guard lock(process.mutex);
  if (process.frozen) return false;
  if (alloc != nullptr) process.alloc = alloc;
  if (free != nullptr) process.free = free;
  return true;
}

void GetStackFunctions(StackAllocFn& alloc, StackFreeFn& free) {
  Process& process = Process::Get();
  const std::lock_guard lock(process.mutex);
  alloc = process.alloc;
  free = process.free;
}

std::optional<Stack> AllocateJobStack() {
  Process& process = Process::Get();
  StackAllocFn alloc;
  {
    const std::lock_guard lock(process.mutex);
    process.frozen = true;
    alloc = process.alloc;
  }
  if (alloc == &PoolAlloc) return process.pool.Allocate();
  size_t size = kDefaultStackSize;
  void* bottom = alloc(&size);
  if (bottom == nullptr) return std::nullopt;
  return Stack{static_cast<std::byte*>(bottom), size, /*guard_size=*/0};
}

void FreeJobStack(const Stack& stack) {
  Process& process = Process::Get();
  StackFreeFn free;
  {
    const std::lock_guard lock(process.mutex);
    free = process.free;
  }
  free(stack.bottom);
}

}  // namespace waitctx::fibres
