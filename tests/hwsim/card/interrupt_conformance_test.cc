// The contract of interrupt lines, for each kind of card. Only the test looks at the lines.
#include <gtest/gtest.h>

#include "hwsim/base/fd.h"
#include "tests/hwsim/card/card_rig.h"

namespace hwsim::card {
namespace {

class InterruptConformanceTest : public CardRig {
 protected:
  bool Readable(int timeout_ms = 0) {
    return IsReadable(queue_pair().interrupt_fd(), std::chrono::milliseconds(timeout_ms));
  }
  // Waits as the protocol says: pop, arm, pop once more, sleep.
  size_t PopOrSleep(std::span<operations::Request*> out) {
    while (true) {
      if (const size_t count = queue_pair().PopCompleted(out)) return count;
      if (!queue_pair().ArmInterrupt()) {
        while (virtual_card_ != nullptr && !Readable() && virtual_card_->Step()) continue;
        if (!Readable(60'000)) return 0;
      }
      queue_pair().DisarmInterrupt();
    }
  }
  size_t PopAll() {
    std::array<operations::Request*, 64> some;
    return queue_pair().PopCompleted(some);
  }
  operations::SubmitStatus Send(Probe& probe) { return queue_pair().Submit(probe.request); }
};

TEST_P(InterruptConformanceTest, ArmedLineRisesWithACompletionAndFallsWhenDisarmed) {
  OPEN_OR_SKIP({.service = false});
  std::deque<Probe> probes(2);
  EXPECT_FALSE(queue_pair().ArmInterrupt());
  EXPECT_FALSE(Readable());
  ASSERT_EQ(Send(probes[0]), operations::SubmitStatus::kOk);
  EXPECT_TRUE(WaitFor([&] { return Readable(); }));
  queue_pair().DisarmInterrupt();
  EXPECT_FALSE(Readable());
  EXPECT_EQ(PopAll(), 1u);

  // The interrupt first: one that is on its way when the line is armed would raise the line.
  ASSERT_EQ(Send(probes[1]), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitFor([&] { return card_->stats().interrupts == 2; }));
  EXPECT_FALSE(Readable()) << "disarmed";
  EXPECT_TRUE(WaitFor([&] { return queue_pair().ArmInterrupt(); })) << "a completion waits";
  queue_pair().DisarmInterrupt();
  EXPECT_EQ(PopAll(), 1u);
}

TEST_P(InterruptConformanceTest, LineThatWasWrittenTwiceForOneRiseIsLowWhenDisarmed) {
  OPEN_OR_SKIP({.service = false});
  Probe probe;
  EXPECT_FALSE(queue_pair().ArmInterrupt());
  ASSERT_EQ(Send(probe), operations::SubmitStatus::kOk);
  EXPECT_TRUE(WaitFor([&] { return Readable(); }));
  SignalEventFd(queue_pair().interrupt_fd());
  queue_pair().DisarmInterrupt();
  EXPECT_FALSE(Readable());
  EXPECT_EQ(PopAll(), 1u);
  // Also when the kernel writes after the disarm.
  SignalEventFd(queue_pair().interrupt_fd());
  queue_pair().DisarmInterrupt();
  EXPECT_FALSE(Readable());
}

TEST_P(InterruptConformanceTest, NoCompletionIsLostToAWaiterThatSleeps) {
  constexpr uint64_t kRequests = 5000;
  OPEN_OR_SKIP({.depth = 8, .service = false});
  std::deque<Probe> probes(8);
  std::vector<operations::Request*> idle = Pointers(probes);
  std::array<operations::Request*, 3> some;
  uint64_t sent = 0;
  for (uint64_t popped = 0; popped < kRequests;) {
    // One to five at a time, so that completions come at every step of the protocol.
    for (uint64_t i = 0; i <= popped % 5 && !idle.empty() && sent < kRequests; ++i, ++sent) {
      ASSERT_EQ(queue_pair().Submit(*idle.back()), operations::SubmitStatus::kOk);
      idle.pop_back();
    }
    const size_t count = PopOrSleep(some);
    ASSERT_NE(count, 0u) << "lost after " << popped;
    idle.insert(idle.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(count));
    popped += count;
  }
  EXPECT_EQ(queue_pair().in_flight(), 0u);
  EXPECT_EQ(card_->stats().completed, kRequests);
}

TEST_P(InterruptConformanceTest, ModerationByCountRaisesTheLineAtTheLastOne) {
  model::Profile profile;
  profile.moderation = {.count = 4, .time = std::chrono::milliseconds(10)};
  OPEN_OR_SKIP({.profile = profile, .service = false});
  std::deque<Probe> probes(4);
  EXPECT_FALSE(queue_pair().ArmInterrupt());
  for (Probe& probe : probes) ASSERT_EQ(Send(probe), operations::SubmitStatus::kOk);
  EXPECT_TRUE(WaitFor([&] { return Readable(); }));
  // On a slow machine the time may run out before the fourth, which raises the line once more.
  if (!real()) {
    EXPECT_EQ(card_->stats().interrupts, 1u);
  }
  // The card owns a request until it is popped.
  size_t popped = 0;
  EXPECT_TRUE(WaitFor([&] { return (popped += PopAll()) == 4; }));
}

TEST_P(InterruptConformanceTest, ModerationDelaysTheLineNeverTheCompletion) {
  model::Profile profile;
  profile.moderation = {.count = 100, .time = std::chrono::milliseconds(10)};
  OPEN_OR_SKIP({.profile = profile, .service = false});
  std::deque<Probe> probes(3);
  EXPECT_FALSE(queue_pair().ArmInterrupt());
  for (Probe& probe : probes) ASSERT_EQ(Send(probe), operations::SubmitStatus::kOk);
  size_t popped = 0;
  ASSERT_TRUE(WaitFor([&] { return (popped += PopAll()) == 3; }));
  const TimePoint seen = card_->clock().Now();
  if (!real()) {
    EXPECT_EQ(card_->stats().interrupts, 0u);
    EXPECT_FALSE(Readable());
  }
  EXPECT_TRUE(WaitFor([&] { return Readable(); })) << "the line rises when the time is over";
  EXPECT_EQ(card_->stats().interrupts, 1u);
  EXPECT_GE(card_->clock().Now(), probes[0].request.due + profile.moderation.time);
  EXPECT_LE(probes[2].request.completed, seen);
}

TEST_P(InterruptConformanceTest, BatchRaisesTheLineOnceItIsWhole) {
  OPEN_OR_SKIP({.service = false});
  std::deque<Probe> probes(20);
  EXPECT_FALSE(queue_pair().ArmInterrupt());
  ASSERT_EQ(queue_pair().SubmitBatch(Pointers(probes)).accepted, 20u);
  EXPECT_TRUE(WaitFor([&] { return Readable(); }));
  EXPECT_EQ(PopAll(), 20u);
  EXPECT_EQ(card_->stats().interrupts, 1u);
}

TEST_P(InterruptConformanceTest, LateWorkRaisesTheLineItself) {
  // The model takes no time; the work ends when the gate opens.
  static std::atomic<bool> gate;
  gate.store(false);
  OPEN_OR_SKIP({.service = false});
  if (!real()) GTEST_SKIP() << "a virtual card's work takes no time";
  Probe probe;
  probe.request.execute = [](operations::Request&) noexcept {
    while (!gate.load()) std::this_thread::yield();
    return true;
  };
  EXPECT_FALSE(queue_pair().ArmInterrupt());
  ASSERT_EQ(Send(probe), operations::SubmitStatus::kOk);
  // Another request overtakes it.
  Probe other;
  ASSERT_EQ(Send(other), operations::SubmitStatus::kOk);
  EXPECT_TRUE(WaitFor([&] { return Readable(); }));
  queue_pair().DisarmInterrupt();
  EXPECT_EQ(PopAll(), 1u);
  EXPECT_FALSE(queue_pair().ArmInterrupt());
  EXPECT_FALSE(probe.request.done.load());
  gate.store(true);
  EXPECT_TRUE(WaitFor([&] { return Readable(); }));
  EXPECT_EQ(PopAll(), 1u);
  EXPECT_GE(probe.request.completed, probe.request.due);
}

TEST_P(InterruptConformanceTest, SwitchedOffTheLineStaysLow) {
  OPEN_OR_SKIP({.service = false});
  card_->SetInterrupts(false);
  std::deque<Probe> probes(2);
  EXPECT_FALSE(queue_pair().ArmInterrupt());
  ASSERT_EQ(Send(probes[0]), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitFor([&] { return PopAll() == 1; }));
  EXPECT_FALSE(Readable());
  EXPECT_EQ(card_->stats().interrupts, 0u);
  card_->SetInterrupts(true);
  ASSERT_EQ(Send(probes[1]), operations::SubmitStatus::kOk);
  EXPECT_TRUE(WaitFor([&] { return Readable(); }));
  EXPECT_EQ(PopAll(), 1u);
}

TEST_P(InterruptConformanceTest, CardWithNothingToDoSleepsUntilASubmit) {
  OPEN_OR_SKIP({.service = false});
  if (!real()) GTEST_SKIP() << "a virtual card has no thread";
  Probe probe;
  ASSERT_EQ(Send(probe), operations::SubmitStatus::kOk);
  ASSERT_TRUE(WaitFor([&] { return PopAll() == 1; }));
  // The service thread slept before the request or sleeps after it; in the end it sleeps until the
  // next submit.
  uint64_t sleeps = 0;
  ASSERT_TRUE(WaitFor([&] { return (sleeps = card_->stats().sleeps) >= 1; }));
  // Round trips on another card measure the time in which the first card must not wake up.
  auto other =
      RealCard::Create({.transport = rings::TransportKind::kMemory, .execution_threads = 1});
  ASSERT_TRUE(other);
  Probe elsewhere;
  std::array<operations::Request*, 1> one;
  const auto round_trip = [&] {
    if ((*other)->queue_pairs()[0]->Submit(elsewhere.request) != operations::SubmitStatus::kOk)
      return false;
    return WaitFor([&] { return (*other)->queue_pairs()[0]->PopCompleted(one) == 1; });
  };
  // Time for the first card to stop spinning.
  const TimePoint settled = card_->clock().Now() + std::chrono::milliseconds(5);
  while (card_->clock().Now() < settled) ASSERT_TRUE(round_trip());
  sleeps = card_->stats().sleeps;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(round_trip());
  EXPECT_EQ(card_->stats().sleeps, sleeps);
  ASSERT_EQ(Send(probe), operations::SubmitStatus::kOk);
  EXPECT_TRUE(WaitFor([&] { return PopAll() == 1; }));
  other->reset();
}

INSTANTIATE_TEST_SUITE_P(
    Cards, InterruptConformanceTest,
    ::testing::Values(RigParam{CardKind::kVirtual, completion::CompletionMode::kInline},
                      RigParam{CardKind::kUring, completion::CompletionMode::kInline},
                      RigParam{CardKind::kMemory, completion::CompletionMode::kInline}),
    RigName);

}  // namespace
}  // namespace hwsim::card
