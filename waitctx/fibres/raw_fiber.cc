#include "waitctx/fibres/raw_fiber.h"

namespace waitctx::fibres {

void RawFiber::Create(const Stack& stack, Entry entry) {
  stack_ = stack;
  entry_ = entry;
  exceptions_ = ExceptionState{};
  inside_ = boost::context::detail::make_fcontext(stack.bottom + stack.size, stack.size,
                                                  &RawFiber::Begin);
#if defined(GHOSTCARD_TSAN)
  tsan_fiber_ = __tsan_create_fiber(0);
#endif
}

void RawFiber::Destroy() {
#if defined(GHOSTCARD_TSAN)
  __tsan_destroy_fiber(tsan_fiber_);
  tsan_fiber_ = nullptr;
#endif
  inside_ = nullptr;
}

void RawFiber::Begin(boost::context::detail::transfer_t from) {
  RawFiber& self = *static_cast<RawFiber*>(from.data);
  self.outside_ = from.fctx;
#if defined(GHOSTCARD_ASAN)
  __sanitizer_finish_switch_fiber(nullptr, &self.outside_bottom_, &self.outside_size_);
#endif
  self.entry_(self);
  __builtin_unreachable();
}

}  // namespace waitctx::fibres
