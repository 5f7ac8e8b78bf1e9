#include "waitctx/check/call_stack.h"

#include <execinfo.h>

#include <algorithm>
#include <mutex>
#include <unordered_set>

namespace waitctx::check {
namespace {

struct HashOf {
  size_t operator()(const CallStack& stack) const { return stack.Hash(); }
};

// Never destroyed: threads may still call when the process exits.
struct KeptStacks {
  std::mutex mutex;
  std::unordered_set<CallStack, HashOf> stacks;  // guarded by mutex

  static KeptStacks& Get() {
    static auto& kept = *new KeptStacks;
    return kept;
  }
};

}  // namespace

CallStack CallStack::Here() {
  CallStack stack;
  stack.depth = static_cast<uint32_t>(
      backtrace(const_cast<void**>(stack.frames), static_cast<int>(kDepthMax)));
  return stack;
}

CallStack CallStack::Of(const void* function) {
  CallStack stack;
  stack.depth = 1;
  // One past the beginning, since the lookup takes the byte before a return address.
  stack.frames[0] = static_cast<const char*>(function) + 1;
  return stack;
}

uint64_t CallStack::Hash() const {
  uint64_t hash = depth;
  for (uint32_t i = 0; i < depth; ++i) {
    hash = (hash ^ reinterpret_cast<uintptr_t>(frames[i])) * 0x9e37'79b9'7f4a'7c15;
    hash ^= hash >> 29;
  }
  return hash;
}

bool CallStack::operator==(const CallStack& other) const {
  return depth == other.depth && std::equal(frames, frames + depth, other.frames);
}

const CallStack* Keep(const CallStack& stack) {
  KeptStacks& kept = KeptStacks::Get();
  const std::lock_guard lock(kept.mutex);
  return &*kept.stacks.insert(stack).first;
}

void LockKeptStacks() { KeptStacks::Get().mutex.lock(); }
void UnlockKeptStacks() { KeptStacks::Get().mutex.unlock(); }

}  // namespace waitctx::check
