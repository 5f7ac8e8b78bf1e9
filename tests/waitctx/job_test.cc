// Jobs on one thread, and every call on which OpenSSL crashes.
#include "waitctx/job.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace waitctx {
namespace {

std::span<const std::byte> Bytes(const auto& value) { return std::as_bytes(std::span(&value, 1)); }

int ReturnSeven(void*) { return 7; }
int PauseThenReturnMinusOne(void*) {
  PauseJob();
  return -1;
}

class JobTest : public testing::Test {
 protected:
  void TearDown() override {
    CleanupThread();
    EXPECT_EQ(ThreadJobCounts().in_flight, 0u);
  }

  JobStatus Start(JobFunction function, std::span<const std::byte> args = {}) {
    return StartJob(job_, context_.get(), result_, function, args);
  }
  JobStatus Resume() { return ResumeJob(job_, result_); }

  WaitContextRef context_ = WaitContext::Create();
  Job* job_ = nullptr;
  int result_ = 12345;
};

TEST_F(JobTest, FinishesWithItsResult) {
  EXPECT_EQ(Start(&ReturnSeven), JobStatus::kFinished);
  EXPECT_EQ(result_, 7);
  EXPECT_EQ(job_, nullptr);
}

TEST_F(JobTest, PauseLeavesTheResultAloneAndResumeFinishes) {
  EXPECT_EQ(Start(&PauseThenReturnMinusOne), JobStatus::kPaused);
  EXPECT_NE(job_, nullptr);
  EXPECT_EQ(result_, 12345);
  EXPECT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(result_, -1);
  EXPECT_EQ(job_, nullptr);
}

TEST_F(JobTest, StaleHandleIsRefusedAndNothingHappens) {
  ASSERT_EQ(Start(&PauseThenReturnMinusOne), JobStatus::kPaused);
  Job* stale = job_;
  ASSERT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(ResumeJob(stale, result_), JobStatus::kError);
  EXPECT_EQ(ThreadJobCounts().idle, 1u);
  for (int i = 0; i < 600; ++i) {  // other jobs use the slot; the old handle stays stale
    ASSERT_EQ(Start(&PauseThenReturnMinusOne), JobStatus::kPaused);
    EXPECT_EQ(ResumeJob(stale, result_), JobStatus::kError);
    ASSERT_EQ(Resume(), JobStatus::kFinished);
  }
  CleanupThread();
  EXPECT_EQ(ResumeJob(stale, result_), JobStatus::kError);
  EXPECT_STREQ(LastJobError(), "the job has finished: its handle is stale");
}

TEST_F(JobTest, ResumeOnAnotherThreadIsRefusedWithADiagnosis) {
  ASSERT_EQ(Start(&PauseThenReturnMinusOne), JobStatus::kPaused);
  std::thread([this] {
    EXPECT_EQ(Resume(), JobStatus::kError);
    EXPECT_NE(std::string(LastJobError()).find("another thread"), std::string::npos);
  }).join();
  EXPECT_EQ(Resume(), JobStatus::kFinished);
}

TEST_F(JobTest, NestedStartIsRefusedAndTheOuterJobContinues) {
  const auto outer = [](void*) {
    Job* inner = nullptr;
    int result = 0;
    EXPECT_EQ(StartJob(inner, nullptr, result, &ReturnSeven, {}), JobStatus::kError);
    EXPECT_EQ(inner, nullptr);
    Job* self = CurrentJob();
    EXPECT_EQ(ResumeJob(self, result), JobStatus::kError);
    PauseJob();
    return 3;
  };
  EXPECT_EQ(Start(outer), JobStatus::kPaused);
  EXPECT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(result_, 3);
}

TEST_F(JobTest, ArgsAreCopiedAndAligned) {
  struct Big {
    alignas(16) int64_t values[40];
  };
  const auto check = [](void* args) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(args) % alignof(std::max_align_t), 0u);
    PauseJob();
    int64_t sum = 0;
    for (int64_t value : static_cast<Big*>(args)->values) sum += value;
    return static_cast<int>(sum);
  };
  {
    Big big;
    for (int i = 0; i < 40; ++i) big.values[i] = i;
    ASSERT_EQ(Start(check, Bytes(big)), JobStatus::kPaused);
    big = Big{};
  }
  EXPECT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(result_, 780);
}

TEST_F(JobTest, NoArgsGiveTheFunctionNull) {
  const auto is_null = [](void* args) { return args == nullptr ? 1 : 0; };
  EXPECT_EQ(Start(is_null), JobStatus::kFinished);
  EXPECT_EQ(result_, 1);
}

TEST_F(JobTest, NoFunctionIsRefused) {
  EXPECT_EQ(Start(nullptr), JobStatus::kError);
  EXPECT_EQ(ThreadJobCounts().in_flight, 0u);
}

TEST_F(JobTest, NullHandleIsNotResumed) { EXPECT_EQ(Resume(), JobStatus::kError); }

