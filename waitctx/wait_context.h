// WaitContext: who waits for something, and how they are told: by file
// descriptors that become readable, or by a callback. It holds the wait fds of one
// "session", what was added and removed since the job last ran, the callback, and
// the status by which an engine says what became of a submit.
//
// This is OpenSSL's ASYNC_WAIT_CTX as a C++ class; async_c_api.cc puts OpenSSL's
// names on it. Behaviour follows ASYNC_WAIT_CTX_new(3) and, where that is silent,
// what OpenSSL does.
//
// Threads: fds belong to the thread that runs the job or, between runs, the
// application's. Status, callback and Pin may be used by any thread at any time:
// a completion thread reads the callback while the application replaces it.
// Ownership: counted (WaitContextRef). Close() ends it for its application: no
// callback begins and no fd is signalled through a Pin after it returns. Memory goes
// with the last reference: requests in flight and jobs hold one.
// Limits: 2^28 references and 2^14 pins at once; entries are found by walking them, newest first,
// as a session has few.
#ifndef GHOSTCARD_WAITCTX_WAIT_CONTEXT_H_
#define GHOSTCARD_WAITCTX_WAIT_CONTEXT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace waitctx {

// ASYNC_STATUS_*. The values are OpenSSL's. Any other int is stored as given.
enum class Status : int {
  kUnsupported = 0,  // no callback will come: the engine knows nothing of them
  kError = 1,        // fatal for this request: clean up the session
  kOk = 2,           // submitted: the callback will be called
  kAgain = 3,        // refused for now: resume the job to try again
};

class WaitContextRef;

class WaitContext {
 public:
  using CleanupFn = void (*)(WaitContext* context, const void* key, int fd, void* data);
  // Small and nonblocking: it runs in the context of a poll or an interrupt. What it
  // returns is not looked at.
  using CallbackFn = int (*)(void* argument);

  struct Callback {
    CallbackFn function = nullptr;
    void* argument = nullptr;
    explicit operator bool() const { return function != nullptr; }
  };

  // Never fails but by std::bad_alloc.
  static WaitContextRef Create();

  // --- wait fds ---

  // Adds an entry, newest first. The same key twice is two entries. `cleanup` (may be
  // null) is called by Close() unless the entry was cleared before. False: no memory.
  bool SetWaitFd(const void* key, int fd, void* data, CleanupFn cleanup);

  struct WaitFd {
    int fd = -1;
    void* data = nullptr;
  };
  // The newest entry of that key that is not cleared.
  std::optional<WaitFd> GetWaitFd(const void* key) const;

  // Removes the newest entry of that key. Does not call its cleanup: the fd is the
  // caller's to close. False: there is none.
  bool ClearWaitFd(const void* key);

  size_t wait_fd_count() const { return count_ - removed_; }
  // Writes the fds, newest first, and returns how many. Requires: out.size() >= wait_fd_count().
  size_t CopyWaitFds(std::span<int> out) const;

  struct ChangeCounts {
    size_t added = 0;
    size_t removed = 0;
  };
  // What changed since the job was last resumed. Looking does not consume. A key that was
  // removed and added again is in both lists: apply removals first.
  ChangeCounts changed_fd_counts() const { return {added_, removed_}; }
  // Requires: room for changed_fd_counts(). An empty span is skipped.
  void CopyChangedFds(std::span<int> added, std::span<int> removed) const;

  // Forgets what changed. For jobs and tasks, when they are resumed.
  void ResetChanges();

  // --- status and callback ---

  void set_status(int status) { status_.store(status, std::memory_order_release); }
  void set_status(Status status) { set_status(static_cast<int>(status)); }
  // Release/acquire: who sees kOk sees everything the engine did before.
  int status() const { return status_.load(std::memory_order_acquire); }

  // Replaces the pair as one: no reader sees half of it. When this returns, the old callback
  // is not running on another thread and will not run again. (Called from inside that very
  // callback it does not wait.)
  void SetCallback(Callback callback);
  Callback callback() const;

  // --- telling ---

  // While a Pin exists, Close() and SetCallback() on other threads wait for it: what it shows stays
  // valid. Held only around a callback or a signal, by the thread that tells. Pins of one thread
  // may nest, on one context and on several. A pin is a reference: the context outlives it, also
  // when the callback itself closes it and lets go of the last other one. Two callbacks that close
  // each other's contexts wait for each other for good: close a context where it is waited for.
  // Requires: whoever makes the pin knows that someone has a reference at that moment.
  class Pin {
   public:
    explicit Pin(WaitContext& context);
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    // False: the context is closed; tell nobody.
    explicit operator bool() const { return unit_ != 0; }
    Callback callback() const { return callback_; }

