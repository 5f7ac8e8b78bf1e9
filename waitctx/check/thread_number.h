// ThreadNumber: a number for each thread that is never used again, unlike the system's.
#ifndef GHOSTCARD_WAITCTX_CHECK_THREAD_NUMBER_H_
#define GHOSTCARD_WAITCTX_CHECK_THREAD_NUMBER_H_

#include <cstdint>

namespace waitctx::check {

// From 1.
uint64_t ThreadNumber();

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_THREAD_NUMBER_H_