TEST_F(JobTest, PauseOutsideAJobReturnsAtOnce) {
  EXPECT_TRUE(PauseJob());
  EXPECT_EQ(CurrentJob(), nullptr);
  EXPECT_EQ(CurrentWaitContext(), nullptr);
  EXPECT_FALSE(CanPause());
  BlockPause();
  UnblockPause();
}

TEST_F(JobTest, CurrentJobAndItsContextAreKnownInsideTheJob) {
  const auto inside = [](void*) {
    EXPECT_NE(CurrentWaitContext(), nullptr);
    EXPECT_EQ(JobWaitContext(CurrentJob()), CurrentWaitContext());
    PauseJob();
    return 0;
  };
  ASSERT_EQ(Start(inside), JobStatus::kPaused);
  Job* job = job_;
  EXPECT_EQ(JobWaitContext(job), context_.get());
  EXPECT_EQ(CurrentJob(), nullptr);
  ASSERT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(JobWaitContext(job), nullptr);
  EXPECT_EQ(JobWaitContext(nullptr), nullptr);
}

TEST_F(JobTest, WithoutAContextItPausesAndResumes) {
  int result = 0;
  ASSERT_EQ(StartJob(job_, nullptr, result, &PauseThenReturnMinusOne, {}), JobStatus::kPaused);
  EXPECT_EQ(ResumeJob(job_, result), JobStatus::kFinished);
}

TEST_F(JobTest, ContextReleasedWhilePausedExistsUntilTheJobEnds) {
  static int cleaned;
  cleaned = 0;
  const auto use_context = [](void*) {
    PauseJob();
    CurrentWaitContext()->SetWaitFd(nullptr, 4, nullptr,
                                    [](async_wait_ctx_st*, const void*, int, void*) { ++cleaned; });
    PauseJob();
    return 0;
  };
  ASSERT_EQ(Start(use_context), JobStatus::kPaused);
  context_.CloseAndReset();
  ASSERT_EQ(Resume(), JobStatus::kPaused);
  EXPECT_EQ(cleaned, 0);
  ASSERT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(cleaned, 1);
}

TEST_F(JobTest, BlockingIsCountedAndExtraUnblocksStopAtZero) {
  const auto blocked = [](void*) {
    BlockPause();
    BlockPause();
    EXPECT_FALSE(CanPause());
    EXPECT_TRUE(PauseJob());  // returns at once
    for (int i = 0; i < 5; ++i) UnblockPause();
    EXPECT_TRUE(CanPause());
    PauseJob();
    return 0;
  };
  EXPECT_EQ(Start(blocked), JobStatus::kPaused);
  EXPECT_EQ(Resume(), JobStatus::kFinished);
}

TEST_F(JobTest, BlockingEndsWithTheJobThatLeftItOn) {
  const auto leaves_blocked = [](void*) {
    BlockPause();
    return 0;
  };
  ASSERT_EQ(Start(leaves_blocked), JobStatus::kFinished);
  EXPECT_EQ(Start(&PauseThenReturnMinusOne), JobStatus::kPaused);
  EXPECT_EQ(Resume(), JobStatus::kFinished);
}

TEST_F(JobTest, ChangesAreForgottenAtResumeNotAtPause) {
  const auto add_then_pause = [](void*) {
    CurrentWaitContext()->SetWaitFd(nullptr, 4, nullptr, nullptr);
    BlockPause();
    PauseJob();
    EXPECT_EQ(CurrentWaitContext()->changed_fd_counts().added, 1u);
    UnblockPause();
    PauseJob();
    EXPECT_EQ(CurrentWaitContext()->changed_fd_counts().added, 0u);
    CurrentWaitContext()->SetWaitFd(nullptr, 5, nullptr, nullptr);
    return 0;
  };
  ASSERT_EQ(Start(add_then_pause), JobStatus::kPaused);
  EXPECT_EQ(context_->changed_fd_counts().added, 1u);
  ASSERT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(context_->changed_fd_counts().added, 1u);
}

TEST_F(JobTest, TwoPausedJobsMayShareAContext) {
  Job* second = nullptr;
  ASSERT_EQ(Start(&PauseThenReturnMinusOne), JobStatus::kPaused);
  ASSERT_EQ(StartJob(second, context_.get(), result_, &PauseThenReturnMinusOne, {}),
            JobStatus::kPaused);
  EXPECT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(ResumeJob(second, result_), JobStatus::kFinished);
}

TEST_F(JobTest, PoolSizesAreChecked) {
  EXPECT_FALSE(InitThread(0, 1));
  EXPECT_FALSE(InitThread(2, 3));
  EXPECT_TRUE(InitThread(3, 2));
  EXPECT_EQ(ThreadJobCounts().idle, 2u);
  EXPECT_TRUE(InitThread(1, 1));
  EXPECT_EQ(ThreadJobCounts().idle, 1u);
  EXPECT_TRUE(InitThread(0, 0));
}

