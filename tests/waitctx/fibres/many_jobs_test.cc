// A hundred thousand jobs paused at once, each with a guard, and the memory that each takes.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "waitctx/base/sanitizers.h"
#include "waitctx/job.h"

namespace waitctx::fibres {
namespace {

// tsan supports about eight thousand threads and fibres; asan's shadow makes each job larger.
constexpr size_t kJobs = kThreadSanitizer ? 2'000 : kAddressSanitizer ? 10'000 : 100'000;

// Resident bytes of this process, and of its page tables.
size_t MemoryBytes() {
  std::ifstream status("/proc/self/status");
  size_t bytes = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:") || line.starts_with("VmPTE:")) {
      bytes += std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
    }
  }
  return bytes;
}

int PauseInTheMiddle(void* args) {
  const size_t number = *static_cast<size_t*>(args);
  char some_work[512];
  std::snprintf(some_work, sizeof(some_work), "%zu", number);
  PauseJob();
  return static_cast<int>(std::strtoull(some_work, nullptr, 10) == number);
}

TEST(ManyJobsTest, AllPauseAtOnceAndEachContinuesWhereItPaused) {
  struct Session {
    WaitContextRef context;
    Job* job = nullptr;
  };
  std::vector<Session> sessions(kJobs);
  const size_t before = MemoryBytes();
  int result = 0;
  for (size_t i = 0; i < kJobs; ++i) {
    Session& session = sessions[i];
    session.context = WaitContext::Create();
    ASSERT_EQ(StartJob(session.job, session.context.get(), result, &PauseInTheMiddle,
                       std::as_bytes(std::span(&i, 1))),
              JobStatus::kPaused)
        << "job " << i << ": " << LastJobError();
  }
  EXPECT_EQ(ThreadJobCounts().in_flight, kJobs);
  const size_t each = (MemoryBytes() - before) / kJobs;
  std::printf("%zu paused jobs: %zu bytes resident each, page tables and contexts included\n",
              kJobs, each);
  if (!kThreadSanitizer && !kAddressSanitizer) {
    EXPECT_LE(each, 8192u + 1024u);  // a stack of two pages, and its bookkeeping
  }
  for (Session& session : sessions) {
    result = 0;
    ASSERT_EQ(ResumeJob(session.job, result), JobStatus::kFinished);
    ASSERT_EQ(result, 1);
  }
  CleanupThread();
  EXPECT_EQ(ThreadJobCounts().idle, 0u);
}

}  // namespace
}  // namespace waitctx::fibres
