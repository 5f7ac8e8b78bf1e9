// Jobs on one thread, and every call that OpenSSL answers with a crash.
#include "waitctx/job.h"

#include <cstdint>
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
  for (int i = 0; i < 600; ++i) {  // others use the slot; the old handle stays stale
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

TEST_F(JobTest, NestedStartIsRefusedAndTheOuterJobGoesOn) {
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

}  // namespace
}  // namespace waitctx
