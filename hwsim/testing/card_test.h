// Testing: for tests of code that uses the card, such as a retry loop or a completion handler.
//
// CardTest is a fixture that has a card and controls its clock. Time passes when the test says so,
// in small steps, and the code under test runs after each step. Told counts how often the code
// under test notified its own caller. The matchers let time pass and check the outcome:
//
//   TEST_F(MyEngineTest, GetsThroughAFullRing) {
//     UseCard({.faults = hwsim::testing::RingFullAtFirst(3)});
//     MyEngine engine(queue_pair(), clock());
//     OnStep([&] { engine.Poll(); });
//     hwsim::testing::Told told;
//     engine.Run(request, told.AsFunction());
//     EXPECT_THAT(told, IsToldWithin(20us));
//     EXPECT_THAT(told, CompletesExactlyOnce());
//     EXPECT_THAT(card(), hwsim::testing::RetriesAtMost(3));
//   }
//
// The code under test may notify its caller through a function, a C callback such as OpenSSL's, or
// a file descriptor that becomes readable. Nothing here depends on wait contexts.
//
// Threads: one, the test's, for everything. Time: virtual; no test sleeps.
#ifndef GHOSTCARD_HWSIM_TESTING_CARD_TEST_H_
#define GHOSTCARD_HWSIM_TESTING_CARD_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "hwsim/base/clock.h"
#include "hwsim/card/card.h"
#include "hwsim/card/virtual_card.h"
#include "hwsim/faults/fault_plan.h"
#include "hwsim/rings/queue_pair.h"
#include "hwsim/testing/scripted_card.h"

namespace hwsim::card {
// Prints what the card accepted, refused and completed. GoogleTest looks for it beside Card.
void PrintTo(const Card& card, std::ostream* out);
}  // namespace hwsim::card

namespace hwsim::testing {

// Counts notifications. Outlives the code that notifies it.
class Told {
 public:
  Told() = default;
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  // For code that calls a function, with any arguments.
  void operator()() { ++times_; }
  auto AsFunction() {
    return [this](auto&&...) { ++times_; };
  }
  // For code that calls a C callback with a pointer, as OpenSSL does: pass Told::Callback and
  // &told.
  static int Callback(void* told) {
    ++static_cast<Told*>(told)->times_;
    return 1;
  }

  uint64_t times() const { return times_; }

 private:
  uint64_t times_ = 0;
};
void PrintTo(const Told& told, std::ostream* out);

// A plan by which the first `times` submits are answered kAgain although the ring has room.
faults::FaultPlan RingFullAtFirst(uint32_t times);

// Matches a card whose queue pairs answered kAgain at most `times` times in total.
::testing::Matcher<const card::Card&> RetriesAtMost(uint64_t times);

class CardTest : public ::testing::Test {
 protected:
  struct Setup {
    uint32_t depth = 64;                               // of the card's one queue pair
    Duration service = std::chrono::microseconds(10);  // modelled time of every operation
    faults::FaultPlan faults;
    uint64_t seed = 1;
  };

  // A test first calls one of the next three, once. Bad options end the process with a message.
  // A card that completes requests as time passes, with several of them in service at once.
  void UseCard(const Setup& setup);
  // Such a card with a profile of the test's.
  void UseCard(card::VirtualCard::Options options);
  // A card that completes requests only when the test calls script().CompleteOne().
  void UseScriptedCard(uint32_t depth, const faults::FaultPlan& faults = {});

  card::Card& card() { return *card_; }
  rings::QueuePair& queue_pair() { return *card_->queue_pairs().front(); }
  const Clock& clock() const { return card_->clock(); }
  // Requires: UseScriptedCard().
  ScriptedChannel& script() { return scripted_->channel(); }

  // Sets what runs at the start and after each step of time: the code under test polls for
  // completions and checks its timers.
  void OnStep(std::function<void()> step) { on_step_ = std::move(step); }
  // Sets the longest step; a card's event makes a step shorter. Initially 1 us.
  void SetStep(Duration step) { step_ = step; }

  // Lets `time` pass.
  void AdvanceBy(Duration time);
  // Lets time pass until `done` returns true, at most `time`. Returns whether it did.
  bool AdvanceUntil(const std::function<bool()>& done, Duration time);

  // These matchers let time pass.
  // Matches when there has been a notification by `time` from now.
  ::testing::Matcher<const Told&> IsToldWithin(Duration time);
  // Matches when there has been exactly one notification by `time` from now.
  ::testing::Matcher<const Told&> CompletesExactlyOnce(
      Duration time = std::chrono::milliseconds(10));
  // Matches a file descriptor, such as a wait fd, that is readable by `time` from now.
  ::testing::Matcher<int> IsReadableWithin(Duration time);

  // Fails the test if requests are still in flight: their memory may be freed already.
  void TearDown() override;

 private:
  // AdvanceUntil for matchers: returns how much time passed; none: it was not done in time.
  std::function<std::optional<Duration>(const std::function<bool()>&, Duration)> Waiter();

  std::unique_ptr<card::Card> card_;
  card::VirtualCard* virtual_ = nullptr;  // card_ is this one or the next
  ScriptedCard* scripted_ = nullptr;
  std::function<void()> on_step_ = [] {};
  Duration step_ = std::chrono::microseconds(1);
};

}  // namespace hwsim::testing

#endif  // GHOSTCARD_HWSIM_TESTING_CARD_TEST_H_
