// Each row of the table of phases, and each window in which two threads move an operation: before,
// in the middle and after.
#include "engine/run/run_phase.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace engine::run {
namespace {

using PauseAnswer = RunPhase::PauseAnswer;
using CompletionAnswer = RunPhase::CompletionAnswer;

void Submit(RunPhase& phase) {
  ASSERT_TRUE(phase.Begin());
  phase.BeginSubmit();
}
void SubmitAndPause(RunPhase& phase) {
  Submit(phase);
  ASSERT_EQ(phase.Pause(), PauseAnswer::kPaused);
}
void Queue(RunPhase& phase) {
  ASSERT_TRUE(phase.Begin());
  phase.Enqueue();
}

TEST(RunPhaseTest, RunThatIsToldGoesFromIdleToIdle) {
  RunPhase phase;
  EXPECT_EQ(phase.now(), Phase::kIdle);
  EXPECT_TRUE(phase.Begin());
  EXPECT_EQ(phase.now(), Phase::kRetry);
  phase.BeginSubmit();
  EXPECT_EQ(phase.now(), Phase::kRunning);
  EXPECT_EQ(phase.Pause(), PauseAnswer::kPaused);
  EXPECT_EQ(phase.now(), Phase::kPaused);
  EXPECT_EQ(phase.OnCompletion(), CompletionAnswer::kTellOwner);
  EXPECT_EQ(phase.now(), Phase::kTelling);
  phase.FinishTelling(Phase::kDone);
  EXPECT_EQ(phase.now(), Phase::kDone);
  phase.End();
  EXPECT_EQ(phase.now(), Phase::kIdle);
}

TEST(RunPhaseTest, RunThatWaitsForSpaceIsGrantedASlot) {
  RunPhase phase;
  ASSERT_TRUE(phase.Begin());
  phase.BeginSubmit();
  phase.SubmitRefused();
  EXPECT_EQ(phase.now(), Phase::kRetry);
  phase.Enqueue();
  EXPECT_EQ(phase.now(), Phase::kQueued);
  EXPECT_FALSE(phase.StopQueued()) << "no stop was requested";
  EXPECT_TRUE(phase.BeginGrant());
  EXPECT_EQ(phase.now(), Phase::kTelling);
  phase.FinishTelling(Phase::kGranted);
  EXPECT_EQ(phase.now(), Phase::kGranted);
  phase.BeginSubmit();
  EXPECT_EQ(phase.now(), Phase::kRunning);
}

TEST(RunPhaseTest, CompletionBeforeThePauseLeavesTheResultToTheOwner) {
  RunPhase phase;
  Submit(phase);
  EXPECT_EQ(phase.OnCompletion(), CompletionAnswer::kOwnerLooks);
  EXPECT_EQ(phase.now(), Phase::kDone);
  EXPECT_EQ(phase.Pause(), PauseAnswer::kCompleted);
  EXPECT_EQ(phase.now(), Phase::kDone);
  phase.TryAgain();
  EXPECT_EQ(phase.now(), Phase::kRetry);
}

TEST(RunPhaseTest, StopBeforeThePauseIsSeenByTheOwner) {
  RunPhase phase;
  Submit(phase);
  EXPECT_FALSE(phase.RequestStop(Outcome::kTimedOut)) << "the owner does not wait yet";
  EXPECT_EQ(phase.now(), Phase::kRunning);
  EXPECT_EQ(phase.Pause(), PauseAnswer::kStopped);
  EXPECT_EQ(phase.now(), Phase::kStopped);
  EXPECT_EQ(phase.stop_reason(), Outcome::kTimedOut);
}

TEST(RunPhaseTest, StopBeforeASubmitIsSeenByTheOwner) {
  RunPhase phase;
  ASSERT_TRUE(phase.Begin());
  EXPECT_FALSE(phase.stop_requested());
  EXPECT_FALSE(phase.RequestStop(Outcome::kCancelled));
  EXPECT_TRUE(phase.stop_requested());
  EXPECT_EQ(phase.now(), Phase::kRetry);
}

TEST(RunPhaseTest, StopBeforeTheQueueIsSeenByTheOwner) {
  RunPhase phase;
  ASSERT_TRUE(phase.Begin());
  EXPECT_FALSE(phase.RequestStop(Outcome::kCancelled));
  phase.Enqueue();
  EXPECT_TRUE(phase.StopQueued());
  EXPECT_EQ(phase.now(), Phase::kStopped);
}

TEST(RunPhaseTest, StopOfAWaitingOwnerIsToldByTheStopper) {
  for (const bool queued : {false, true}) {
    RunPhase phase;
    queued ? Queue(phase) : SubmitAndPause(phase);
    EXPECT_TRUE(phase.RequestStop(Outcome::kCancelled)) << queued;
    EXPECT_EQ(phase.now(), Phase::kTelling);
    EXPECT_FALSE(phase.RequestStop(Outcome::kTimedOut)) << "one thread tells";
    EXPECT_EQ(phase.stop_reason(), Outcome::kCancelled) << "the first reason stands";
    phase.FinishTelling(Phase::kStopped);
    EXPECT_EQ(phase.now(), Phase::kStopped);
  }
}

TEST(RunPhaseTest, StopThatTellsExcludesTheGrant) {
  RunPhase phase;
  Queue(phase);
  ASSERT_TRUE(phase.RequestStop(Outcome::kCancelled));
  EXPECT_FALSE(phase.BeginGrant());
  EXPECT_FALSE(phase.GrantAtOnce());
  EXPECT_FALSE(phase.StopQueued()) << "the stopper tells, not the owner";
  phase.LeaveQueue();
  EXPECT_EQ(phase.now(), Phase::kTelling);
}

TEST(RunPhaseTest, GrantExcludesTheStopThatTells) {
  RunPhase phase;
  Queue(phase);
  ASSERT_TRUE(phase.BeginGrant());
  EXPECT_FALSE(phase.RequestStop(Outcome::kCancelled));
  phase.FinishTelling(Phase::kGranted);
  EXPECT_TRUE(phase.stop_requested()) << "the owner sees it before it submits";

  RunPhase at_once;
  Queue(at_once);
  EXPECT_TRUE(at_once.GrantAtOnce());
  EXPECT_EQ(at_once.now(), Phase::kGranted);
  EXPECT_FALSE(at_once.RequestStop(Outcome::kCancelled));
}

TEST(RunPhaseTest, OperationThatLeavesTheQueueIsTriedAgain) {
  RunPhase phase;
  Queue(phase);
  phase.LeaveQueue();
  EXPECT_EQ(phase.now(), Phase::kRetry);
}

TEST(RunPhaseTest, RunDoesNotBeginWhileTheCardHasTheRequest) {
  RunPhase phase;
  SubmitAndPause(phase);
  ASSERT_TRUE(phase.RequestStop(Outcome::kCancelled));
  phase.FinishTelling(Phase::kStopped);
  EXPECT_FALSE(phase.Begin());
  EXPECT_EQ(phase.OnCompletion(), CompletionAnswer::kLate);
  EXPECT_EQ(phase.now(), Phase::kStopped) << "the given-up list has to let go first";
  EXPECT_FALSE(phase.LetGo()) << "its handle is still there";
  EXPECT_TRUE(phase.Begin());
  EXPECT_FALSE(phase.stop_requested()) << "the earlier run's stop is forgotten";
}

TEST(RunPhaseTest, HandleOrCardIsTheLastToLetGo) {
  RunPhase handle_first;
  SubmitAndPause(handle_first);
  ASSERT_TRUE(handle_first.RequestStop(Outcome::kCancelled));
  handle_first.FinishTelling(Phase::kStopped);
  EXPECT_TRUE(handle_first.Abandon());
  EXPECT_EQ(handle_first.OnCompletion(), CompletionAnswer::kLate);
  EXPECT_TRUE(handle_first.LetGo()) << "the card frees it";

  RunPhase card_first;
  SubmitAndPause(card_first);
  ASSERT_TRUE(card_first.RequestStop(Outcome::kCancelled));
  card_first.FinishTelling(Phase::kStopped);
  EXPECT_FALSE(card_first.LetGo());
  EXPECT_FALSE(card_first.Abandon()) << "the handle frees it";
}

TEST(RunPhaseTest, CompletionWaitsForTheStopThatIsBeingTold) {
  RunPhase phase;
  SubmitAndPause(phase);
  ASSERT_TRUE(phase.RequestStop(Outcome::kCancelled));
  std::atomic<bool> started{false};
  std::atomic<bool> published{false};
  CompletionAnswer answer{};
  bool published_before = false;
  std::thread completion([&] {
    started = true;
    answer = phase.OnCompletion();
    published_before = published.load();
  });
  while (!started) std::this_thread::yield();
  published = true;
  phase.FinishTelling(Phase::kStopped);
  completion.join();
  EXPECT_EQ(answer, CompletionAnswer::kLate);
  EXPECT_TRUE(published_before);
}

TEST(RunPhaseDeathTest, PhaseThatCannotBeIsReported) {
  RunPhase phase;
  EXPECT_DEATH(static_cast<void>(phase.OnCompletion()), "did not have");
  ASSERT_TRUE(phase.Begin());
  EXPECT_DEATH(static_cast<void>(phase.Begin()), "under way");
}

// Lets `other` run on a second thread at once with `mine`, round after round.
template <typename Reset, typename Mine, typename Other, typename Check>
void Race(Reset reset, Mine mine, Other other, Check check) {
  constexpr int kRounds = 3000;
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
  std::thread thread([&] {
    for (int round = 1; round <= kRounds; ++round) {
      while (begun.load() < round) std::this_thread::yield();
      other();
      ended.store(round);
    }
  });
  for (int round = 1; round <= kRounds; ++round) {
    reset();
    begun.store(round);
    mine();
    while (ended.load() < round) std::this_thread::yield();
    check();
  }
  thread.join();
}

TEST(RunPhaseTest, StopThatRacesWithThePauseIsSeenByExactlyOne) {
  RunPhase phase;
  bool told = false;
  PauseAnswer paused{};
  Race([&] { Submit(phase); }, [&] { paused = phase.Pause(); },
       [&] { told = phase.RequestStop(Outcome::kCancelled); },
       [&] {
         EXPECT_NE(told, paused == PauseAnswer::kStopped);
         EXPECT_EQ(phase.now(), told ? Phase::kTelling : Phase::kStopped);
         phase.End();
       });
}

TEST(RunPhaseTest, StopThatRacesWithTheQueueIsSeenByExactlyOne) {
  RunPhase phase;
  bool told = false;
  bool stopped = false;
  Race([&] { ASSERT_TRUE(phase.Begin()); },
       [&] {
         phase.Enqueue();
         stopped = phase.StopQueued();
       },
       [&] { told = phase.RequestStop(Outcome::kCancelled); },
       [&] {
         EXPECT_NE(told, stopped);
         phase.End();
       });
}

TEST(RunPhaseTest, CompletionThatRacesWithThePauseIsSeenByExactlyOne) {
  RunPhase phase;
  PauseAnswer paused{};
  CompletionAnswer completed{};
  Race([&] { Submit(phase); }, [&] { paused = phase.Pause(); },
       [&] { completed = phase.OnCompletion(); },
       [&] {
         EXPECT_EQ(paused == PauseAnswer::kCompleted, completed == CompletionAnswer::kOwnerLooks);
         EXPECT_EQ(paused == PauseAnswer::kPaused, completed == CompletionAnswer::kTellOwner);
         phase.End();
       });
}

TEST(RunPhaseTest, HandleThatRacesWithTheCardLeavesExactlyOneToFree) {
  RunPhase phase;
  bool card_frees = false;
  bool abandoned = false;
  Race(
      [&] {
        Submit(phase);
        ASSERT_FALSE(phase.RequestStop(Outcome::kCancelled));
        ASSERT_EQ(phase.Pause(), PauseAnswer::kStopped);
      },
      [&] { abandoned = phase.Abandon(); }, [&] { card_frees = phase.LetGo(); },
      [&] { EXPECT_EQ(abandoned, card_frees); });
}

}  // namespace
}  // namespace engine::run
