// Rule: what a program that uses OpenSSL's asynchronous jobs can do wrong, as the manual pages
// ASYNC_WAIT_CTX_new(3) and ASYNC_start_job(3) have it.
//
// The numbers travel between the checking library and who reads its findings; both are built
// from the same tree.
#ifndef GHOSTCARD_WAITCTX_CHECK_RULE_H_
#define GHOSTCARD_WAITCTX_CHECK_RULE_H_

#include <cstddef>
#include <cstdint>

namespace waitctx::check {

enum class Rule : uint32_t {
  kJobLeaked,          // a paused job that nobody can, or will, resume
  kCleanupEarly,       // ASYNC_cleanup_thread with jobs of the thread in flight
  kContextFreed,       // ASYNC_WAIT_CTX_free with a job paused on the context
  kContextGone,        // a context used after it was freed, or freed twice
  kContextShared,      // a job started on a context that another one is in flight on
  kBusyResume,         // resumed without any sign that the job could go on
  kResumeRefused,      // resumed after it finished, or on another thread
  kNestedStart,        // started or resumed inside a job
  kPauseBlocked,       // paused between ASYNC_block_pause and ASYNC_unblock_pause
  kLeftBlocked,        // finished with ASYNC_block_pause in force
  kWaitFdNotRead,      // finished with the wake signal that resumed it still there
  kWaitFdClosed,       // a wait fd closed while its context offers it
  kWaitFdLeftOpen,     // wait fds cleared and never closed, while new ones are made
  kFdsNotAsked,        // wait fds changed, and the application went on without asking for them
  kStatusNotSet,       // a callback without a status that announced it
  kCallbackBlocks,     // a callback that takes longer than the bound
  kCallbackResumes,    // a callback that starts or resumes a job
  kCallbackAfterFree,  // a callback for a context that is gone
  kNullArgument,       // NULL where OpenSSL looks behind the pointer
};
inline constexpr size_t kRuleCount = 19;

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_RULE_H_
