#include "waitctx/wait_context.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <thread>

#include "waitctx/base/sanitizers.h"
#include "waitctx/base/tls.h"

namespace waitctx {
namespace internal {

// The pins that this thread holds, innermost first.
constinit GHOSTCARD_TLS WaitContext::Pin* t_pins = nullptr;

// Freed contexts of this thread, kept for its next ones: for a session of one operation, malloc
// would cost more than the rest.
struct ContextCache {
  struct Free {
    Free* next;
  };
  static constexpr uint32_t kLimit = 64;

  void* spare = nullptr;  // one freed context outside the list, which needs no link to be followed
  Free* head = nullptr;
  uint32_t room = 0;  // how many more may be kept; 0 until CacheReaper is registered
  bool registered = false;
};
constinit GHOSTCARD_TLS ContextCache t_cache;

}  // namespace internal

namespace {

using internal::ContextCache;
using internal::t_cache;
using internal::t_pins;

// Empties the cache at thread exit, and stops it from keeping what later destructors free.
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
  // The cache is full, or not yet registered. Under asan it keeps nothing, so that asan sees every
  // use after free.
  if (t_cache.registered || kAddressSanitizer) return ::operator delete(memory);
  thread_local CacheReaper reaper;
  [[maybe_unused]] CacheReaper* volatile use =
      &reaper;  // constructs it and registers its destructor
  t_cache.registered = true;
  t_cache.room = ContextCache::kLimit;
  GiveMemory(memory);
}

}  // namespace

WaitContext* WaitContext::New() { return new (TakeMemory(sizeof(WaitContext))) WaitContext; }

void WaitContext::Destroy(WaitContext* context) {
  // Cleanups may add entries, which are cleaned up too.
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
  if (entry->added) {  // the application has not seen it: it leaves no trace
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
    const Entry& entry = entries_[i];  // never both: ClearWaitFd erases an added entry
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
  // Removes each entry before it calls the cleanup, since a cleanup may read the context and clear
  // other entries. Handles the entries of now, not those that cleanups add.
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
    // Acquire: a reader that sees a new half of the pair also sees, in its second load of the
    // sequence, that the write had begun.
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

  // Inside a callback it must not wait: two callbacks would wait for each other.
  if (OwnPins() != 0) return;

  // Makes new pins add to the other phase's count, so that the count to wait for can only fall. A
  // read-modify-write even without pins: a pin comes either before it in the gate's modification
  // order, and this waits for it, or after it, and the pin's acquire sees the new pair.
  uint64_t gate = gate_.load(std::memory_order_relaxed);
  for (;;) {
    const uint64_t next = (gate & kPhase) != 0 ? kPins0 : kPins1;
    if ((gate & next) != 0) {  // another SetCallback still waits for these pins
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

// Waits until the counts in `mask` equal those of `own`, and returns the gate's value at that time.
uint64_t WaitContext::WaitForPins(uint64_t mask, uint64_t own) {
  // Acquire: this thread sees what the pins' threads did before they unpinned (their release).
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
  // Acquire: pairs with SetCallback's change of the phase. A closed gate needs no order: the pin
  // then reads nothing else.
  uint64_t gate = context.gate_.load(std::memory_order_relaxed);
  uint64_t unit;
  do {
    if ((gate & kClosed) != 0) return;
    unit = (gate & kPhase) != 0 ? kPin1 : kPin0;
    // With a reference: if the last other one is released meanwhile, this pin frees the context.
  } while (!context.gate_.compare_exchange_weak(gate, gate + unit + kRef, std::memory_order_acquire,
                                                std::memory_order_relaxed));
  unit_ = unit;
  outer_ = t_pins;
  t_pins = this;
  callback_ = context.callback();
}

WaitContext::Pin::~Pin() {
  if (unit_ == 0) return;
  // This pin is the head, unless a job paused while it held a pin.
  Pin** link = &t_pins;
  while (*link != this) link = &(*link)->outer_;
  *link = outer_;
  // Release: a thread that waited for the pin sees what was done under it. Acquire: if this was the
  // last reference, this thread sees what the others did before they released. After this the
  // context may be freed; waking uses its address only, and a superfluous wake-up is harmless.
  std::atomic<uint64_t>& gate = context_.gate_;
  const uint64_t before = gate.fetch_sub(unit_ + kRef, std::memory_order_acq_rel);
  if (before < 2 * kRef) {
    Destroy(&context_);
  } else if ((before & kWaited) != 0) {
    gate.notify_all();
  }
}

void WaitContext::Close() {
  // Release: for closed(). Acquire: for pins that ended before.
  if ((gate_.fetch_or(kClosed, std::memory_order_acq_rel) & kClosed) != 0) return;
  WaitForPins(kPins0 | kPins1, OwnPins());
  RunCleanups();
}

void WaitContext::CloseAndRelease() {
  // With the only reference and no pin, no other thread may make a pin. (Acquire as in Release().)
  // A plain store of kClosed is enough: only cleanups, on this thread, read it.
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