TEST_F(JobTest, LimitCountsIdleJobsAndThoseInFlight) {
  ASSERT_TRUE(InitThread(1, 1));
  ASSERT_EQ(Start(&PauseThenReturnMinusOne), JobStatus::kPaused);
  Job* second = nullptr;
  EXPECT_EQ(StartJob(second, nullptr, result_, &ReturnSeven, {}), JobStatus::kNoJobs);
  EXPECT_EQ(second, nullptr);
  ASSERT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(StartJob(second, nullptr, result_, &ReturnSeven, {}), JobStatus::kFinished);
}

TEST_F(JobTest, PausedJobsOutliveCleanupAndDoNotCountAfterIt) {
  ASSERT_TRUE(InitThread(1, 1));
  ASSERT_EQ(Start(&PauseThenReturnMinusOne), JobStatus::kPaused);
  CleanupThread();
  CleanupThread();
  ASSERT_TRUE(InitThread(1, 0));
  Job* second = nullptr;
  EXPECT_EQ(StartJob(second, nullptr, result_, &ReturnSeven, {}), JobStatus::kFinished);
  EXPECT_EQ(ThreadJobCounts().in_flight, 1u);
  EXPECT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(ThreadJobCounts().in_flight, 0u);
}

TEST_F(JobTest, AJobMayCleanUpItsThread) {
  const auto cleanup = [](void*) {
    CleanupThread();
    PauseJob();
    return 5;
  };
  ASSERT_EQ(Start(cleanup), JobStatus::kPaused);
  ASSERT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(result_, 5);
}

TEST_F(JobTest, EveryThreadHasItsOwnPool) {
  ASSERT_TRUE(InitThread(1, 0));
  std::thread([] {
    EXPECT_EQ(ThreadJobCounts().max_size, 0u);
    Job* job = nullptr;
    int result = 0;
    EXPECT_EQ(StartJob(job, nullptr, result, &PauseThenReturnMinusOne, {}), JobStatus::kPaused);
    EXPECT_EQ(ResumeJob(job, result), JobStatus::kFinished);
  }).join();
}

TEST_F(JobTest, HandleOfAThreadThatEndedIsRefused) {
  Job* orphan = nullptr;
  std::thread([&] {
    int result = 0;
    EXPECT_EQ(StartJob(orphan, nullptr, result, &PauseThenReturnMinusOne, {}), JobStatus::kPaused);
  }).join();
  std::thread([&] { EXPECT_EQ(ResumeJob(orphan, result_), JobStatus::kError); }).join();
}

TEST_F(JobTest, ExceptionsOfTwoJobsAreKeptApart) {
  const auto catches = [](void* args) {
    const int own = *static_cast<int*>(args);
    try {
      throw own;
    } catch (int) {
      PauseJob();  // inside the handler, before the exception is rethrown
      try {
        throw;
      } catch (int caught) {
        return caught;
      }
    }
  };
  int one = 1, two = 2;
  Job* second = nullptr;
  ASSERT_EQ(Start(catches, Bytes(one)), JobStatus::kPaused);
  ASSERT_EQ(StartJob(second, nullptr, result_, catches, Bytes(two)), JobStatus::kPaused);
  EXPECT_EQ(std::current_exception(), nullptr);
  ASSERT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(result_, 1);
  ASSERT_EQ(ResumeJob(second, result_), JobStatus::kFinished);
  EXPECT_EQ(result_, 2);
}

TEST_F(JobTest, PauseWhileUnwindingKeepsTheCountOfUncaughtExceptions) {
  struct PausesInDestructor {
    ~PausesInDestructor() {
      EXPECT_EQ(std::uncaught_exceptions(), 1);
      PauseJob();
      EXPECT_EQ(std::uncaught_exceptions(), 1);
    }
  };
  const auto unwinds = [](void*) {
    try {
      PausesInDestructor pauses;
      throw 1;
    } catch (int) {
    }
    return std::uncaught_exceptions();
  };
  ASSERT_EQ(Start(unwinds), JobStatus::kPaused);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  ASSERT_EQ(Resume(), JobStatus::kFinished);
  EXPECT_EQ(result_, 0);
}

TEST_F(JobTest, FibreRunsToItsResult) {
  int pauses = 0;
  Fibre fibre(context_, [&, owned = std::make_unique<int>(5)] {
    for (; pauses < 3; ++pauses) PauseJob();
    return *owned;
  });
  EXPECT_EQ(&fibre.context(), context_.get());
  int resumes = 0;
  for (; fibre.paused(); ++resumes) (void)fibre.Resume();
  EXPECT_EQ(resumes, 3);
  EXPECT_EQ(fibre.status(), JobStatus::kFinished);
  EXPECT_EQ(fibre.result(), 5);
}

using JobDeathTest = JobTest;

TEST_F(JobDeathTest, ExceptionThatLeavesAJobEndsTheProcess) {
  const auto throws = [](void*) -> int { throw 1; };
  EXPECT_DEATH((void)Start(throws), "");
}

}  // namespace
}  // namespace waitctx
