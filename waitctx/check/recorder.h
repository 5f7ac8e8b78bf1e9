// Recorder: writes findings of this process to the report file.
//
// Threads: any. State: one for the process, made when the library is loaded. Without a report file
// (the library was preloaded by hand) it records nothing, and says so once on stderr.
#ifndef GHOSTCARD_WAITCTX_CHECK_RECORDER_H_
#define GHOSTCARD_WAITCTX_CHECK_RECORDER_H_

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "waitctx/check/call_stack.h"
#include "waitctx/check/report_file.h"
#include "waitctx/check/rule.h"

namespace waitctx::check {

class Recorder {
 public:
  static Recorder& Get();

  // Records that `rule` was broken at `site`; counts equal findings. `origin` may be null.
  // `measure` is the rule's, see Finding::worst. Takes the dynamic loader's lock. Requires: the
  // caller holds no lock of this library.
  void Report(Rule rule, const CallStack& site, const CallStack* origin, int64_t measure = 0);

  void Count(std::atomic<uint64_t> Counts::*which) {
    if (file_ != nullptr) (file_->counts.*which).fetch_add(1, std::memory_order_relaxed);
  }
  void AddPausedJobs(int64_t more) {
    if (process_ != nullptr) process_->paused_jobs.fetch_add(more, std::memory_order_relaxed);
  }
  int64_t callback_bound_ns() const { return callback_bound_ns_; }

  // At the start of the process, also after fork and exec; and at its end.
  void BeginProcess();
  void EndProcess();

  void Lock() { mutex_.lock(); }
  void Unlock() { mutex_.unlock(); }

 private:
  Recorder();
  void Map(const char* path);
  Finding* Take(Rule rule, const CallStack& site, const CallStack* origin);
  Trace Resolve(const CallStack& stack);
  uint32_t ModuleOf(const char* name);

  ReportFile* file_ = nullptr;
  Process* process_ = nullptr;
  const void* own_module_ = nullptr;  // this library, whose frames are left out
  int64_t callback_bound_ns_ = 0;

  std::mutex mutex_;
  std::unordered_map<uint64_t, Finding*>
      findings_;  // by hash of rule and stacks; guarded by mutex_
};

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_RECORDER_H_
