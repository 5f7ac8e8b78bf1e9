// ThreadNumber: a number for each thread. Unlike the system's thread ids, it is never used again.
//
// Threads: any.
#ifndef GHOSTCARD_WAITCTX_CHECK_THREAD_NUMBER_H_
#define GHOSTCARD_WAITCTX_CHECK_THREAD_NUMBER_H_

#include <cstdint>

namespace waitctx::check {

// The calling thread's number, 1 or more.
uint64_t ThreadNumber();

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_THREAD_NUMBER_H_
