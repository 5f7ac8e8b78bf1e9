#include "waitctx/wait_context.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <thread>

#include "waitctx/sanitizers.h"
#include "waitctx/tls.h"

namespace waitctx {
namespace internal {

// The pins that this thread holds, innermost first.
constinit GHOSTCARD_TLS WaitContext::Pin* t_pins = nullptr;

// Freed contexts of this thread, kept for its next ones: a session that lives for one operation
// would pay more for malloc than for all else.
struct ContextCache {
  struct Free {
    Free* next;
  };
  static constexpr uint32_t kLimit = 64;

  void* spare = nullptr;  // the last one freed: beside the list, whose links take time to follow
  Free* head = nullptr;
  uint32_t room = 0;  // how many more may be kept: none until the thread's end is provided for
  bool registered = false;
};
constinit GHOSTCARD_TLS ContextCache t_cache;

}  // namespace internal

namespace {

using internal::ContextCache;
using internal::t_cache;
using internal::t_pins;

// Empties the cache at thread exit and leaves no room for what other destructors free after that.
struct CacheReaper {
  ~CacheReaper() {
    ::operator delete(std::exchange(t_cache.spare, nullptr));
    while (t_cache.head != nullptr) {
      ::operator delete(std::exchange(t_cache.head, t_cache.head->next));
    }
    t_cache.room = 0;
  }
};

inline void* TakeMemory(size_t size) {
  if (void* spare = t_cache.spare; spare != nullptr) {
    t_cache.spare = nullptr;
    return spare;
  }
  if (ContextCache::Free* free = t_cache.head; free != nullptr) {
    t_cache.head = free->next;
    ++t_cache.room;
    return free;
  }
  return ::operator new(size);
}

[[gnu::noinline]] void GiveFirstMemory(void* memory);

inline void GiveMemory(void* memory) {
  if (t_cache.room == 0) return GiveFirstMemory(memory);
  if (t_cache.spare == nullptr) {
    t_cache.spare = memory;
    return;
  }
  --t_cache.room;
  t_cache.head = new (memory) ContextCache::Free{t_cache.head};
}

void GiveFirstMemory(void* memory) {
  // Full, or nothing kept yet. asan is to see every use after free: it keeps nothing.
  if (t_cache.registered || kAddressSanitizer) return ::operator delete(memory);
  thread_local CacheReaper reaper;
  [[maybe_unused]] CacheReaper* volatile use = &reaper;  // makes it, and so registers its end
  t_cache.registered = true;
  t_cache.room = ContextCache::kLimit;
  GiveMemory(memory);
}

}  // namespace

WaitContext* WaitContext::New() { return new (TakeMemory(sizeof(WaitContext))) WaitContext; }

void WaitContext::Destroy(WaitContext* context) {
  // Cleanups may add entries; those are cleaned up too.
  while (context->count_ != 0) context->RunCleanups();
  if (context->entries_ != context->inline_) [[unlikely]] {
    delete[] context->entries_;
  }
  context->~WaitContext();
  GiveMemory(context);
}

bool WaitContext::SetWaitFd(const void* key, int fd, void* data, CleanupFn cleanup) {
  if (count_ == capacity_ && !Grow()) return false;
  entries_[count_++] = Entry{key, data, cleanup, fd, /*added=*/true, /*removed=*/false};
  ++added_;
  return true;
}

bool WaitContext::Grow() {
  const uint32_t capacity = capacity_ * 2;
  Entry* grown = new (std::nothrow) Entry[capacity];
  if (grown == nullptr) return false;
  std::copy_n(entries_, count_, grown);
  if (entries_ != inline_) delete[] entries_;
  entries_ = grown;
  capacity_ = capacity;
  return true;
}

bool WaitContext::ClearWaitFd(const void* key) {
  Entry* entry = const_cast<Entry*>(Find(key));
  if (entry == nullptr) return false;
  if (entry->added) {  // nobody has been told of it: it never was
    std::copy(entry + 1, entries_ + count_, entry);
    --count_;
    --added_;
  } else {
    entry->removed = true;
    ++removed_;
  }
  return true;
}

void WaitContext::CopyChangedFds(std::span<int> added, std::span<int> removed) const {
  size_t adds = 0;
  size_t removes = 0;
  for (uint32_t i = count_; i-- > 0;) {
    const Entry& entry = entries_[i];  // never both: what is added and removed is gone
    if (entry.removed && !removed.empty()) removed[removes++] = entry.fd;
    if (entry.added && !added.empty()) added[adds++] = entry.fd;
  }
}

void WaitContext::ForgetChanges() {
  if (removed_ != 0) {
    Entry* end =
        std::remove_if(entries_, entries_ + count_, [](const Entry& e) { return e.removed; });
    count_ = static_cast<uint32_t>(end - entries_);
  }
  for (uint32_t i = 0; i < count_; ++i) entries_[i].added = false;
  added_ = removed_ = 0;
}

void WaitContext::RunCleanups() {
  // One at a time and off the list first, so that a cleanup may look at the context and clear
  // what is still in it; but only those that are there now.
  for (uint32_t left = count_; left-- > 0 && count_ != 0;) {
    const Entry entry = entries_[--count_];
    added_ -= entry.added;
    removed_ -= entry.removed;
    if (!entry.removed && entry.cleanup != nullptr) {
      entry.cleanup(this, entry.key, entry.fd, entry.data);
    }
  }
}

WaitContext::Callback WaitContext::callback() const {
  for (;;) {
    // Acquire, all of them: whoever sees a new half also sees, in the second look at the sequence,
    // that its writer had begun.
    const uint32_t before = sequence_.load(std::memory_order_acquire);
    const Callback pair{function_.load(std::memory_order_acquire),
                        argument_.load(std::memory_order_acquire)};
    if ((before & 1) == 0 && sequence_.load(std::memory_order_relaxed) == before) return pair;
    std::this_thread::yield();
  }
}

void WaitContext::SetCallback(Callback callback) {
  // An odd sequence is the writers' lock: held for two stores, never while waiting.
  uint32_t sequence = sequence_.load(std::memory_order_relaxed);
  while ((sequence & 1) != 0 ||
         !sequence_.compare_exchange_weak(sequence, sequence + 1, std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
    if ((sequence & 1) != 0) std::this_thread::yield();
    sequence = sequence_.load(std::memory_order_relaxed);
  }
  function_.store(callback.function, std::memory_order_release);
  argument_.store(callback.argument, std::memory_order_release);
  sequence_.store(sequence + 2, std::memory_order_release);

  // From inside a callback nothing is waited for: two callbacks that did would wait for each other.
  if (OwnPins() != 0) return;

  // Turns new pins to the other count, so that the one to wait for can only fall. A
  // read-modify-write even when nobody is pinned: a pin is either before it in the gate's order,
  // and waited for, or after it, and then its acquire sees the new pair.
  uint64_t gate = gate_.load(std::memory_order_relaxed);
  for (;;) {
    const uint64_t next = (gate & kPhase) != 0 ? kPins0 : kPins1;
    if ((gate & next) != 0) {  // another SetCallback still waits for those
      gate = WaitForPins(next, 0);
    } else if (gate_.compare_exchange_weak(gate, gate ^ kPhase, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) {
      break;
    }
  }
  const uint64_t left = (gate & kPhase) != 0 ? kPins1 : kPins0;
  if ((gate & left) != 0) WaitForPins(left, 0);
}

uint64_t WaitContext::OwnPins() const {
  uint64_t own = 0;
  for (const Pin* pin = t_pins; pin != nullptr; pin = pin->outer_) {
    if (&pin->context_ == this) own += pin->unit_;
  }
  return own;
}

// Waits until the counts in `mask` are those of `own`, and returns the gate as it then was.
uint64_t WaitContext::WaitForPins(uint64_t mask, uint64_t own) {
  // Acquire: what the pins' holders did (their release) is done when this returns.
  uint64_t gate = gate_.load(std::memory_order_acquire);
  while ((gate & mask) != (own & mask)) {
    if ((gate & kWaited) == 0) {
      gate_.fetch_or(kWaited, std::memory_order_relaxed);
    } else {
      gate_.wait(gate, std::memory_order_acquire);
    }
    gate = gate_.load(std::memory_order_acquire);
  }
  return gate;
}

WaitContext::Pin::Pin(WaitContext& context) : context_(context) {
  // Acquire: pairs with SetCallback's turn of the phase. A closed gate needs no order: nothing
  // is read behind it.
  uint64_t gate = context.gate_.load(std::memory_order_relaxed);
  uint64_t unit;
  do {
    if ((gate & kClosed) != 0) return;
    unit = (gate & kPhase) != 0 ? kPin1 : kPin0;
    // With a reference: whoever lets go of the last other one leaves the end to us.
  } while (!context.gate_.compare_exchange_weak(gate, gate + unit + kRef, std::memory_order_acquire,
                                                std::memory_order_relaxed));
  unit_ = unit;
  outer_ = t_pins;
  t_pins = this;
  callback_ = context.callback();
}

WaitContext::Pin::~Pin() {
  if (unit_ == 0) return;
  // The head, but where a job paused with a pin held.
  Pin** link = &t_pins;
  while (*link != this) link = &(*link)->outer_;
  *link = outer_;
  // Release: what was done under the pin is done for whoever waited for it; acquire: if ours is the
  // last reference, we see what the others did before they let go. After this the context may be
  // gone; waking takes its address only, and a wake-up too many does no harm.
  std::atomic<uint64_t>& gate = context_.gate_;
  const uint64_t before = gate.fetch_sub(unit_ + kRef, std::memory_order_acq_rel);
  if (before < 2 * kRef) {
    Destroy(&context_);
  } else if ((before & kWaited) != 0) {
    gate.notify_all();
  }
}

void WaitContext::Close() {
  // Release for closed(); acquire for pins that ended before.
  if ((gate_.fetch_or(kClosed, std::memory_order_acq_rel) & kClosed) != 0) return;
  WaitForPins(kPins0 | kPins1, OwnPins());
  RunCleanups();
}

void WaitContext::CloseAndRelease() {
  // Alone with the only reference and no pin: whoever would pin now had no right to. (Acquire as in
  // Release().) Plainly stored, the bit is for cleanups that ask.
  const uint64_t gate = gate_.load(std::memory_order_acquire);
  if ((gate & ~(kPhase | kWaited)) == kRef) {
    if (count_ == 0 && entries_ == inline_) [[likely]] {
      this->~WaitContext();
      return GiveMemory(this);
    }
    gate_.store(gate | kClosed, std::memory_order_relaxed);
    return Destroy(this);
  }
  Close();
  Release();
}

}  // namespace waitctx
