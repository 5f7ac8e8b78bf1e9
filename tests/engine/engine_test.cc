// How a run ends, and where it waits, on a card that does just what each test says.

#include <array>

#include "tests/engine/engine_fixture.h"

namespace engine {
namespace {

using EngineTest = EngineFixture;

TEST_F(EngineTest, ResultIsInPlaceWhenTheRunIsOver) {
  Make(8);
  auto context = WaitContext::Create();
  const std::array<std::byte, 3> message{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  std::byte first{};
  Fibre job(context, [&] {
    Operation<hwsim::operations::Sha256> hash{hwsim::operations::Bytes(message)};
    const Outcome outcome = engine_->Run(hash);
    first = hash->digest()[0];
    return static_cast<int>(outcome);
  });
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(first, std::byte{0xba});  // FIPS 180-4, "abc"
}

TEST_F(EngineTest, CompletionWithAnErrorIsTheOperationsOwn) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  CompleteOneAndPoll(CompletionStatus::kDeviceError);
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), static_cast<int>(Outcome::kDeviceError));
  EXPECT_EQ(context->status(), kStatusOk) << "the submit succeeded";
}

TEST_F(EngineTest, BrokenCardSetsErrAndTheJobDoesNotPause) {
  Make(8, {}, {{{.kind = hwsim::faults::FaultKind::kSubmitRefused, .every_nth = 1}}});
  auto context = WaitContext::Create();
  Fibre job(context, RunNull());
  EXPECT_FALSE(job.paused());
  EXPECT_EQ(job.result(), kRefused);
  EXPECT_EQ(context->status(), kStatusError);
}

TEST_F(EngineTest, OutsideAJobItWaitsInPlace) {
  Make(8);
  NullOperation operation;
  EXPECT_EQ(engine_->Run(operation), Outcome::kOk);
  EXPECT_EQ(engine_->stats().synchronous, 1u);
}

TEST_F(EngineTest, WithPausingBlockedItWaitsInPlace) {
  Make(8);
  auto context = WaitContext::Create();
  Fibre job(context, [this] {
    waitctx::BlockPause();
    NullOperation operation;
    const Outcome outcome = engine_->Run(operation);
    waitctx::UnblockPause();
    return static_cast<int>(outcome);
  });
  EXPECT_FALSE(job.paused());
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(context->wait_fd_count(), 0u);
}

TEST_F(EngineTest, JobWithoutAContextIsNotToldAndFinishesWhenResumed) {
  Make(8);
  Fibre job(WaitContextRef(), RunNull());
  ASSERT_TRUE(job.paused());
  CompleteOneAndPoll();
  EXPECT_EQ(job.Resume(), waitctx::JobStatus::kFinished);
  EXPECT_EQ(job.result(), kOk);
  EXPECT_EQ(engine_->stats().not_told, 1u);
}

}  // namespace
}  // namespace engine
