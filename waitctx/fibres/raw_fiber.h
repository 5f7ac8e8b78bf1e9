// RawFiber: an execution context on its own stack, and the switch to it and back.
//
// The switch is Boost.Context's assembly (make_fcontext, jump_fcontext), not
// boost::context::fiber. That class owns its stack, unwinds it at the end with an exception, and
// cannot run a second time. A job's fiber stays in its pool and runs one job after another.
//
// The switch also exchanges the C++ runtime's exceptions in flight, and what address and thread
// sanitizer know about the stack. It leaves the signal mask alone: the system call for that makes
// ucontext slow.
//
// Threads: one thread creates, resumes and destroys it. Ownership: the caller owns the stack, which
// must outlive the fiber.
#ifndef GHOSTCARD_WAITCTX_FIBRES_RAW_FIBER_H_
#define GHOSTCARD_WAITCTX_FIBRES_RAW_FIBER_H_

#include <cxxabi.h>

#include <boost/context/detail/fcontext.hpp>
#include <utility>

#include "waitctx/base/sanitizers.h"
#include "waitctx/fibres/stack_pool.h"

#if defined(GHOSTCARD_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(GHOSTCARD_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace waitctx::fibres {

// The layout behind __cxa_get_globals() in the C++ ABI: the stack of caught exceptions, and the
// number of uncaught ones. The runtime keeps one for each thread; a fiber needs its own.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;

  // The calling thread's; valid until the thread ends.
  static ExceptionState* OfThread() {
    return reinterpret_cast<ExceptionState*>(abi::__cxa_get_globals());
  }
};

class RawFiber {
 public:
  using Entry = void (*)(RawFiber& self);  // never returns

  RawFiber() = default;
  RawFiber(const RawFiber&) = delete;
  RawFiber& operator=(const RawFiber&) = delete;

  // Prepares the fiber; nothing runs yet. Requires: not created.
  void Create(const Stack& stack, Entry entry);
  // Frees the sanitizer's state. Runs no destructor of the frames on the stack.
  void Destroy();

  // Runs the fiber until it suspends. `thread` is ExceptionState::OfThread().
  // Requires: not inside this fiber.
  void Resume(ExceptionState* thread) {
    const ExceptionState outside = std::exchange(*thread, exceptions_);
#if defined(GHOSTCARD_ASAN)
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, stack_.bottom, stack_.size);
#endif
#if defined(GHOSTCARD_TSAN)
    tsan_outside_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_fiber_, 0);
#endif
    inside_ = boost::context::detail::jump_fcontext(inside_, this).fctx;
#if defined(GHOSTCARD_ASAN)
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
    exceptions_ = std::exchange(*thread, outside);
  }

  // Returns from Resume() on its caller's stack; continues here at the next Resume().
  // Requires: inside this fiber.
  void Suspend() { Leave(/*fresh=*/false); }
  // As Suspend(), and tells the sanitizer that no frame of the finished job is used again.
  void SuspendFresh() { Leave(/*fresh=*/true); }

  const Stack& stack() const { return stack_; }

 private:
  static void Begin(boost::context::detail::transfer_t from);

  void Leave([[maybe_unused]] bool fresh) {
#if defined(GHOSTCARD_ASAN)
    // Null: asan frees the fake stack, and makes another when it needs one.
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(fresh ? nullptr : &fake_stack, outside_bottom_, outside_size_);
#endif
#if defined(GHOSTCARD_TSAN)
    __tsan_switch_to_fiber(tsan_outside_, 0);
#endif
    outside_ = boost::context::detail::jump_fcontext(outside_, nullptr).fctx;
#if defined(GHOSTCARD_ASAN)
    __sanitizer_finish_switch_fiber(fake_stack, &outside_bottom_, &outside_size_);
#endif
  }

  boost::context::detail::fcontext_t inside_ = nullptr;   // while suspended: where to continue
  boost::context::detail::fcontext_t outside_ = nullptr;  // while running: where Resume() continues
  ExceptionState exceptions_;                             // while suspended: the fiber's
  Stack stack_;
  Entry entry_ = nullptr;
#if defined(GHOSTCARD_ASAN)
  const void* outside_bottom_ = nullptr;
  size_t outside_size_ = 0;
#endif
#if defined(GHOSTCARD_TSAN)
  void* tsan_fiber_ = nullptr;
  void* tsan_outside_ = nullptr;
#endif
};

}  // namespace waitctx::fibres

#endif  // GHOSTCARD_WAITCTX_FIBRES_RAW_FIBER_H_
