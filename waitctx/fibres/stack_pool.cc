#include "waitctx/fibres/stack_pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <new>

#if defined(GHOSTCARD_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace waitctx::fibres {
namespace {

#if !defined(MADV_GUARD_INSTALL)
constexpr int kMadvGuardInstall = 102;  // linux/mman.h of 6.13
#else
constexpr int kMadvGuardInstall = MADV_GUARD_INSTALL;
#endif

size_t RoundToPages(size_t size) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

StackPool::StackPool(Options options)
    : stack_size_(RoundToPages(options.stack_size)),
      stride_(stack_size_ + RoundToPages(kGuardSize)),
      guard_(options.guard) {}

StackPool::~StackPool() {
  for (const auto& [start, slab] : slabs_) munmap(start, stride_ * kStacksPerSlab);
}

std::optional<Stack> StackPool::Allocate() {
  const std::lock_guard lock(mutex_);
  auto slab = with_room_.empty() ? MapSlab() : slabs_.find(*with_room_.begin());
  if (slab == slabs_.end()) return std::nullopt;

  const int index = std::countr_zero(slab->second.free);
  const uint64_t bit = uint64_t{1} << index;
  std::byte* guard = slab->first + static_cast<size_t>(index) * stride_;
  if ((slab->second.guarded & bit) == 0) {
    if (!LayGuard(guard)) return std::nullopt;
    slab->second.guarded |= bit;
  }
  slab->second.free &= ~bit;
  if (slab->second.free == 0) with_room_.erase(slab->first);
  ++in_use_;

  const size_t guard_size = stride_ - stack_size_;
#if defined(GHOSTCARD_ASAN)
  // Frames of the stack's last user may have left poisoned memory.
  __asan_unpoison_memory_region(guard + guard_size, stack_size_);
#endif
  return Stack{guard + guard_size, stack_size_, guard_size};
}

StackPool::SlabMap::iterator StackPool::MapSlab() {
  const size_t size = stride_ * kStacksPerSlab;
  void* start = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (start == MAP_FAILED) return slabs_.end();
  // A huge page would make whole stacks resident. A kernel without huge pages refuses.
  (void)madvise(start, size, MADV_NOHUGEPAGE);
  const auto slab = slabs_.emplace(static_cast<std::byte*>(start), Slab{}).first;
  with_room_.insert(slab->first);
  return slab;
}

bool StackPool::LayGuard(std::byte* guard) {
  const size_t size = stride_ - stack_size_;
  if (guard_ == GuardKind::kMadvise) {
    if (madvise(guard, size, kMadvGuardInstall) == 0) return true;
    guard_ = GuardKind::kMprotect;
  }
  return mprotect(guard, size, PROT_NONE) == 0;
}

bool StackPool::Free(std::byte* bottom) {
  const std::lock_guard lock(mutex_);
  auto slab = slabs_.upper_bound(bottom);
  if (slab == slabs_.begin()) return false;
  --slab;
  const size_t offset = static_cast<size_t>(bottom - slab->first);
  const size_t index = offset / stride_;
  if (index >= kStacksPerSlab || offset % stride_ != stride_ - stack_size_) return false;
  const uint64_t bit = uint64_t{1} << index;
  if ((slab->second.free & bit) != 0) return false;

  slab->second.free |= bit;
  --in_use_;
  if (slab->second.free == ~uint64_t{0} && slabs_.size() > 1) {
    munmap(slab->first, stride_ * kStacksPerSlab);
    with_room_.erase(slab->first);
    slabs_.erase(slab);
    return true;
  }
  with_room_.insert(slab->first);
  (void)madvise(bottom, stack_size_, MADV_DONTNEED);
  return true;
}

StackPool::GuardKind StackPool::guard() const {
  const std::lock_guard lock(mutex_);
  return guard_;
}

StackPool::Counts StackPool::counts() const {
  const std::lock_guard lock(mutex_);
  return {in_use_, slabs_.size()};
}

}  // namespace waitctx::fibres
