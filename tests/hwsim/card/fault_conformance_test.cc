// What a card with faults promises, for each kind of card and each completion mode.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "tests/hwsim/card/card_rig.h"

namespace hwsim::card {
namespace {

using namespace std::chrono_literals;
using enum faults::FaultKind;

class FaultConformanceTest : public CardRig {
 protected:
  static model::Profile Faulty(std::vector<faults::FaultRule> rules) {
    model::Profile profile;
    profile.health = {.heartbeat = 1ms, .reset = 2ms};
    profile.faults.rules = std::move(rules);
    EXPECT_TRUE(profile.Validate());
    return profile;
  }
  void SubmitAll(std::deque<Probe>& probes) {
    for (Probe& probe : probes) {
      ASSERT_TRUE(WaitFor([&] { return Submit(probe) == operations::SubmitStatus::kOk; }));
    }
  }
  static auto Statuses(const std::deque<Probe>& probes) {
    std::vector<operations::CompletionStatus> statuses;
    for (const Probe& probe : probes) statuses.push_back(probe.request.status);
    return statuses;
  }
  static void ExpectOnceEach(const std::deque<Probe>& probes) {
    for (const Probe& probe : probes) EXPECT_EQ(probe.completions.load(), 1);
  }
};

TEST_P(FaultConformanceTest, RingFullRefusesTheGivenNumberOfSubmitsAlthoughThereIsRoom) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kRingFull, .nth = 2, .times = 3}})});
  std::deque<Probe> probes(2);
  EXPECT_EQ(Submit(probes[0]), operations::SubmitStatus::kOk);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Submit(probes[1]), operations::SubmitStatus::kAgain);
  EXPECT_EQ(Submit(probes[1]), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitForRecorded(2));
  EXPECT_EQ(queue_pair().counts().refused_again, 3u);
  EXPECT_EQ(card_->fault_log().count(kRingFull), 3u) << "one event for each refused submit";
  ExpectAtRest(2);
}

TEST_P(FaultConformanceTest, ListAndBatchAreCutAndTheRestIsTheCallers) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kBatchCut, .every_nth = 1}})});
  std::deque<Probe> probes(20);
  const auto pointers = Pointers(probes);
  const auto list = queue_pair().Submit(std::span(pointers).first(10));
  const auto batch = queue_pair().SubmitBatch(std::span(pointers).subspan(10));
  for (const auto& result : {list, batch}) {
    EXPECT_EQ(result.status, operations::SubmitStatus::kAgain);
    EXPECT_GE(result.accepted, 1u);
    EXPECT_LE(result.accepted, 9u);
  }
  service_->NoteSubmitted();
  ASSERT_TRUE(WaitForRecorded(list.accepted + batch.accepted));
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(probes[i].completions.load(), i < list.accepted ? 1 : 0);
    EXPECT_EQ(probes[10 + i].completions.load(), i < batch.accepted ? 1 : 0);
  }
  EXPECT_EQ(card_->fault_log().Events()[0].request, list.accepted + 1);
  ExpectAtRest(list.accepted + batch.accepted);
}

TEST_P(FaultConformanceTest, WrongResultHasTheGivenNumberOfBitsFlipped) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kWrongResult, .every_nth = 2, .times = 3}})});
  std::deque<Probe> probes(8);
  for (Probe& probe : probes) {
    probe.input = 21;
    probe.request.execute = &Probe::Double;
    probe.request.output = std::as_writable_bytes(std::span(&probe.result, 1));
  }
  SubmitAll(probes);
  ASSERT_TRUE(WaitForRecorded(8));
  for (size_t i = 0; i < probes.size(); ++i) {
    EXPECT_EQ(probes[i].request.status, operations::CompletionStatus::kOk);
    EXPECT_EQ(std::popcount(probes[i].result ^ 42), i % 2 == 1 ? 3 : 0);
  }
  ExpectAtRest(8);
}

TEST_P(FaultConformanceTest, VerdictIsInvertedBothWays) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kVerdictInverted, .every_nth = 2}})});
  std::deque<Probe> probes(4);
  for (size_t i = 0; i < 4; ++i) {
    probes[i].request.execute = i < 2 ? &Probe::Double : &Probe::Fail;
  }
  SubmitAll(probes);
  ASSERT_TRUE(WaitForRecorded(4));
  using enum operations::CompletionStatus;
  EXPECT_EQ(Statuses(probes), (std::vector{operations::CompletionStatus::kOk, kOperationFailed,
                                           kOperationFailed, operations::CompletionStatus::kOk}));
  ExpectAtRest(4);
}

