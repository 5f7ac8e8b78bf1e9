// Rule: a rule of the manual pages ASYNC_WAIT_CTX_new(3) and ASYNC_start_job(3) for programs that
// use OpenSSL's asynchronous jobs.
//
// The checking library writes the numbers and `ghostcard check` reads them; both are built from one
// tree.
#ifndef GHOSTCARD_WAITCTX_CHECK_RULE_H_
#define GHOSTCARD_WAITCTX_CHECK_RULE_H_

#include <cstddef>
#include <cstdint>

namespace waitctx::check {

enum class Rule : uint32_t {
  kJobLeaked,          // a paused job that can, or will, never be resumed
  kCleanupEarly,       // ASYNC_cleanup_thread with jobs of the thread in flight
  kContextFreed,       // ASYNC_WAIT_CTX_free with a job paused on the context
  kContextGone,        // a context used after it was freed, or freed twice
  kContextShared,      // a job started on a context that another job in flight uses
  kBusyResume,         // resumed without a sign that the job could continue
  kResumeRefused,      // resumed after it finished, or on another thread
  kNestedStart,        // started or resumed inside a job
  kPauseBlocked,       // paused between ASYNC_block_pause and ASYNC_unblock_pause
  kLeftBlocked,        // finished while ASYNC_block_pause was in effect
  kWaitFdNotRead,      // finished without reading the signal that resumed it
  kWaitFdClosed,       // a wait fd closed while its context lists it
  kWaitFdLeftOpen,     // wait fds cleared and never closed, while new ones are made
  kFdsNotAsked,        // wait fds changed, and the application resumed without reading them
  kStatusNotSet,       // a callback that no status had announced
  kCallbackBlocks,     // a callback that takes longer than the bound
  kCallbackResumes,    // a callback that starts or resumes a job
  kCallbackAfterFree,  // a callback for a context that was freed
  kNullArgument,       // NULL where OpenSSL dereferences the pointer
};
inline constexpr size_t kRuleCount = 19;

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_RULE_H_
