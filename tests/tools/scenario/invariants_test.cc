// Each invariant, broken once by hand and reported; and what the engine may do, in silence.
#include "tools/scenario/invariants.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "hwsim/operations/operations.h"
#include "tests/tools/scenario/watched_card.h"
#include "tools/scenario/scenario_options.h"
#include "tools/scenario/simulated_job.h"
#include "waitctx/job.h"

namespace tools::scenario {
namespace {

using namespace std::chrono_literals;
using engine::Outcome;
using hwsim::faults::FaultKind;
using hwsim::operations::CompletionStatus;
using hwsim::operations::Request;
using Wait = SimulatedJob::Wait;

constexpr SimulatedJob::SoftwareResult kEqual{.succeeds = true, .equal = true};
constexpr SimulatedJob::SoftwareResult kDiffers{.succeeds = true, .equal = false};
constexpr SimulatedJob::SoftwareResult kFails{};

class InvariantsTest : public testing::Test {
 protected:
  InvariantsTest() { invariants_.Start(rig_.card()); }
  ~InvariantsTest() override {
    for (SimulatedJob& job : jobs_) {
      if (job.paused()) job.Resume();
      job.context->Close();
    }
    waitctx::CleanupThread();
  }

  // A job, paused in an operation, that waits for that.
  SimulatedJob& Add(Wait wait) {
    SimulatedJob& job = jobs_.emplace_back();
    job.index = static_cast<uint32_t>(jobs_.size() - 1);
    job.number = jobs_.size();
    job.wait = wait;
    job.context = waitctx::WaitContext::Create();
    job.operation = std::make_unique<engine::Operation<hwsim::operations::Null>>();
    RequestOf(job).number = job.number;
    job.fibre = std::make_unique<waitctx::Fibre>(job.context, [] {
      waitctx::PauseJob();
      return 0;
    });
    return job;
  }
  // A job that waits for its result, with its request on the card.
  SimulatedJob& AddOnCard() {
    SimulatedJob& job = Add(Wait::kResult);
    rig_.Push(RequestOf(job));
    invariants_.OnPaused(job);
    return job;
  }
  // A job that waits for space, in the engine's queue.
  SimulatedJob& AddInQueue() {
    SimulatedJob& job = Add(Wait::kSpace);
    invariants_.OnPaused(job);
    return job;
  }
  // Requests of no job in every slot.
  void FillCard() {
    while (rig_.auditor().in_flight(0) < WatchedCard::kDepth) rig_.Push(others_.emplace_back());
  }
  void Complete(SimulatedJob& job, CompletionStatus status = CompletionStatus::kOk) {
    rig_.Complete(RequestOf(job), status);
    rig_.Pop(RequestOf(job));
  }
  static Request& RequestOf(SimulatedJob& job) {
    return const_cast<Request&>(job.operation->request());
  }
  void Hit(const SimulatedJob& job, FaultKind kind) {
    rig_.card().fault_log().Append({.kind = kind, .request = job.operation->request().number});
    invariants_.TakeFaults();
  }
  void Check() { invariants_.CheckNotifications(jobs_, rig_.card().clock().Now()); }

  void ExpectSilence() { EXPECT_EQ(rig_.broken(), std::vector<std::string>{}); }
  // One rule was broken since the last look, and this is what was reported.
  void ExpectBroken(const std::string& rule) {
    EXPECT_EQ(std::exchange(rig_.broken(), {}), std::vector<std::string>{rule});
  }

