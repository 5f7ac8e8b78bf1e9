// RawFiber: one execution context on a stack of its own, and the switch to it and back.
//
// The switch is Boost.Context's assembly (make_fcontext, jump_fcontext), not
// boost::context::fiber: that one owns its stack, ends by unwinding it with an exception of its
// own, and cannot be run a second time, where a job's fiber stays in its pool and runs one
// job after another without being made anew.
//
// What else is switched: the C++ runtime's exceptions in flight, and what address and thread
// sanitizer know of the stack. Not signal masks: that is the system call for which ucontext is
// slow.
//
// Threads: made, resumed and destroyed by one thread. Ownership: the stack is the caller's, and
// must outlive the fiber.
#ifndef GHOSTCARD_WAITCTX_RAW_FIBER_H_
#define GHOSTCARD_WAITCTX_RAW_FIBER_H_

#include <cxxabi.h>

#include <boost/context/detail/fcontext.hpp>
#include <utility>

#include "waitctx/sanitizers.h"
#include "waitctx/stack_pool.h"

#if defined(GHOSTCARD_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(GHOSTCARD_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace waitctx {

// What stands behind __cxa_get_globals(), by the C++ ABI: the exceptions caught and not yet
// done with, and how many are in flight. Each thread has one; each fiber must.
struct ExceptionState {
  void* caught = nullptr;
  unsigned int uncaught = 0;

  // The calling thread's. It stays in place while the thread lives.
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

  // Requires: not created. Nothing runs yet.
  void Create(const Stack& stack, Entry entry);
  // Frees what a sanitizer keeps. Does not unwind: what is on the stack is forgotten.
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

  // Goes back to whoever resumed, and returns when resumed again.
  // Requires: inside this fiber.
  void Suspend() { Leave(/*fresh=*/false); }
  // The same, saying that nothing below this frame is needed any more.
  void SuspendFresh() { Leave(/*fresh=*/true); }

  const Stack& stack() const { return stack_; }

 private:
  static void Begin(boost::context::detail::transfer_t from);

  void Leave([[maybe_unused]] bool fresh) {
#if defined(GHOSTCARD_ASAN)
    // No place to keep the fake stack: asan frees it, and makes another when it is needed.
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

  boost::context::detail::fcontext_t inside_ = nullptr;   // where to go on, while suspended
  boost::context::detail::fcontext_t outside_ = nullptr;  // likewise, while it runs
  ExceptionState exceptions_;                             // while suspended
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

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_RAW_FIBER_H_
