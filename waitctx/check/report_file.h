// ReportFile: the layout of the file in which the checking library leaves its findings.
//
// The parent makes the file with its whole size reserved; each checked process maps it shared. So a
// finding costs no system call, needs no open descriptor, survives any end of the process, and is
// visible to the reader at once.
//
// Ownership: the parent makes, reads and removes the file, which only its user can read (mode
// 0600). Threads: any thread of any process writes. A writer takes a slot by incrementing a
// counter, fills it, and marks it ready with release order. Readers use only ready slots, after an
// acquire load. Limits: the constants below; `lost` counts findings that found no slot.
#ifndef GHOSTCARD_WAITCTX_CHECK_REPORT_FILE_H_
#define GHOSTCARD_WAITCTX_CHECK_REPORT_FILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "waitctx/check/rule.h"

namespace waitctx::check {

// The parent sets these in the environment: the file's absolute path, and how long a callback may
// take, in nanoseconds.
inline constexpr const char* kFileVariable = "GHOSTCARD_CHECK_FILE";
inline constexpr const char* kCallbackBoundVariable = "GHOSTCARD_CHECK_CALLBACK_NS";

inline constexpr size_t kFramesMax = 24;
inline constexpr size_t kFindingsMax = 1024;
inline constexpr size_t kModulesMax = 256;
inline constexpr size_t kProcessesMax = 256;

// A return address. `address` is relative to the module's file, as addr2line expects.
struct Frame {
  uint64_t address = 0;
  uint32_t module = 0;  // index; kModulesMax: unknown
};
struct Trace {
  uint32_t depth = 0;
  Frame frames[kFramesMax];
};

struct Finding {
  std::atomic<bool> ready{false};
  Rule rule{};
  std::atomic<uint64_t> count{0};
  std::atomic<int64_t> worst{0};  // the largest measure, if the rule has one
  Trace site;                     // the call that broke the rule
  Trace origin;                   // what led to it; may be empty
};

struct Module {
  std::atomic<bool> ready{false};
  char path[511]{};
};

struct Process {
  std::atomic<int32_t> pid{0};
  std::atomic<bool> ended{false};       // its exit handlers ran
  std::atomic<int64_t> paused_jobs{0};  // at this moment
};

// What the checked processes did. Relaxed: the counters are independent.
struct Counts {
  std::atomic<uint64_t> contexts{0};
  std::atomic<uint64_t> jobs{0};
  std::atomic<uint64_t> pauses{0};
  std::atomic<uint64_t> resumes{0};
  std::atomic<uint64_t> retries{0};  // of resumes: the status was ASYNC_STATUS_EAGAIN
  std::atomic<uint64_t> polls{0};    // of resumes: there was nothing to wait on
  std::atomic<uint64_t> callbacks{0};
};

struct ReportFile {
  static constexpr uint64_t kMagic = 0x4748'4f53'5443'4b31;

  uint64_t magic = kMagic;
  uint64_t size = sizeof(ReportFile);
  Counts counts;
  std::atomic<uint64_t> lost{0};  // findings, for want of a slot
  std::atomic<uint32_t> findings_taken{0};
  std::atomic<uint32_t> modules_taken{0};
  std::atomic<uint32_t> processes_taken{0};
  Process processes[kProcessesMax];
  Module modules[kModulesMax];
  Finding findings[kFindingsMax];
};

// Atomics that need a lock do not work between processes.
static_assert(std::atomic<uint64_t>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_REPORT_FILE_H_
