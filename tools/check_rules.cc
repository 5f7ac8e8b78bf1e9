#include "tools/check_rules.h"

#include <array>

namespace tools {
namespace {

using waitctx::check::Rule;

constexpr std::array<RuleText, waitctx::check::kRuleCount> kTexts = {{
    {Rule::kJobLeaked, "job-leaked", "a paused job was left behind",
     "Resume a job until ASYNC_start_job answers ASYNC_FINISH, also when its session is given up: "
     "its stack, and what its function holds, are freed by nobody else. ASYNC_start_job(3)",
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
     "No call takes a context after ASYNC_WAIT_CTX_free; whoever completes requests has to be told "
     "first. ASYNC_WAIT_CTX_new(3)",
     "used at", "freed at"},
    {Rule::kContextShared, "context-shared",
     "a job was started on a context that has one in flight",
     "Use a context for one job at any one time; it can be used again when that has finished. "
     "ASYNC_WAIT_CTX_new(3)",
     "started at", "the other job paused at"},
    {Rule::kBusyResume, "busy-resume", "a job was resumed with nothing to tell that it was ready",
     "Resume when a wait fd is ready for read, or after the callback; before that the job can only "
     "pause again. ASYNC_WAIT_CTX_new(3)",
     "resumed at", "paused at"},
    {Rule::kResumeRefused, "resume-refused", "a job was resumed that cannot be",
     "Resume a job on the thread that started it, and never after ASYNC_FINISH: OpenSSL crashes, "
     "or "
     "runs another job's code. ASYNC_start_job(3)",
     "resumed at", "started, on another thread, at"},
    {Rule::kNestedStart, "nested-start", "ASYNC_start_job was called inside a job",
     "A job starts and resumes no jobs, not even itself: OpenSSL crashes. ASYNC_start_job(3)",
     "called at", ""},
    {Rule::kPauseBlocked, "pause-blocked", "a job asked for a pause while pausing was blocked",
     "Between ASYNC_block_pause and ASYNC_unblock_pause a pause returns at once, and an operation "
     "that counts on it spins or goes on too early. ASYNC_start_job(3)",
     "pause asked for at", "blocked at"},
    {Rule::kLeftBlocked, "left-blocked", "a job finished with pausing still blocked",
     "Pair each ASYNC_block_pause with ASYNC_unblock_pause: with OpenSSL, no later job of the "
     "thread can pause. ASYNC_start_job(3)",
     "blocked at", "the job was started at"},
    {Rule::kWaitFdNotRead, "wait-fd-not-read",
     "a job finished without reading the wake signal that resumed it",
     "Once resumed, whoever paused the job clears the signal on the wait fd; left there, it makes "
     "the next job on this context look ready. ASYNC_WAIT_CTX_new(3)",
     "the job had paused at", "the wait fd was set at", Measure::kFd},
    {Rule::kWaitFdClosed, "wait-fd-closed", "a wait fd was closed while its context offered it",
     "First ASYNC_WAIT_CTX_clear_fd, then close: in between, the number may be another file's, "
     "which the application then waits for. ASYNC_WAIT_CTX_new(3)",
     "found closed at", "the wait fd was set at", Measure::kFd},
    {Rule::kWaitFdLeftOpen, "wait-fd-left-open", "wait fds were cleared, and stay open",
     "ASYNC_WAIT_CTX_clear_fd closes nothing, and calls no cleanup function: who clears a wait fd "
     "closes it, or uses it again. ASYNC_WAIT_CTX_new(3)",
     "cleared at", "another wait fd was set at", Measure::kCount},
    {Rule::kFdsNotAsked, "fds-not-asked",
     "wait fds changed, and the job was resumed without asking for them",
     "After each ASYNC_PAUSE ask ASYNC_WAIT_CTX_get_changed_fds (or get_all_fds): waiting on old "
     "ones, the application never wakes up. ASYNC_WAIT_CTX_new(3)",
     "resumed at", "a wait fd was set at"},
    {Rule::kStatusNotSet, "status-not-set", "a callback was called that no status had announced",
     "Set the status with ASYNC_WAIT_CTX_set_status before the job pauses: with "
     "ASYNC_STATUS_UNSUPPORTED the application expects no callback. ASYNC_WAIT_CTX_new(3)",
     "callback called at", ""},
    {Rule::kCallbackBlocks, "callback-blocks", "a callback took longer than the bound",
     "A callback is small and nonblocking: it runs in the context of a poll or an interrupt, and "
     "everybody else's completions wait for it. ASYNC_WAIT_CTX_new(3)",
     "the callback", "", Measure::kNanoseconds},
    {Rule::kCallbackResumes, "callback-resumes", "a callback started or resumed a job",
     "A callback notes that the job is ready and returns; the job is resumed by its own thread's "
     "loop. ASYNC_WAIT_CTX_new(3)",
     "called at", ""},
    {Rule::kCallbackAfterFree, "callback-after-free",
     "a callback was called for a context that had been freed",
     "Tell nobody after ASYNC_WAIT_CTX_free: the callback's argument is usually gone with the "
     "context. ASYNC_WAIT_CTX_new(3)",
     "callback called at", "the context was freed at"},
    {Rule::kNullArgument, "null-argument", "NULL was given where OpenSSL looks behind the pointer",
     "Make a context before ASYNC_start_job, and give every call a place for its answer: OpenSSL "
     "crashes. ASYNC_WAIT_CTX_new(3)",
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

}  // namespace tools
