// StackPool: stacks for fibres, mapped in slabs, each with guard pages below it.
//
// Threads: any. Ownership: a Stack belongs to the caller until Free; the pool must outlive it.
// Limits: the pool makes guards with MADV_GUARD_INSTALL (Linux 6.13 and later), which needs no
// extra mapping. On older kernels it uses mprotect, which takes two mappings for each stack:
// Allocate() then fails at about 32,000 stacks, at the kernel's limit vm.max_map_count (65,530).
// Memory: a stack uses memory for the pages it has touched, and returns them when it is freed.
#ifndef GHOSTCARD_WAITCTX_FIBRES_STACK_POOL_H_
#define GHOSTCARD_WAITCTX_FIBRES_STACK_POOL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "waitctx/base/sanitizers.h"

namespace waitctx::fibres {

struct Stack {
  std::byte* bottom = nullptr;  // the lowest byte that may be used
  size_t size = 0;
  size_t guard_size = 0;  // bytes below `bottom` that fault; 0: no guard is known
};

// Larger under the sanitizers: their instrumentation makes frames several times as large.
inline constexpr size_t kDefaultStackSize =
    kAddressSanitizer || kThreadSanitizer ? 256 * 1024 : 64 * 1024;
// Four pages, so that a frame with a buffer of some kilobytes does not skip the guard.
inline constexpr size_t kGuardSize = 16 * 1024;

class StackPool {
 public:
  enum class GuardKind { kMadvise, kMprotect };

  struct Options {
    size_t stack_size = kDefaultStackSize;  // rounded up to pages
    // The first choice; the pool changes from kMadvise to kMprotect if the kernel refuses kMadvise.
    GuardKind guard = GuardKind::kMadvise;
  };

  struct Counts {
    size_t in_use = 0;
    size_t slabs = 0;
  };

  explicit StackPool(Options options);
  // Requires: every stack was freed.
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // nullopt: no memory, or no mapping left for another guard.
  std::optional<Stack> Allocate();
  // Takes back the stack that starts at `bottom`. False: this pool has no such stack in use.
  bool Free(std::byte* bottom);

  size_t stack_size() const { return stack_size_; }
  GuardKind guard() const;
  Counts counts() const;

  // Around fork(2): no thread holds the pool's lock while the process is copied.
  void LockForFork() { mutex_.lock(); }
  void UnlockAfterFork() { mutex_.unlock(); }

 private:
  // One for each bit of a word.
  static constexpr size_t kStacksPerSlab = 64;

  struct Slab {
    uint64_t free = ~uint64_t{0};  // a bit for each stack
    uint64_t guarded = 0;          // a bit for each stack with a guard, made on first use
  };
  using SlabMap = std::map<std::byte*, Slab>;

  SlabMap::iterator MapSlab();
  bool LayGuard(std::byte* guard);

  const size_t stack_size_;
  const size_t stride_;
  mutable std::mutex mutex_;
  // All guarded by mutex_. Keyed by the first byte.
  GuardKind guard_;
  SlabMap slabs_;
  std::set<std::byte*> with_room_;  // slabs with a free stack
  size_t in_use_ = 0;
};

}  // namespace waitctx::fibres

#endif  // GHOSTCARD_WAITCTX_FIBRES_STACK_POOL_H_
