// The contract of Card and QueuePair, for each kind of card and each completion mode.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "tests/hwsim/card/card_rig.h"

namespace hwsim::card {
namespace {

using CardConformanceTest = CardRig;

TEST_P(CardConformanceTest, EachAcceptedRequestCompletesExactlyOnce) {
  OPEN_OR_SKIP({.depth = 16});
  std::deque<Probe> probes(2000);
  uint64_t accepted = 0;
  uint64_t refused = 0;
  for (Probe& probe : probes) {
    ASSERT_TRUE(WaitFor([&] {
      const operations::SubmitStatus status = Submit(probe);
      EXPECT_NE(status, operations::SubmitStatus::kError);
      ++(status == operations::SubmitStatus::kOk ? accepted : refused);
      return status == operations::SubmitStatus::kOk;
    }));
  }
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  for (const Probe& probe : probes) {
    EXPECT_EQ(probe.completions.load(), 1);
    EXPECT_EQ(probe.request.status, operations::CompletionStatus::kOk);
    EXPECT_TRUE(probe.request.done.load());
    EXPECT_LE(probe.request.arrived, probe.request.service_start);
    EXPECT_LE(probe.request.service_start, probe.request.due);
    EXPECT_LE(probe.request.due, probe.request.completed);
  }
  EXPECT_EQ(queue_pair().counts().refused_again, refused);
  ExpectAtRest(accepted);
}

TEST_P(CardConformanceTest, RequestsOfOneKindCompleteInTheOrderOfTheirSubmission) {
  OPEN_OR_SKIP({.depth = 256});
  std::deque<Probe> probes(1000);
  for (Probe& probe : probes) {
    ASSERT_TRUE(WaitFor([&] { return Submit(probe) == operations::SubmitStatus::kOk; }));
  }
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  EXPECT_TRUE(std::ranges::is_sorted(probes, {}, &Probe::order));
}

TEST_P(CardConformanceTest, FullQueuePairAnswersAgainAndNothingHappens) {
  OPEN_OR_SKIP({.profile = Endless(), .depth = 8});
  std::deque<Probe> probes(8);
  for (Probe& probe : probes) ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
  EXPECT_EQ(queue_pair().in_flight(), 8u);
  Probe extra;
  extra.request.status = operations::CompletionStatus::kDeviceError;
  extra.request.done.store(true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Submit(extra), operations::SubmitStatus::kAgain);
  EXPECT_EQ(extra.request.status, operations::CompletionStatus::kDeviceError);
  EXPECT_TRUE(extra.request.done.load());
  EXPECT_EQ(queue_pair().in_flight(), 8u);
  const rings::QueuePair::Counts counts = queue_pair().counts();
  EXPECT_EQ(counts.accepted, 8u);
  EXPECT_EQ(counts.refused_again, 3u);
  EXPECT_EQ(counts.doorbells, 8u);
  // The card's destructor gives the requests in flight back to the test.
  Close();
  for (const Probe& probe : probes) EXPECT_EQ(probe.completions.load(), 0);
}

TEST_P(CardConformanceTest, DestroyedWithWorkInFlightItEndsCleanly) {
  uint64_t completed = 0;
  for (int round = 0; round < 20; ++round) {
    OPEN_OR_SKIP({.depth = 64});
    recorded_ = 0;
    std::deque<Probe> probes(64);
    for (Probe& probe : probes) {
      probe.request.execute = &Probe::Double;
      ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
    }
    // In every second round the card ends while requests complete.
    if (round % 2 == 1) {
      ASSERT_TRUE(WaitForRecorded(1));
    }
    Close();
    for (const Probe& probe : probes) EXPECT_LE(probe.completions.load(), 1);
    completed += recorded_.load();
    virtual_card_ = nullptr;
  }
  EXPECT_GE(completed, 10u) << "one per second round at least";
}

TEST_P(CardConformanceTest, ListTakesWhatFitsAndLeavesTheRest) {
  OPEN_OR_SKIP({.profile = Endless(), .depth = 100});
  std::deque<Probe> probes(150);
  const auto pointers = Pointers(probes);
  const auto first = queue_pair().Submit(std::span(pointers).first(30));
  EXPECT_EQ(first.accepted, 30u);
  EXPECT_EQ(first.status, operations::SubmitStatus::kOk);
  EXPECT_EQ(queue_pair().counts().doorbells, 1u);
  const auto second = queue_pair().Submit(std::span(pointers).subspan(30));
  EXPECT_EQ(second.accepted, 70u);
  EXPECT_EQ(second.status, operations::SubmitStatus::kAgain);
  const auto third = queue_pair().Submit(std::span(pointers).subspan(100));
  EXPECT_EQ(third.accepted, 0u);
  EXPECT_EQ(third.status, operations::SubmitStatus::kAgain);
  EXPECT_EQ(queue_pair().counts().refused_again, 100u);
  EXPECT_EQ(queue_pair().in_flight(), 100u);
  const auto none = queue_pair().Submit(std::span<operations::Request* const>{});
  EXPECT_EQ(none.accepted, 0u);
  EXPECT_EQ(none.status, operations::SubmitStatus::kOk);
  Close();
}

TEST_P(CardConformanceTest, ListsCompleteLikeSingleRequests) {
  OPEN_OR_SKIP({.depth = 128});
  std::deque<Probe> probes(3000);
  const auto pointers = Pointers(probes);
  size_t sent = 0;
  ASSERT_TRUE(WaitFor([&] {
    const size_t count = std::min<size_t>(90, pointers.size() - sent);
    sent += queue_pair().Submit(std::span(pointers).subspan(sent, count)).accepted;
    service_->NoteSubmitted();
    return sent == pointers.size();
  }));
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  for (const Probe& probe : probes) ASSERT_EQ(probe.completions.load(), 1);
  EXPECT_TRUE(std::ranges::is_sorted(probes, {}, &Probe::order));
  ExpectAtRest(probes.size());
}

TEST_P(CardConformanceTest, BatchesOfAllSizesComeBackWhole) {
  OPEN_OR_SKIP({.depth = 256});
  std::deque<Probe> probes(3000);
  const auto pointers = Pointers(probes);
  size_t sent = 0;
  uint64_t batches = 0;
  ASSERT_TRUE(WaitFor([&] {
    constexpr size_t kSizes[] = {1, 32, 200, 2, 65};
    const size_t size = std::min(kSizes[batches % 5], pointers.size() - sent);
    const auto result = queue_pair().SubmitBatch(std::span(pointers).subspan(sent, size));
    batches += result.accepted != 0 ? 1 : 0;
    sent += result.accepted;
    service_->NoteSubmitted();
    return sent == pointers.size();
  }));
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  for (const Probe& probe : probes) {
    ASSERT_EQ(probe.completions.load(), 1);
    ASSERT_EQ(probe.request.status, operations::CompletionStatus::kOk);
  }
  EXPECT_EQ(queue_pair().counts().doorbells, batches);
  ExpectAtRest(probes.size());
}

TEST_P(CardConformanceTest, BatchIsLimitedByDepth) {
  OPEN_OR_SKIP({.profile = Endless(), .depth = 16});
  std::deque<Probe> probes(40);
  const auto pointers = Pointers(probes);
  const auto result = queue_pair().SubmitBatch(pointers);
  EXPECT_EQ(result.accepted, 16u);
  EXPECT_EQ(result.status, operations::SubmitStatus::kAgain);
  EXPECT_EQ(queue_pair().in_flight(), 16u);
  const auto more = queue_pair().SubmitBatch(std::span(pointers).subspan(16));
  EXPECT_EQ(more.accepted, 0u);
  EXPECT_EQ(more.status, operations::SubmitStatus::kAgain);
  EXPECT_EQ(queue_pair().counts().doorbells, 1u);
  Close();
}

TEST_P(CardConformanceTest, BatchIsHandedOutInPartsAndKeepsItsSlotsUntilThen) {
  OPEN_OR_SKIP({.depth = 64, .service = false});
  std::deque<Probe> probes(64);
  const auto pointers = Pointers(probes);
  ASSERT_EQ(queue_pair().SubmitBatch(std::span(pointers).first(50)).accepted, 50u);
  ASSERT_EQ(queue_pair().Submit(std::span(pointers).subspan(50)).accepted, 14u);
  std::set<operations::Request*> popped;
  std::array<operations::Request*, 7> some;
  ASSERT_TRUE(WaitFor([&] {
    const size_t count = queue_pair().PopCompleted(some);
    for (operations::Request* request : std::span(some).first(count)) {
      EXPECT_TRUE(popped.insert(request).second);
      EXPECT_TRUE(request->done.load());
    }
    EXPECT_EQ(queue_pair().in_flight(), 64 - popped.size());
    // While a part of a batch is left, a popping thread must not sleep.
    if (count == some.size() && popped.size() < 50) {
      EXPECT_TRUE(queue_pair().ArmInterrupt());
      queue_pair().DisarmInterrupt();
    }
    return popped.size() == pointers.size();
  }));
  EXPECT_EQ(queue_pair().PopCompleted(some), 0u);
  EXPECT_EQ(queue_pair().counts().succeeded, 64u);
}

TEST_P(CardConformanceTest, BatchedMemberFailsAlone) {
  OPEN_OR_SKIP({.depth = 64});
  std::deque<Probe> probes(10);
  for (Probe& probe : probes) probe.request.execute = &Probe::Double;
  probes[4].request.execute = &Probe::Fail;
  ASSERT_EQ(queue_pair().SubmitBatch(Pointers(probes)).accepted, 10u);
  service_->NoteSubmitted();
  ASSERT_TRUE(WaitForRecorded(10));
  for (size_t i = 0; i < probes.size(); ++i) {
    EXPECT_EQ(probes[i].request.status, i == 4 ? operations::CompletionStatus::kOperationFailed
                                               : operations::CompletionStatus::kOk);
  }
  EXPECT_EQ(queue_pair().counts().failed, 1u);
  ExpectAtRest(10);
}

TEST_P(CardConformanceTest, WorkIsDoneWhenTheRequestCompletes) {
  OPEN_OR_SKIP({.depth = 64});
  std::deque<Probe> probes(1000);
  uint64_t number = 0;
  for (Probe& probe : probes) {
    probe.input = ++number;
    probe.request.execute = &Probe::Double;
    ASSERT_TRUE(WaitFor([&] { return Submit(probe) == operations::SubmitStatus::kOk; }));
  }
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  for (const Probe& probe : probes) {
    ASSERT_EQ(probe.request.status, operations::CompletionStatus::kOk);
    ASSERT_EQ(probe.result, 2 * probe.input);
  }
  ExpectAtRest(probes.size());
}

TEST_P(CardConformanceTest, FailedWorkIsNotADeviceError) {
  OPEN_OR_SKIP({.depth = 64});
  Probe probe;
  probe.request.execute = &Probe::Fail;
  ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitForRecorded(1));
  EXPECT_EQ(probe.request.status, operations::CompletionStatus::kOperationFailed);
  EXPECT_EQ(queue_pair().counts().failed, 1u);
  EXPECT_EQ(card_->stats().faults_fired, 0u);
  ExpectAtRest(1);
}

TEST_P(CardConformanceTest, EveryNthSubmitIsRefusedWithErrorAndNothingHappens) {
  model::Profile profile;
  profile.faults.rules = {{.kind = faults::FaultKind::kSubmitRefused, .every_nth = 3}};
  OPEN_OR_SKIP({.profile = profile, .depth = 64});
  std::deque<Probe> probes(30);
  for (size_t i = 0; i < probes.size(); ++i) {
    EXPECT_EQ(Submit(probes[i]),
              i % 3 == 2 ? operations::SubmitStatus::kError : operations::SubmitStatus::kOk);
  }
  ASSERT_TRUE(WaitForRecorded(20));
  for (size_t i = 0; i < probes.size(); ++i) {
    EXPECT_EQ(probes[i].completions.load(), i % 3 == 2 ? 0 : 1);
  }
  EXPECT_EQ(queue_pair().counts().refused_error, 10u);
  const std::vector<faults::FaultEvent> log = card_->fault_log().Events();
  ASSERT_EQ(log.size(), 10u);
  for (size_t i = 0; i < log.size(); ++i) EXPECT_EQ(log[i].request, 3 * i + 3);
  EXPECT_EQ(card_->stats().faults_fired, 0u) << "a submit's faults are not the card's";
  ExpectAtRest(20);
}

TEST_P(CardConformanceTest, RefusalEndsAListBeforeTheRequestThatItStrikes) {
  model::Profile profile;
  profile.faults.rules = {{.kind = faults::FaultKind::kSubmitRefused, .every_nth = 6}};
  OPEN_OR_SKIP({.profile = profile, .depth = 64});
  std::deque<Probe> probes(20);
  const auto pointers = Pointers(probes);
  const auto list = queue_pair().Submit(std::span(pointers).first(10));
  EXPECT_EQ(list.accepted, 5u);
  EXPECT_EQ(list.status, operations::SubmitStatus::kError);
  const auto batch = queue_pair().SubmitBatch(std::span(pointers).subspan(10));
  EXPECT_EQ(batch.accepted, 5u);
  EXPECT_EQ(batch.status, operations::SubmitStatus::kError);
  service_->NoteSubmitted();
  ASSERT_TRUE(WaitForRecorded(10));
  EXPECT_EQ(queue_pair().counts().refused_error, 10u);
  ExpectAtRest(10);
}

TEST_P(CardConformanceTest, EveryNthRequestCompletesWithDeviceError) {
  model::Profile profile;
  profile.faults.rules = {{.kind = faults::FaultKind::kCompletionError, .every_nth = 4}};
  OPEN_OR_SKIP({.profile = profile, .depth = 64});
  std::deque<Probe> probes(40);
  for (Probe& probe : probes) {
    probe.request.execute = &Probe::Fail;  // replaced by the device error
    ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
  }
  ASSERT_TRUE(WaitForRecorded(40));
  EXPECT_EQ(std::ranges::count(probes, operations::CompletionStatus::kDeviceError,
                               [](const Probe& probe) { return probe.request.status; }),
            10);
  EXPECT_EQ(card_->stats().faults_fired, 10u);
  EXPECT_EQ(queue_pair().counts().failed, 40u);
  const std::vector<faults::FaultEvent> log = card_->fault_log().Events();
  ASSERT_EQ(log.size(), 10u);
  for (size_t i = 0; i < log.size(); ++i) {
    EXPECT_EQ(log[i].kind, faults::FaultKind::kCompletionError);
    EXPECT_EQ(log[i].request, 4 * i + 4) << "the request that the fault struck";
    EXPECT_GE(log[i].at, probes[4 * i + 3].request.arrived);
  }
  ExpectAtRest(40);
}

TEST_P(CardConformanceTest, FaultsByProbabilityStrikeTheirShare) {
  model::Profile profile;
  profile.faults.rules = {{.kind = faults::FaultKind::kCompletionError, .probability = 0.5},
                          {.kind = faults::FaultKind::kSubmitRefused, .probability = 0.5}};
  OPEN_OR_SKIP({.profile = profile, .depth = 64});
  std::deque<Probe> probes(2000);
  uint64_t accepted = 0;
  for (Probe& probe : probes) {
    operations::SubmitStatus status = operations::SubmitStatus::kAgain;
    ASSERT_TRUE(
        WaitFor([&] { return (status = Submit(probe)) != operations::SubmitStatus::kAgain; }));
    accepted += status == operations::SubmitStatus::kOk ? 1 : 0;
  }
  ASSERT_TRUE(WaitForRecorded(accepted));
  // Ten standard deviations, although the seed is fixed.
  EXPECT_NEAR(static_cast<double>(accepted), 1000, 230);
  EXPECT_NEAR(static_cast<double>(queue_pair().counts().failed), 500, 200);
  EXPECT_EQ(card_->stats().faults_fired, queue_pair().counts().failed);
  ExpectAtRest(accepted);
}

TEST_P(CardConformanceTest, ManyQueuePairsWithASubmitterEach) {
  constexpr size_t kQueuePairs = 16;
  OPEN_OR_SKIP({.queue_pairs = kQueuePairs, .depth = 8});
  std::deque<Probe> probes(kQueuePairs * 200);
  if (real()) {
    std::atomic<size_t> next{0};
    std::atomic<size_t> busy{4};
    std::vector<std::thread> submitters;
    for (int i = 0; i < 4; ++i) {
      submitters.emplace_back([&] {
        for (size_t n = next++; n < probes.size(); n = next++) {
          while (Submit(probes[n], n % kQueuePairs) != operations::SubmitStatus::kOk) {
            std::this_thread::yield();
          }
        }
        --busy;
      });
    }
    EXPECT_TRUE(WaitFor([&] { return busy.load() == 0; }));
    for (std::thread& submitter : submitters) submitter.join();
  } else {
    for (size_t n = 0; n < probes.size(); ++n) {
      ASSERT_TRUE(WaitFor(
          [&] { return Submit(probes[n], n % kQueuePairs) == operations::SubmitStatus::kOk; }));
    }
  }
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  for (const Probe& probe : probes) ASSERT_EQ(probe.completions.load(), 1);
  for (size_t i = 0; i < kQueuePairs; ++i) EXPECT_EQ(queue_pair(i).counts().accepted, 200u);
  ExpectAtRest(probes.size());
}

TEST_P(CardConformanceTest, SubmittersShareAQueuePair) {
  OPEN_OR_SKIP({.depth = 4});
  if (!real()) GTEST_SKIP() << "a virtual card is for one thread";
  std::deque<Probe> probes(2000);
  std::atomic<size_t> next{0};
  std::atomic<size_t> busy{3};
  std::vector<std::thread> submitters;
  for (int i = 0; i < 3; ++i) {
    submitters.emplace_back([&] {
      for (size_t n = next++; n < probes.size(); n = next++) {
        while (Submit(probes[n]) != operations::SubmitStatus::kOk) std::this_thread::yield();
      }
      --busy;
    });
  }
  EXPECT_TRUE(WaitFor([&] { return busy.load() == 0; }));
  for (std::thread& submitter : submitters) submitter.join();
  ASSERT_TRUE(WaitForRecorded(probes.size()));
  for (const Probe& probe : probes) ASSERT_EQ(probe.completions.load(), 1);
  ExpectAtRest(probes.size());
}

TEST_P(CardConformanceTest, ForkedChildIsRefusedAndParentGoesOn) {
  OPEN_OR_SKIP({.depth = 64});
  std::deque<Probe> probes(3);
  ASSERT_EQ(Submit(probes[0]), operations::SubmitStatus::kOk);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::array<operations::Request*, 4> some;
    operations::Request* const list[] = {&probes[1].request};
    const bool refused =
        queue_pair().Submit(probes[1].request) == operations::SubmitStatus::kError &&
        queue_pair().Submit(list).status == operations::SubmitStatus::kError &&
        queue_pair().SubmitBatch(list).status == operations::SubmitStatus::kError &&
        queue_pair().PopCompleted(some) == 0;
    // Destroying the parent's card in the child neither hangs nor disturbs the parent.
    if (real()) Close();
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  ASSERT_EQ(Submit(probes[2]), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitForRecorded(2));
  ExpectAtRest(2);
}

INSTANTIATE_TEST_SUITE_P(Cards, CardConformanceTest, AllRigs(), RigName);

}  // namespace
}  // namespace hwsim::card
