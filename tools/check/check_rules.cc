#include "tools/check/check_rules.h"

#include <array>

namespace tools::check {
namespace {

using waitctx::check::Rule;

constexpr std::array<RuleText, waitctx::check::kRuleCount> kTexts = {{
    {Rule::kJobLeaked, "job-leaked", "a paused job was left behind",
     "Resume a job until ASYNC_start_job returns ASYNC_FINISH, also when its session is given up: "
     "nothing else frees its stack and what its function holds. ASYNC_start_job(3)",
     "started at", "last paused at"},
    {Rule::kCleanupEarly, "cleanup-early", "ASYNC_cleanup_thread with jobs in flight",
     "Finish the thread's jobs before ASYNC_cleanup_thread: OpenSSL leaks or crashes otherwise. "
     "ASYNC_start_job(3)",
     "called at", "a job in flight was started at"},
    {Rule::kContextFreed, "context-freed", "a wait context was freed with a job paused on it",
     "Free the context (or the SSL that owns it) after its job has finished: with OpenSSL, "
     "resuming the job then crashes, and a late completion finds freed memory. "
     "ASYNC_WAIT_CTX_new(3)",
     "freed at", "the job paused at"},
    {Rule::kContextGone, "context-gone", "a wait context was used after it was freed",
     "Pass a context to no call after ASYNC_WAIT_CTX_free: first stop whatever completes requests "
     "on it. ASYNC_WAIT_CTX_new(3)",
     "used at", "freed at"},
    {Rule::kContextShared, "context-shared",
     "a job was started on a context that another job in flight uses",
     "Use a context for one job at a time; use it again when that job has finished. "
     "ASYNC_WAIT_CTX_new(3)",
     "started at", "the other job paused at"},
    {Rule::kBusyResume, "busy-resume", "a job was resumed with nothing to tell that it was ready",
     "Resume when a wait fd is ready for read, or after the callback; before that the job can only "
     "pause again. ASYNC_WAIT_CTX_new(3)",
     "resumed at", "paused at"},
    {Rule::kResumeRefused, "resume-refused",
     "a job was resumed after it finished, or on another thread",
     "Resume a job on the thread that started it, and never after ASYNC_FINISH: OpenSSL crashes, "
     "or "
     "runs another job's code. ASYNC_start_job(3)",
     "resumed at", "started, on another thread, at"},
    {Rule::kNestedStart, "nested-start", "ASYNC_start_job was called inside a job",
     "Start and resume jobs outside of jobs only: OpenSSL crashes otherwise. ASYNC_start_job(3)",
     "called at", ""},
    {Rule::kPauseBlocked, "pause-blocked", "a job asked for a pause while pausing was blocked",
     "Between ASYNC_block_pause and ASYNC_unblock_pause, a pause returns at once: an operation "
     "that "
     "needs the pause spins, or continues too early. ASYNC_start_job(3)",
     "pause asked for at", "blocked at"},
    {Rule::kLeftBlocked, "left-blocked", "a job finished with pausing still blocked",
     "Pair each ASYNC_block_pause with ASYNC_unblock_pause: with OpenSSL, no later job of the "
     "thread can pause. ASYNC_start_job(3)",
     "blocked at", "the job was started at"},
    {Rule::kWaitFdNotRead, "wait-fd-not-read",
     "a job finished without reading the wake signal that resumed it",
     "The code that paused the job must read the signal from the wait fd when it is resumed: a "
     "signal "
     "left there makes the next job on this context look ready. ASYNC_WAIT_CTX_new(3)",
     "the job had paused at", "the wait fd was set at", Measure::kFd},
    {Rule::kWaitFdClosed, "wait-fd-closed", "a wait fd was closed while its context listed it",
     "Call ASYNC_WAIT_CTX_clear_fd, then close: otherwise the number may become another file's, "
     "and "
     "the application waits for that file. ASYNC_WAIT_CTX_new(3)",
     "found closed at", "the wait fd was set at", Measure::kFd},
    {Rule::kWaitFdLeftOpen, "wait-fd-left-open", "wait fds were cleared but not closed",
     "ASYNC_WAIT_CTX_clear_fd neither closes the fd nor calls the cleanup function: the code that "
     "clears a wait fd must close it or use it again. ASYNC_WAIT_CTX_new(3)",
     "cleared at", "another wait fd was set at", Measure::kCount},
    {Rule::kFdsNotAsked, "fds-not-asked",
     "wait fds changed, and the application resumed the job without reading them",
     "After each ASYNC_PAUSE call ASYNC_WAIT_CTX_get_changed_fds (or get_all_fds): an application "
     "that "
     "waits on old fds never wakes up. ASYNC_WAIT_CTX_new(3)",
     "resumed at", "a wait fd was set at"},
    {Rule::kStatusNotSet, "status-not-set",
     "a callback was called although no status had announced it",
     "Set the status with ASYNC_WAIT_CTX_set_status before the job pauses: with "
     "ASYNC_STATUS_UNSUPPORTED the application expects no callback. ASYNC_WAIT_CTX_new(3)",
     "callback called at", ""},
    {Rule::kCallbackBlocks, "callback-blocks", "a callback took longer than the bound",
     "Keep a callback short and nonblocking: it runs inside a poll or an interrupt, and all other "
     "completions wait for it. ASYNC_WAIT_CTX_new(3)",
     "the callback", "", Measure::kNanoseconds},
    {Rule::kCallbackResumes, "callback-resumes", "a callback started or resumed a job",
     "In the callback, only mark the job as ready; let the event loop of the job's thread resume "
     "it. "
     "ASYNC_WAIT_CTX_new(3)",
     "called at", ""},
    {Rule::kCallbackAfterFree, "callback-after-free",
     "a callback was called for a context that had been freed",
     "Do not call the callback after ASYNC_WAIT_CTX_free: its argument is usually freed with the "
     "context. ASYNC_WAIT_CTX_new(3)",
     "callback called at", "the context was freed at"},
    {Rule::kNullArgument, "null-argument", "NULL was passed where OpenSSL dereferences the pointer",
     "Make a context before ASYNC_start_job, and pass every call a place for its result: OpenSSL "
     "crashes otherwise. ASYNC_WAIT_CTX_new(3)",
     "called at", ""},
}};

constexpr bool InOrder() {
  for (size_t i = 0; i < kTexts.size(); ++i) {
    if (static_cast<size_t>(kTexts[i].rule) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "a rule without a text, or out of place");

}  // namespace

std::span<const RuleText> RuleTexts() { return kTexts; }

const RuleText& TextOf(Rule rule) { return kTexts[static_cast<size_t>(rule)]; }

std::optional<Rule> RuleNamed(std::string_view name) {
  for (const RuleText& text : kTexts) {
    if (text.name == name) return text.rule;
  }
  return std::nullopt;
}

}  // namespace tools::check
