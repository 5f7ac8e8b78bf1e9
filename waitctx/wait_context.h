// WaitContext: how one waiter learns that it can continue: by file descriptors that become
// readable, or by a callback. It holds the wait fds of one session, the changes to them since the
// job last ran, the callback, and the status with which an engine reports the result of a submit.
//
// This is OpenSSL's ASYNC_WAIT_CTX as a C++ class; async_c_api.cc gives it OpenSSL's names. It
// behaves as ASYNC_WAIT_CTX_new(3) says and, where the manual is silent, as OpenSSL does.
//
// Threads: the thread that runs the job uses the wait fds; between runs, the application's thread.
// Any thread may use status, callback and Pin at any time: a completion thread reads the callback
// while the application replaces it. Ownership: counted references (WaitContextRef); requests in
// flight and jobs hold one. The memory is freed with the last one. Close() ends the context for the
// application: after it returns, no callback begins and no fd is signalled through a Pin. Limits:
// 2^28 references and 2^14 pins at one time. Entries are searched linearly, newest first, since a
// session has few.
#ifndef GHOSTCARD_WAITCTX_WAIT_CONTEXT_H_
#define GHOSTCARD_WAITCTX_WAIT_CONTEXT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

// What C code calls a context: OpenSSL's ASYNC_WAIT_CTX. In this layer each one is a WaitContext.
// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's name
struct async_wait_ctx_st {};

namespace waitctx {

// ASYNC_STATUS_*. The values are OpenSSL's. Any other int is stored as given.
enum class Status : int {
  kUnsupported = 0,  // the engine does not support callbacks: none will run
  kError = 1,        // fatal for this request: clean up the session
  kOk = 2,           // submitted: the callback will run
  kAgain = 3,        // refused for now: resume the job to try again
};

class WaitContextRef;

class WaitContext : public async_wait_ctx_st {
 public:
  // `context` is the WaitContext that had the entry.
  using CleanupFn = void (*)(async_wait_ctx_st* context, const void* key, int fd, void* data);
  // Must be short and must not block: it runs inside a poll or an interrupt. Its result is ignored.
  using CallbackFn = int (*)(void* argument);

  struct Callback {
    CallbackFn function = nullptr;
    void* argument = nullptr;
    explicit operator bool() const { return function != nullptr; }
  };

  // Throws std::bad_alloc; no other failure.
  static WaitContextRef Create();

  // --- wait fds ---

  // Adds an entry; a key may have several. Close() calls `cleanup` (may be null), unless the entry
  // was cleared before. False: no memory.
  bool SetWaitFd(const void* key, int fd, void* data, CleanupFn cleanup);

  struct WaitFd {
    int fd = -1;
    void* data = nullptr;
  };
  // The newest entry of `key` that is not cleared.
  std::optional<WaitFd> GetWaitFd(const void* key) const;

  // Removes the newest entry of `key` without calling its cleanup: the caller closes the fd. False:
  // there is no such entry.
  bool ClearWaitFd(const void* key);

  size_t wait_fd_count() const { return count_ - removed_; }
  // Writes the fds, newest first, and returns how many. Requires: out.size() >= wait_fd_count().
  size_t CopyWaitFds(std::span<int> out) const;

  struct ChangeCounts {
    size_t added = 0;
    size_t removed = 0;
  };
  // The changes since the job was last resumed; reading them does not reset them. A key that was
  // removed and added again is in both lists: the caller applies removals first.
  ChangeCounts changed_fd_counts() const { return {added_, removed_}; }
  // Writes both lists; an empty span skips its list. Requires: room for changed_fd_counts().
  void CopyChangedFds(std::span<int> added, std::span<int> removed) const;

  // Resets the changes. Jobs and tasks call it when they are resumed.
  void ResetChanges();

  // --- status and callback ---

  void set_status(int status) { status_.store(status, std::memory_order_release); }
  void set_status(Status status) { set_status(static_cast<int>(status)); }
  // Release/acquire: a thread that reads kOk sees everything that the engine did before.
  int status() const { return status_.load(std::memory_order_acquire); }

  // Replaces function and argument together: no reader sees half of the pair. When this returns,
  // the old callback runs on no other thread and will not run again. It does not wait when it is
  // called from inside a callback of this context.
  void SetCallback(Callback callback);
  Callback callback() const;

  // --- telling ---

  // While a Pin exists, Close() and SetCallback() on other threads wait, so the callback that it
  // shows stays valid. The notifying thread holds it only around the callback or the signal. Pins
  // of one thread may nest, on one context and on several. A pin is also a reference: the context
  // outlives it, even if the callback closes the context and releases the last other reference.
  // Limits: two callbacks that close each other's contexts deadlock. Close a context on the thread
  // that waits on it.
  // Requires: a reference to the context exists when the pin is made.
  class Pin {
   public:
    explicit Pin(WaitContext& context);
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    // False: the context is closed; the caller calls and signals nothing.
    explicit operator bool() const { return unit_ != 0; }
    Callback callback() const { return callback_; }

   private:
    friend class WaitContext;
    WaitContext& context_;
    Pin* outer_ = nullptr;  // the thread's pin before this one, if any
    uint64_t unit_ = 0;     // what this pin added to the gate word; 0: the context was closed
    Callback callback_;
  };

  // --- the end ---

  // Ends the context for the application: waits for pins of other threads, then calls the cleanups,
  // newest first, and removes the entries. Entries that a job adds later are cleaned up when the
  // last reference is released. A second call does nothing.
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
    bool removed;  // since the changes were last reset; kept only to be reported as a change
  };
  static constexpr uint32_t kInlineEntries = 4;

  // The gate word: flags, the pins of each phase, the references. One word, so that the owner of
  // the only reference sees in one load that no other thread uses the context.
  static constexpr uint64_t kClosed = 1;  // new pins are empty
  static constexpr uint64_t kPhase = 2;   // the phase whose count a new pin adds to
  static constexpr uint64_t kWaited = 4;  // a thread has waited: unpinning wakes, from now on
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
  // Close() and Release() in one, faster than the two calls.
  void CloseAndRelease();

  const Entry* Find(const void* key) const;
  bool Grow();
  void ForgetChanges();
  void RunCleanups();
  uint64_t OwnPins() const;
  uint64_t WaitForPins(uint64_t mask, uint64_t own);

  std::atomic<uint64_t> gate_{kRef};
  std::atomic<int> status_{0};
  // Guards the two below: a reader that sees the same even value before and after has read a whole
  // pair; the value is odd during a write.
  std::atomic<uint32_t> sequence_{0};
  std::atomic<CallbackFn> function_{nullptr};
  std::atomic<void*> argument_{nullptr};

  // Used by the thread that runs the job or, between runs, the application's. Oldest first.
  Entry* entries_ = inline_;
  uint32_t count_ = 0;
  uint32_t capacity_ = kInlineEntries;
  uint32_t added_ = 0;
  uint32_t removed_ = 0;
  Entry inline_[kInlineEntries];
};

// A counted reference. Copying adds one; releasing the last frees the context.
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

  // Adds a reference. Requires: a reference to the context exists, or `context` is null.
  static WaitContextRef Retain(WaitContext* context);
  // Takes over a reference that Release() gave to the caller.
  static WaitContextRef Adopt(WaitContext* context);
  // Gives the reference to the caller, which passes it to Adopt() later.
  WaitContext* Release() { return std::exchange(context_, nullptr); }
  // Closes the context and releases this reference. Null: does nothing.
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
