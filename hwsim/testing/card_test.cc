#include "hwsim/testing/card_test.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hwsim/base/check.h"
#include "hwsim/base/fd.h"
#include "hwsim/model/profile.h"

void hwsim::card::PrintTo(const Card& card, std::ostream* out) {
  *out << card.transport_name() << " card";
  for (const auto& queue_pair : card.queue_pairs()) {
    const rings::QueuePair::Counts counts = queue_pair->counts();
    *out << ", queue pair " << queue_pair->index() << ": accepted " << counts.accepted
         << ", answered kAgain " << counts.refused_again << " and kError " << counts.refused_error
         << ", succeeded " << counts.succeeded << ", failed " << counts.failed << ", in flight "
         << queue_pair->in_flight();
  }
}

namespace hwsim::testing {
namespace {

uint64_t RetriesOf(const card::Card& card) {
  uint64_t retries = 0;
  for (const auto& queue_pair : card.queue_pairs()) retries += queue_pair->counts().refused_again;
  return retries;
}

MATCHER_P(HasRetriedAtMost, times,
          (negation ? "retries more than " : "retries at most ") + std::to_string(times) +
              " times") {
  const uint64_t retries = RetriesOf(arg);
  *result_listener << "which were " << retries;
  return retries <= times;
}

MATCHER_P2(ToldWithin, wait, time,
           std::string(negation ? "is not" : "is") + " told within " +
               model::FormatDuration(time)) {
  const std::optional<Duration> passed = wait([&told = arg] { return told.times() > 0; }, time);
  if (passed) {
    *result_listener << "told after " << model::FormatDuration(*passed);
  } else {
    *result_listener << "not told by then";
  }
  return passed.has_value();
}

MATCHER_P2(ToldExactlyOnce, wait, time,
           std::string(negation ? "does not complete" : "completes") + " exactly once within " +
               model::FormatDuration(time)) {
  wait([&told = arg] { return told.times() > 1; }, time);
  *result_listener << "told " << arg.times() << " times";
  return arg.times() == 1;
}

MATCHER_P2(ReadableWithin, wait, time,
           std::string(negation ? "is not" : "is") + " readable within " +
               model::FormatDuration(time)) {
  const std::optional<Duration> passed = wait([fd = arg] { return IsReadable(fd); }, time);
  if (passed) *result_listener << "readable after " << model::FormatDuration(*passed);
  return passed.has_value();
}

}  // namespace

void PrintTo(const Told& told, std::ostream* out) { *out << "told " << told.times() << " times"; }

faults::FaultPlan RingFullAtFirst(uint32_t times) {
  return {.rules = {{.kind = faults::FaultKind::kRingFull, .nth = 1, .times = times}}};
}

::testing::Matcher<const card::Card&> RetriesAtMost(uint64_t times) {
  return HasRetriedAtMost(times);
}

void CardTest::UseCard(const Setup& setup) {
  card::VirtualCard::Options options{.depth = setup.depth, .seed = setup.seed};
  options.profile.name = "test";
  options.profile.faults = setup.faults;
  for (model::OperationCost& cost : options.profile.operations) cost.service.base = setup.service;
  UseCard(std::move(options));
}

void CardTest::UseCard(card::VirtualCard::Options options) {
  GHOSTCARD_CHECK(card_ == nullptr, "a test has one card");
  auto made = card::VirtualCard::Create(std::move(options));
  GHOSTCARD_CHECK(made.has_value(), made.error().message.c_str());
  virtual_ = made->get();
  card_ = std::move(*made);
}

void CardTest::UseScriptedCard(uint32_t depth, const faults::FaultPlan& faults) {
  GHOSTCARD_CHECK(card_ == nullptr, "a test has one card");
  auto made = std::make_unique<ScriptedCard>(depth, faults);
  scripted_ = made.get();
  card_ = std::move(made);
}

void CardTest::AdvanceBy(Duration time) {
  AdvanceUntil([] { return false; }, time);
}

bool CardTest::AdvanceUntil(const std::function<bool()>& done, Duration time) {
  const TimePoint end = clock().Now() + time;
  on_step_();
  while (!done()) {
    const TimePoint now = clock().Now();
    if (now >= end) return false;
    const TimePoint next = std::min(end, now + step_);
    if (scripted_ != nullptr) {
      scripted_->virtual_clock().AdvanceTo(next);
    } else {
      virtual_->AdvanceTo(std::min(next, virtual_->NextEvent().value_or(next)));
    }
    on_step_();
  }
  return true;
}

::testing::Matcher<const Told&> CardTest::IsToldWithin(Duration time) {
  return ToldWithin(Waiter(), time);
}

::testing::Matcher<const Told&> CardTest::CompletesExactlyOnce(Duration time) {
  return ToldExactlyOnce(Waiter(), time);
}

::testing::Matcher<int> CardTest::IsReadableWithin(Duration time) {
  return ReadableWithin(Waiter(), time);
}

std::function<std::optional<Duration>(const std::function<bool()>&, Duration)> CardTest::Waiter() {
  return [this](const std::function<bool()>& done, Duration time) -> std::optional<Duration> {
    const TimePoint start = clock().Now();
    if (!AdvanceUntil(done, time)) return std::nullopt;
    return clock().Now() - start;
  };
}

void CardTest::TearDown() {
  if (card_ == nullptr) return;
  uint64_t in_flight = 0;
  for (const auto& queue_pair : card_->queue_pairs()) in_flight += queue_pair->in_flight();
  if (in_flight == 0) return;
  ADD_FAILURE() << "the test ends with " << in_flight
                << " requests on the card: a request must stay valid until PopCompleted returns it";
  // The requests may be freed already, so the card must not touch them, not even in its destructor:
  // the test leaks the card.
  static auto& leaked = *new std::vector<std::unique_ptr<card::Card>>;
  leaked.push_back(std::move(card_));
}

}  // namespace hwsim::testing