TEST_P(FaultConformanceTest, RepeatedResponsesAreCountedAndHandedOutOnce) {
  OPEN_OR_SKIP(
      {.profile = Faulty({{.kind = kResponseDuplicated, .every_nth = 1, .time = 0us, .times = 2}}),
       .depth = 8});
  std::deque<Probe> probes(100);
  SubmitAll(probes);
  ASSERT_TRUE(WaitForRecorded(100));
  ExpectOnceEach(probes);
  // The completion ring holds 8 of them; the card sends no more until the host takes some.
  EXPECT_TRUE(WaitFor([&] { return queue_pair().counts().repeats >= 8; }));
  EXPECT_LE(queue_pair().counts().repeats, 200u);
  ExpectAtRest(100);
}

TEST_P(FaultConformanceTest, OvertakenResponseComesAfterTheOthers) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kResponseReordered, .nth = 1, .time = 1h, .times = 3},
                                   {.kind = kResponseDelayed, .nth = 6, .time = 1us}})});
  std::deque<Probe> probes(5);
  SubmitAll(probes);
  ASSERT_TRUE(WaitForRecorded(5));
  EXPECT_GE(probes[0].order, 3u);
  EXPECT_LT(probes[1].order, probes[2].order);
  Probe late;
  ASSERT_EQ(Submit(late), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitForRecorded(6));
  EXPECT_EQ(card_->fault_log().count(kResponseDelayed), 1u);
  ExpectAtRest(6);
}

TEST_P(FaultConformanceTest, StalledResponseRingDeliversAllInOrderAtTheEnd) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kResponseRingStalled, .nth = 1, .time = 2ms}})});
  std::deque<Probe> probes(20);
  SubmitAll(probes);
  ASSERT_TRUE(WaitForRecorded(20));
  EXPECT_TRUE(std::ranges::is_sorted(probes, {}, &Probe::order));
  EXPECT_GE(probes[0].request.due, probes[0].request.arrived + 2ms);
  ExpectAtRest(20);
}

TEST_P(FaultConformanceTest, DroppedResponseKeepsItsSlotUntilAResetAnswersIt) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kResponseDropped, .nth = 2}}), .depth = 4});
  std::deque<Probe> probes(4);
  SubmitAll(probes);
  ASSERT_TRUE(WaitForRecorded(3));
  EXPECT_EQ(queue_pair().in_flight(), 1u);
  EXPECT_EQ(probes[1].completions.load(), 0);
  card_->Reset();
  ASSERT_TRUE(WaitForRecorded(4));
  EXPECT_EQ(probes[1].request.status, operations::CompletionStatus::kCardReset);
  ExpectAtRest(4);
}

TEST_P(FaultConformanceTest, HungCardAnswersInOrderOfSubmissionWhenItIsReset) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kCardHang, .nth = 1}}), .depth = 64});
  std::deque<Probe> probes(64);
  for (Probe& probe : probes) probe.request.execute = &Probe::Double;
  SubmitAll(probes);
  ASSERT_TRUE(WaitFor([&] { return card_->fault_log().count(kCardHang) == 1; }));
  const uint64_t beat = card_->heartbeat();
  EXPECT_EQ(card_->state(), model::CardState::kUp) << "a hung card does not report it";
  if (virtual_card_ != nullptr) virtual_card_->AdvanceTo(virtual_card_->clock().Now() + 1s);
  EXPECT_EQ(card_->heartbeat(), beat);
  EXPECT_EQ(recorded_.load(), 0u);
  card_->Reset();
  ASSERT_TRUE(WaitForRecorded(64));
  EXPECT_TRUE(std::ranges::is_sorted(probes, {}, &Probe::order));
  for (const Probe& probe : probes)
    EXPECT_EQ(probe.request.status, operations::CompletionStatus::kCardReset);
  ExpectOnceEach(probes);
  // The queue pair stays valid.
  ASSERT_TRUE(WaitFor([&] { return card_->state() == model::CardState::kUp; }));
  Probe after;
  ASSERT_TRUE(WaitFor([&] { return Submit(after) == operations::SubmitStatus::kOk; }));
  ASSERT_TRUE(WaitForRecorded(65));
  EXPECT_EQ(after.request.status, operations::CompletionStatus::kOk);
  if (virtual_card_ != nullptr) virtual_card_->AdvanceTo(virtual_card_->clock().Now() + 1s);
  EXPECT_TRUE(WaitFor([&] { return card_->heartbeat() > beat; }));
  ExpectAtRest(65);
}