  WatchedCard rig_;
  ScenarioOptions options_;
  Invariants invariants_{options_, rig_.auditor(), rig_.log(),
                         [this](const std::string& rule) { rig_.broken().push_back(rule); }};
  std::deque<Request> others_;
  std::deque<SimulatedJob> jobs_;
};

TEST_F(InvariantsTest, OperationThatCompletesAndIsToldIsSilent) {
  SimulatedJob& job = AddOnCard();
  invariants_.OnPushed(0, &job);
  Check();
  Complete(job);
  job.readable = true;
  Check();
  job.wait = Wait::kNothing;
  job.readable = false;
  invariants_.OnEnded(job, Outcome::kOk, kEqual);
  ExpectSilence();
}

TEST_F(InvariantsTest, JobsThatAreToldOfSpaceInOrderAreSilent) {
  FillCard();
  SimulatedJob& first = AddInQueue();
  SimulatedJob& second = AddInQueue();
  Check();
  rig_.Complete(others_[0], CompletionStatus::kOk);
  rig_.Pop(others_[0]);
  first.readable = true;
  Check();
  first.granted = true;
  rig_.Push(RequestOf(first));
  invariants_.OnPushed(0, &first);
  invariants_.OnLeftSpaceQueue(first);
  first.readable = false;
  first.wait = Wait::kResult;
  invariants_.OnPaused(first);
  Check();
  second.cancelled = second.readable = true;
  Check();
  invariants_.OnEnded(second, Outcome::kCancelled, {});
  ExpectSilence();
}

TEST_F(InvariantsTest, FaultExcusesWhatItCauses) {
  SimulatedJob& job = AddOnCard();
  Hit(job, FaultKind::kWaitFdEarly);
  job.readable = true;
  Check();
  Complete(job);
  job.readable = false;
  Hit(job, FaultKind::kWaitFdLost);
  Check();
  Hit(job, FaultKind::kWrongResult);
  invariants_.OnEnded(job, Outcome::kOk, kDiffers);
  Hit(job, FaultKind::kVerdictInverted);
  invariants_.OnEnded(job, Outcome::kFailed, kEqual);
  Hit(job, FaultKind::kCompletionError);
  invariants_.OnEnded(job, Outcome::kDeviceError, {});
  Hit(job, FaultKind::kSubmitRefused);
  invariants_.OnEnded(job, Outcome::kRefused, {});
  EXPECT_FALSE(invariants_.WaitFdSignalsTwice(job));
  Hit(job, FaultKind::kWaitFdTwice);
  EXPECT_TRUE(invariants_.WaitFdSignalsTwice(job));
  EXPECT_EQ(invariants_.faults()[static_cast<size_t>(FaultKind::kWaitFdTwice)], 1u);
  ExpectSilence();
}

TEST_F(InvariantsTest, StatusThatDoesNotMatchTheCardIsReported) {
  SimulatedJob& job = Add(Wait::kResult);
  invariants_.OnPaused(job);
  ExpectBroken("job 0, operation 1: paused with status OK, but the card never had its request");
  job.wait = Wait::kSpace;
  rig_.Push(RequestOf(job));
  invariants_.OnPaused(job);
  ExpectBroken("job 0, operation 1: paused with status EAGAIN, but the card has its request");
  invariants_.OnPausedAgain(job, false);
  ExpectBroken("job 0, operation 1: paused with status EAGAIN, but the card has its request");
}

TEST_F(InvariantsTest, SpaceThatIsNotThereIsReported) {
  SimulatedJob& job = AddInQueue();
  invariants_.OnPausedAgain(job, false);
  ExpectSilence();
  invariants_.OnPausedAgain(job, true);
  ExpectBroken("job 0, operation 1: was told of a free slot, but no slot was free");
}

TEST_F(InvariantsTest, OvertakingIsReported) {
  FillCard();
  AddInQueue();
  SimulatedJob& newcomer = Add(Wait::kNothing);
  invariants_.OnPushed(0, &newcomer);
  ExpectBroken("job 1, operation 2: overtakes job 0, which waits for space");
}

TEST_F(InvariantsTest, SpaceToldOutOfOrderIsReported) {
  FillCard();
  AddInQueue();
  AddInQueue().readable = true;
  Check();
  ExpectBroken("job 1, operation 2: was told of a free slot before job 0, which came first");
}

TEST_F(InvariantsTest, FreeSlotThatNobodyIsToldOfIsReported) {
  AddInQueue();
  invariants_.CheckNotifications(jobs_, std::nullopt);
  ExpectSilence();  // the engine may not have looked
  Check();
  ExpectBroken(
      "job 0, operation 1: is first in the queue for space and was not told, but a slot is free");
}

TEST_F(InvariantsTest, CallbackAtTheWrongTimeIsReported) {
  SimulatedJob& job = AddOnCard();
  job.callbacks = 1;
  invariants_.OnCallback(job);
  ExpectBroken("job 0, operation 1: its callback ran before its result was there");
  Complete(job);
  invariants_.OnCallback(job);
  ExpectSilence();
  job.callbacks = 2;
  invariants_.OnCallback(job);
  ExpectBroken("job 0, operation 1: its callback ran twice");
  job.callbacks = 1;
  job.wait = Wait::kSpace;
  invariants_.OnCallback(job);
  ExpectBroken("job 0, operation 1: its callback ran after a pause with status EAGAIN");
  options_.engine.callback_when_space = true;
  job.context_freed = true;
  invariants_.OnCallback(job);
  ExpectBroken("job 0, operation 1: its callback ran after its context was freed");
  job.context_freed = false;
  job.operation.reset();
  invariants_.OnCallback(job);
  ExpectBroken("job 0, operation 1: its callback ran, but no operation is under way");
}

TEST_F(InvariantsTest, ResultThatNobodyIsToldOfIsReported) {
  Complete(AddOnCard());
  Check();
  ExpectBroken("job 0, operation 1: its result is there, but it was not notified");
}

TEST_F(InvariantsTest, WaitFdThatIsReadableTooEarlyIsReported) {
  AddOnCard().readable = true;
  Check();
  ExpectBroken("job 0, operation 1: its wait fd is readable before its result is there");
}

TEST_F(InvariantsTest, ImmediateRetryThatIsNotToldIsReported) {
  options_.engine.retry = engine::RetryPolicy::kImmediate;
  SimulatedJob& job = AddInQueue();
  Check();
  ExpectBroken(
      "job 0, operation 1: paused with status EAGAIN, but was not told to try again at once");
  job.readable = true;
  Check();
  ExpectSilence();
}

TEST_F(InvariantsTest, StopThatNobodyIsToldOfIsReported) {
  AddOnCard().cancelled = true;
  Check();
  ExpectBroken("job 0, operation 1: was stopped, but was not notified");
  jobs_[0].readable = true;
  FillCard();
  AddInQueue().deadline = rig_.card().clock().Now();
  Check();
  ExpectBroken("job 1, operation 2: waits for space and was stopped, but was not notified");
}

TEST_F(InvariantsTest, WrongOutputIsReported) {
  SimulatedJob& job = Add(Wait::kNothing);
  invariants_.OnEnded(job, Outcome::kOk, kDiffers);
  ExpectBroken("job 0, operation 1: ended ok, but its result is wrong");
  invariants_.OnEnded(job, Outcome::kFailed, kEqual);
  ExpectBroken("job 0, operation 1: ended failed, but software succeeds");
  invariants_.OnEnded(job, Outcome::kOk, {.succeeds = false, .equal = true});
  ExpectBroken("job 0, operation 1: ended ok, but software fails");
  invariants_.OnEnded(job, Outcome::kFailed, kFails);
  ExpectSilence();
}

TEST_F(InvariantsTest, EndWithTheRequestStillOnTheCardIsReported) {
  SimulatedJob& job = AddOnCard();
  invariants_.OnEnded(job, Outcome::kOk, kEqual);
  ExpectBroken("job 0, operation 1: ended with a result, but the card still has its request");
  Hit(job, FaultKind::kCompletionError);
  invariants_.OnEnded(job, Outcome::kDeviceError, {});
  ExpectBroken("job 0, operation 1: ended with a device error, but the card still has its request");
  Hit(job, FaultKind::kSubmitRefused);
  invariants_.OnEnded(job, Outcome::kRefused, {});
  ExpectBroken("job 0, operation 1: ended refused, but the card has its request");
}

TEST_F(InvariantsTest, OutcomeWithoutACauseIsReported) {
  SimulatedJob& job = Add(Wait::kNothing);
  RequestOf(job).status = CompletionStatus::kDeviceError;
  invariants_.OnEnded(job, Outcome::kDeviceError, {});
  ExpectBroken("job 0, operation 1: ended with a device error that no fault caused");
  RequestOf(job).status = CompletionStatus::kCardReset;
  invariants_.OnEnded(job, Outcome::kDeviceError, {});
  ExpectBroken("job 0, operation 1: completed by a reset, but the card was not reset");
  invariants_.OnReset();
  invariants_.OnEnded(job, Outcome::kDeviceError, {});
  ExpectSilence();
  invariants_.OnEnded(job, Outcome::kRefused, {});
  ExpectBroken("job 0, operation 1: refused by a card that is up");
  invariants_.OnEnded(job, Outcome::kCancelled, {});
  ExpectBroken("job 0, operation 1: ended cancelled, but the application did not cancel it");
  job.deadline = rig_.card().clock().Now() + 1us;
  invariants_.OnEnded(job, Outcome::kTimedOut, {});
  ExpectBroken("job 0, operation 1: timed out before its deadline");
  invariants_.OnEnded(job, Outcome::kBusy, {});
  ExpectBroken("job 0, operation 1: ended busy, but it was new");
}

TEST_F(InvariantsTest, OutcomeWithItsCauseIsSilent) {
  SimulatedJob& job = Add(Wait::kNothing);
  job.deadline = rig_.card().clock().Now();
  job.cancelled = true;
  invariants_.OnEnded(job, Outcome::kTimedOut, {});
  invariants_.OnEnded(job, Outcome::kCancelled, {});
  rig_.Reset();
  invariants_.OnEnded(job, Outcome::kRefused, {});
  ExpectSilence();
}

TEST_F(InvariantsTest, CountsThatTheAuditorDidNotSeeAreReported) {
  auto engine = engine::Engine::Create(rig_.Release(),
                                       {.completion = hwsim::completion::CompletionMode::kInline});
  ASSERT_TRUE(engine) << engine.error().message;
  invariants_.CheckCounts(**engine);
  ExpectSilence();
  Request good;
  Request bad;
  rig_.Push(good);
  rig_.Push(bad);
  invariants_.CheckCounts(**engine);
  EXPECT_EQ(std::exchange(rig_.broken(), {}),
            (std::vector<std::string>{
                "accepted: the engine counted 0, the auditor saw 2 at the rings",
                "in flight: the engine counted 0, the auditor saw 2 at the rings"}));
  rig_.Complete(good, CompletionStatus::kOk);
  rig_.Complete(bad, CompletionStatus::kDeviceError);
  rig_.Pop(good);
  rig_.Pop(bad);
  invariants_.CheckCounts(**engine);
  EXPECT_EQ(
      std::exchange(rig_.broken(), {}),
      (std::vector<std::string>{"accepted: the engine counted 0, the auditor saw 2 at the rings",
                                "succeeded: the engine counted 0, the auditor saw 1 at the rings",
                                "failed: the engine counted 0, the auditor saw 1 at the rings"}));
}

}  // namespace
}  // namespace tools::scenario