   private:
    friend class WaitContext;
    WaitContext& context_;
    Pin* outer_ = nullptr;  // the pin this thread held already, if any
    uint64_t unit_ = 0;     // what it added to the gate word; 0: closed, nothing
    Callback callback_;
  };

  // --- the end ---

  // The application is done with it: waits for pins of other threads, then calls the cleanups,
  // newest first, and removes the entries. Entries added later (by a job that still runs) are
  // cleaned up with the last reference. A second call does nothing.
  void Close();
  bool closed() const { return (gate_.load(std::memory_order_acquire) & kClosed) != 0; }

 private:
  friend class WaitContextRef;

  struct Entry {
    const void* key;
    void* data;
    CleanupFn cleanup;
    int fd;
    bool added;    // since the changes were last reset
    bool removed;  // likewise: hidden, kept only to be reported
  };
  static constexpr uint32_t kInlineEntries = 4;

  // The gate word, one word so that the owner of the only reference can see in one load that
  // nobody else is about: flags, the pins of either phase, the references.
  static constexpr uint64_t kClosed = 1;  // no pin opens any more
  static constexpr uint64_t kPhase = 2;   // which count a new pin goes to
  static constexpr uint64_t kWaited = 4;  // somebody has waited: wake on unpin, from now on
  static constexpr uint64_t kPin0 = uint64_t{1} << 8;
  static constexpr uint64_t kPin1 = uint64_t{1} << 22;
  static constexpr uint64_t kRef = uint64_t{1} << 36;
  static constexpr uint64_t kPins0 = kPin1 - kPin0;
  static constexpr uint64_t kPins1 = kRef - kPin1;

  WaitContext() = default;
  ~WaitContext() = default;
  static void Destroy(WaitContext* context);
  static WaitContext* New();
  void Retain();
  void Release();
  // Close() and Release() in one, for less than the sum.
  void CloseAndRelease();

  const Entry* Find(const void* key) const;
  bool Grow();
  void ForgetChanges();
  void RunCleanups();
  uint64_t OwnPins() const;
  uint64_t WaitForPins(uint64_t mask, uint64_t own);

  std::atomic<uint64_t> gate_{kRef};
  std::atomic<int> status_{0};
  // The pair is read between two equal, even values; odd while it is written.
  std::atomic<uint32_t> sequence_{0};
  std::atomic<CallbackFn> function_{nullptr};
  std::atomic<void*> argument_{nullptr};

  // Of the thread that runs the job, or the application's. Oldest first.
  Entry* entries_ = inline_;
  uint32_t count_ = 0;
  uint32_t capacity_ = kInlineEntries;
  uint32_t added_ = 0;
  uint32_t removed_ = 0;
  Entry inline_[kInlineEntries];
};

// A counted reference. Copying takes another one; the last frees.
class WaitContextRef {
 public:
  WaitContextRef() = default;
  WaitContextRef(const WaitContextRef& other);
  WaitContextRef(WaitContextRef&& other) noexcept
      : context_(std::exchange(other.context_, nullptr)) {}
  WaitContextRef& operator=(WaitContextRef other) noexcept {
    std::swap(context_, other.context_);
    return *this;
  }
  ~WaitContextRef();

  // Takes another reference to a context that the caller knows to be alive; null is allowed.
  static WaitContextRef Retain(WaitContext* context);
  // Takes over a reference given up with Release().
  static WaitContextRef Adopt(WaitContext* context);
  // Gives the reference to the caller, who must Adopt() it again some time.
  WaitContext* Release() { return std::exchange(context_, nullptr); }
  // Closes the context and lets go of this reference. Null: nothing happens.
  void CloseAndReset();

  WaitContext* get() const { return context_; }
  WaitContext& operator*() const { return *context_; }
  WaitContext* operator->() const { return context_; }
  explicit operator bool() const { return context_ != nullptr; }

 private:
  WaitContext* context_ = nullptr;
};

}  // namespace waitctx

#include "waitctx/wait_context_inl.h"

#endif  // GHOSTCARD_WAITCTX_WAIT_CONTEXT_H_