TEST_P(FaultConformanceTest, CardThatResetsItselfRefusesUntilItIsUpAgain) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kCardReset, .nth = 3, .time = 20ms}})});
  std::deque<Probe> probes(3);
  for (Probe& probe : probes) ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitFor([&] { return card_->fault_log().count(kCardReset) == 1; }));
  Probe after;
  uint64_t refused = 0;
  ASSERT_TRUE(WaitFor([&] {
    const operations::SubmitStatus status = Submit(after);
    // A real card may be up again before the first submit; then no submit is refused.
    refused += status == operations::SubmitStatus::kError ? 1 : 0;
    return status == operations::SubmitStatus::kOk;
  }));
  if (!real()) {
    EXPECT_GT(refused, 0u);
  }
  EXPECT_EQ(queue_pair().counts().refused_error, refused);
  ASSERT_TRUE(WaitForRecorded(4));
  EXPECT_EQ(probes[2].request.status, operations::CompletionStatus::kCardReset);
  EXPECT_EQ(after.request.status, operations::CompletionStatus::kOk);
  ExpectAtRest(4);
}

TEST_P(FaultConformanceTest, CardThatIsDownRefusesListsAndBatchesWhole) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kCardReset, .nth = 1, .time = 1h}})});
  std::deque<Probe> probes(3);
  const auto pointers = Pointers(probes);
  ASSERT_EQ(Submit(probes[0]), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitFor([&] { return card_->state() == model::CardState::kFatalError; }));
  EXPECT_EQ(queue_pair().admission(), rings::QueuePair::Admission::kClosed);
  for (const auto& result : {queue_pair().Submit(std::span(pointers).subspan(1)),
                             queue_pair().SubmitBatch(std::span(pointers).subspan(1))}) {
    EXPECT_EQ(result.status, operations::SubmitStatus::kError);
    EXPECT_EQ(result.accepted, 0u);
  }
  EXPECT_EQ(Submit(probes[1]), operations::SubmitStatus::kError);
  EXPECT_EQ(queue_pair().counts().refused_error, 5u);
  EXPECT_EQ(recorded_.load(), 0u) << "not answered until the card restarts";
  Close();
}

TEST_P(FaultConformanceTest, LostCardRefusesForGood) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kCardLost, .nth = 2}})});
  std::deque<Probe> probes(2);
  SubmitAll(probes);
  ASSERT_TRUE(WaitForRecorded(2));
  EXPECT_EQ(card_->state(), model::CardState::kLost);
  EXPECT_EQ(probes[1].request.status, operations::CompletionStatus::kCardReset);
  card_->Reset();
  Probe after;
  for (int i = 0; i < 10; ++i) {
    Pump();
    EXPECT_EQ(Submit(after), operations::SubmitStatus::kError);
  }
  EXPECT_EQ(card_->state(), model::CardState::kLost);
  EXPECT_EQ(queue_pair().admission(), rings::QueuePair::Admission::kClosedForGood);
  ExpectAtRest(2);
}

TEST_P(FaultConformanceTest, FalseAlarmStopsTheHeartbeatOfACardThatWorks) {
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kHeartbeatFalseAlarm, .nth = 1, .time = 1h}})});
  std::deque<Probe> probes(100);
  SubmitAll(probes);
  ASSERT_TRUE(WaitForRecorded(100));
  ASSERT_EQ(card_->fault_log().count(kHeartbeatFalseAlarm), 1u);
  const uint64_t beat = card_->heartbeat();
  if (virtual_card_ != nullptr) virtual_card_->AdvanceTo(virtual_card_->clock().Now() + 1s);
  EXPECT_EQ(card_->heartbeat(), beat);
  ExpectOnceEach(probes);
  ExpectAtRest(100);
}

TEST_P(FaultConformanceTest, CardComesUpWithAsManyQueuePairsAsThereAreInstances) {
  OPEN_OR_SKIP(
      {.profile = Faulty({{.kind = kInstancesExhausted, .every_nth = 2}}), .queue_pairs = 5});
  ASSERT_EQ(card_->queue_pairs().size(), 3u);
  std::deque<Probe> probes(3);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(queue_pair(i).index(), i);
    EXPECT_EQ(Submit(probes[i], i), operations::SubmitStatus::kOk);
  }
  ASSERT_TRUE(WaitForRecorded(3));
  EXPECT_EQ(card_->fault_log().count(kInstancesExhausted), 2u);
  ExpectAtRest(3);
}

