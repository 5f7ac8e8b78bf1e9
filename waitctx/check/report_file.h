// ReportFile: where the checking library leaves its findings, and how they are laid out.
//
// A file that the parent makes, with its whole size reserved, and each checked process maps
// shared. So a finding costs no system call, needs no open descriptor, survives whatever ends the
// process, and is there at once for whoever reads.
//
// Ownership: the parent makes, reads and removes the file; nobody else reads it (mode 0600).
// Threads: any thread of any process writes. A slot is taken by counting up, filled, and then
// marked ready with release; readers look at ready slots only, after an acquire.
// Limits: as below; what does not fit is counted in `lost`.
#ifndef GHOSTCARD_WAITCTX_CHECK_REPORT_FILE_H_
#define GHOSTCARD_WAITCTX_CHECK_REPORT_FILE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "waitctx/check/rule.h"

namespace waitctx::check {

// What the parent puts into the environment: the file's absolute path, and how long a callback
// may take, in nanoseconds.
inline constexpr const char* kFileVariable = "GHOSTCARD_CHECK_FILE";
inline constexpr const char* kCallbackBoundVariable = "GHOSTCARD_CHECK_CALLBACK_NS";

inline constexpr size_t kFramesMax = 24;
inline constexpr size_t kFindingsMax = 1024;
inline constexpr size_t kModulesMax = 256;
inline constexpr size_t kProcessesMax = 256;

// Where a call came from. `address` is as in the module's file: what addr2line wants.
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
  std::atomic<int64_t> worst{0};  // of the rule's measure, if it has one
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

// How much there was to check. Relaxed: each stands alone.
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

// Between processes, only what needs no lock works.
static_assert(std::atomic<uint64_t>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);

}  // namespace waitctx::check

#endif  // GHOSTCARD_WAITCTX_CHECK_REPORT_FILE_H_
