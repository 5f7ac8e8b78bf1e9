#include "tools/load/ready_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "tools/load/ready_list.h"

namespace tools::load {
namespace {

struct Item : ReadyItem {
  explicit Item(int item_id) : id(item_id) {}
  const int id;
  int written_before_push = 0;
  std::atomic<uint64_t> pushed{0};
  uint64_t seen = 0;
  uint64_t handled = 0;
};

class Queue : public ReadyQueue<Item> {
 public:
  using ReadyQueue<Item>::WakeWithoutAnItem;

  template <typename Handle>
  size_t SleepAndTake(Handle handle) {
    sleeps_.fetch_add(1);
    SleepUntilReady();
    return TakeAll(handle);
  }

  // How often the consumer has come to sleep. Any thread.
  uint64_t sleeps() const { return sleeps_.load(); }

 private:
  std::atomic<uint64_t> sleeps_{0};
};

// A producer that is late with its wake-up, when its item is long handled.
TEST(ReadyQueueTest, AWakeUpWithoutAnItemDoesNotHideTheNextPush) {
  constexpr uint64_t kRounds = 200;
  Queue queue;
  Item item(1);
  std::jthread producer([&] {
    for (uint64_t round = 1; round <= kRounds; ++round) {
      while (queue.sleeps() < round) std::this_thread::yield();
      for (int late = 0; late < 3; ++late) {
        queue.WakeWithoutAnItem();
        std::this_thread::yield();
      }
      queue.Push(item);
    }
  });
  for (uint64_t round = 1; round <= kRounds; ++round) {
    ASSERT_EQ(queue.SleepAndTake([](Item& taken) { ++taken.handled; }), 1u);
  }
  EXPECT_EQ(item.handled, kRounds);
}

constexpr int kProducers = 4;

TEST(ReadyQueueRaceTest, EachItemArrivesOnceWithWhatItsProducerWrote) {
  constexpr int kItemsPerProducer = 5'000;
  Queue queue;
  std::deque<Item> items;
  for (int i = 0; i < kProducers * kItemsPerProducer; ++i) items.emplace_back(i);
  std::vector<std::jthread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&, producer] {
      for (int i = 0; i < kItemsPerProducer; ++i) {
        Item& item = items[static_cast<size_t>(producer * kItemsPerProducer + i)];
        item.written_before_push = item.id + 1;
        queue.Push(item);
      }
    });
  }
  for (size_t taken = 0; taken < items.size();) {
    taken += queue.SleepAndTake([](Item& item) {
      EXPECT_EQ(item.written_before_push, item.id + 1);
      ++item.handled;
    });
  }
  for (const Item& item : items) ASSERT_EQ(item.handled, 1u) << item.id;
}

// Items that are pushed again and again: the consumer sees the last value of each, however pushes
// and takes overlap. Every 64 pushes a producer waits until the consumer goes to sleep.
TEST(ReadyQueueRaceTest, NoPushIsLostWhenAnItemIsPushedAgain) {
  constexpr uint64_t kPushes = 20'000;
  Queue queue;
  std::deque<Item> items;
  for (int i = 0; i < kProducers; ++i) items.emplace_back(i);
  std::vector<std::jthread> producers;
  for (Item& item : items) {
    producers.emplace_back([&queue, &item] {
      for (uint64_t push = 1; push <= kPushes; ++push) {
        const uint64_t sleeps_before = queue.sleeps();
        item.pushed.store(push, std::memory_order_relaxed);
        queue.Push(item);
        if (push % 64 != 0) continue;
        while (queue.sleeps() == sleeps_before) std::this_thread::yield();
      }
    });
  }
  const auto all_seen = [&] {
    return std::all_of(items.begin(), items.end(),
                       [](const Item& item) { return item.seen == kPushes; });
  };
  while (!all_seen()) {
    queue.SleepAndTake([](Item& item) {
      item.seen = item.pushed.load(std::memory_order_relaxed);
      ++item.handled;
    });
  }
  for (const Item& item : items) EXPECT_GT(item.handled, 1u) << "it was never pushed again";
  EXPECT_GE(queue.sleeps(), kPushes / 64) << "the consumer did not sleep";
}

}  // namespace
}  // namespace tools::load
