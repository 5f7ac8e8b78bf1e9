// The card model allocates nothing in its steady state.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "hwsim/model/card_model.h"

// Counts allocations.
namespace {
std::atomic<uint64_t> allocations{0};
}
[[gnu::noinline]] void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
// Not inline: g++ would see malloc in one and not in the other, and warn.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace hwsim::model {
namespace {

using namespace std::chrono_literals;
using Distribution = LatencyModel::Distribution;

TEST(CardModelAllocationTest, SteadyStateAllocatesNothing) {
  Profile profile{.service_units = 8, .moderation = {.count = 4, .time = 10us}};
  profile.cost(operations::OperationKind::kCopy) = {
      .service = {.distribution = Distribution::kMinExponential, .base = 5us, .spread = 5us},
      .rate_per_s_max = 700'000};
  profile.transit = {.distribution = Distribution::kLognormal, .base = 50us, .sigma = 0.5};
  CardModel model(profile, 4, 1);
  std::vector<ModelEvent> events;
  events.reserve(10'000);
  TimePoint now{};
  const auto turn_over = [&](uint64_t requests) {
    for (uint64_t done = 0; done < requests;) {
      now = std::max(now, *model.NextEvent());
      events.clear();
      model.Advance(now, events);
      for (const ModelEvent& event : events) {
        if (event.kind != ModelEvent::Kind::kComplete) continue;
        ++done;
        model.Arrive(now, done, event.queue_pair, operations::OperationKind::kCopy, 0);
      }
    }
  };
  for (RequestId id = 0; id < 1'000; ++id)
    model.Arrive(now, id, id % 4, operations::OperationKind::kCopy, 0);
  turn_over(200'000);
  const uint64_t before = allocations.load();
  turn_over(100'000);
  EXPECT_EQ(allocations.load(), before);
}

}  // namespace
}  // namespace hwsim::model
