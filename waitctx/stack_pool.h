// StackPool: stacks for fibers, mapped in slabs, each with guard pages under it.
//
// Threads: any. Ownership: a Stack is the caller's until it is freed; the pool must outlive it.
// Limits: guards are laid with MADV_GUARD_INSTALL, which costs no mapping (Linux 6.13 on). Older
// kernels get mprotect, whose two mappings per stack run into vm.max_map_count (65,530) at some
// 32,000 stacks; Allocate() then fails.
// Memory: a stack costs what it has touched, and gives that back when it is freed.
#ifndef GHOSTCARD_WAITCTX_STACK_POOL_H_
#define GHOSTCARD_WAITCTX_STACK_POOL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "waitctx/sanitizers.h"

namespace waitctx {

struct Stack {
  std::byte* bottom = nullptr;  // the lowest byte that may be used
  size_t size = 0;
  size_t guard_size = 0;  // bytes under `bottom` that fault; 0: not known to be guarded
};

// Red zones and shadow calls make frames several times as large.
inline constexpr size_t kDefaultStackSize =
    kAddressSanitizer || kThreadSanitizer ? 256 * 1024 : 64 * 1024;
// Four pages: a local buffer of some kilobytes must not step over it.
inline constexpr size_t kGuardSize = 16 * 1024;

class StackPool {
 public:
  enum class GuardKind { kMadvise, kMprotect };

  struct Options {
    size_t stack_size = kDefaultStackSize;  // rounded up to pages
    // What to start with; kMadvise falls back to kMprotect where the kernel refuses it.
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

  // nullopt: no memory, or no room for another guard.
  std::optional<Stack> Allocate();
  // Takes back the stack that starts at `bottom`. False: it is none of this pool.
  bool Free(std::byte* bottom);

  size_t stack_size() const { return stack_size_; }
  GuardKind guard() const;
  Counts counts() const;

  // Around fork(2): nobody is inside while the process is copied.
  void LockForFork() { mutex_.lock(); }
  void UnlockAfterFork() { mutex_.unlock(); }

 private:
  // As many as a word has bits.
  static constexpr size_t kStacksPerSlab = 64;

  struct Slab {
    uint64_t free = ~uint64_t{0};  // a bit for each stack
    uint64_t guarded = 0;          // those that have their guard, laid on first use
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
  std::set<std::byte*> with_room_;
  size_t in_use_ = 0;
};

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_STACK_POOL_H_