TEST(InstancesExhaustedTest, CardWithoutAnyDoesNotComeUpAndSaysWhy) {
  model::Profile profile;
  profile.faults.rules = {{.kind = kInstancesExhausted, .every_nth = 1}};
  const std::string why =
      "queue_pairs: the card has no instance left for any of the 2 asked for (fault "
      "instances_exhausted)";
  EXPECT_EQ(VirtualCard::Create({.profile = profile, .queue_pairs = 2}).error().message, why);
  EXPECT_EQ(RealCard::Create({.profile = profile, .queue_pairs = 2}).error().message, why);
}

// Whatever happens to the interrupts, a thread that follows the protocol gets every completion.
TEST_P(FaultConformanceTest, NoCompletionIsLostWithItsInterrupt) {
  for (const faults::FaultKind kind : {kInterruptLost, kInterruptLate, kInterruptSpurious,
                                       kInterruptDuplicated, kInterruptCoalesced}) {
    SCOPED_TRACE(faults::FaultName(kind));
    recorded_ = 0;
    OPEN_OR_SKIP({.profile = Faulty({{.kind = kind, .every_nth = 3}}), .service = false});
    StartService({.watchdog_interval = 1ms});
    std::deque<Probe> probes(200);
    for (size_t i = 0; i < probes.size(); i += 2) {
      probes[i].request.execute = &Probe::Double;
    }
    SubmitAll(probes);
    ASSERT_TRUE(WaitForRecorded(200));
    ExpectOnceEach(probes);
    ExpectAtRest(200);
    if (GetParam().mode == completion::CompletionMode::kInterrupt) {
      EXPECT_GT(card_->fault_log().count(kind), 0u);
    }
    Close();
    virtual_card_ = nullptr;
  }
}

TEST_P(FaultConformanceTest, LostInterruptIsFoundByTheWatchdog) {
  if (GetParam().mode != completion::CompletionMode::kInterrupt)
    GTEST_SKIP() << "there is no interrupt";
  OPEN_OR_SKIP({.profile = Faulty({{.kind = kInterruptLost, .every_nth = 1}}), .service = false});
  StartService({.watchdog_interval = 1ms});
  std::deque<Probe> probes(20);
  for (Probe& probe : probes) {
    probe.request.execute = &Probe::Double;
    const uint64_t before = recorded_.load();
    ASSERT_EQ(Submit(probe), operations::SubmitStatus::kOk);
    ASSERT_TRUE(WaitForRecorded(before + 1));
  }
  EXPECT_GT(service_->stats().rescued, 0u);
  EXPECT_EQ(card_->stats().interrupts, 0u);
  ExpectAtRest(20);
}

// All faults together: each accepted request completes once, at the latest by the last reset.
TEST_P(FaultConformanceTest, WhateverGoesWrongEachAcceptedRequestCompletesOnce) {
  std::vector<faults::FaultRule> rules;
  for (const faults::FaultForm& form : faults::FaultForms()) {
    if (form.kind == kCardLost || form.kind == kInstancesExhausted) continue;
    faults::FaultRule rule{.kind = form.kind, .probability = form.card_wide ? 0.002 : 0.02};
    if (form.time) rule.time = 100us;
    rules.push_back(rule);
  }
  OPEN_OR_SKIP({.profile = Faulty(rules), .queue_pairs = 3, .depth = 16, .service = false});
  StartService({.watchdog_interval = 1ms});
  std::deque<Probe> probes(3000);
  uint64_t accepted = 0;
  for (size_t i = 0; i < probes.size(); ++i) {
    probes[i].request.execute = i % 3 == 0 ? &Probe::Double : nullptr;
    operations::SubmitStatus status = operations::SubmitStatus::kAgain;
    // Requests whose responses were dropped fill the rings in the end.
    ASSERT_TRUE(WaitFor([&] {
      status = Submit(probes[i], i % 3);
      if (status == operations::SubmitStatus::kAgain && i % 16 == 0) card_->Reset();
      const bool down = card_->state() != model::CardState::kUp;
      return status == operations::SubmitStatus::kOk ||
             (status == operations::SubmitStatus::kError && !down);
    }));
    accepted += status == operations::SubmitStatus::kOk ? 1 : 0;
  }
  ASSERT_TRUE(WaitFor([&] {
    if (recorded_.load() < accepted && card_->state() == model::CardState::kUp) card_->Reset();
    return recorded_.load() >= accepted;
  }));
  for (const Probe& probe : probes) EXPECT_LE(probe.completions.load(), 1);
  EXPECT_GT(accepted, probes.size() / 2);
  EXPECT_GT(card_->fault_log().total(), 100u);
  ExpectAtRest(accepted);
}

INSTANTIATE_TEST_SUITE_P(Cards, FaultConformanceTest, AllRigs(), RigName);

}  // namespace
}  // namespace hwsim::card
