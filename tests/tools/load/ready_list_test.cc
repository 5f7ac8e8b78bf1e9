#include "tools/load/ready_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace tools::load {
namespace {

struct Item : ReadyItem {
  explicit Item(int item_id = 0) : id(item_id) {}
  const int id;
  int written_before_push = 0;
  std::atomic<uint64_t> pushed{0};
  uint64_t seen = 0;
  uint64_t handled = 0;
};

std::vector<int> Taken(ReadyList<Item>& list) {
  std::vector<int> ids;
  const size_t count = list.TakeAll([&](const Item& item) { ids.push_back(item.id); });
  EXPECT_EQ(count, ids.size());
  return ids;
}

TEST(ReadyListTest, TakesTheOldestFirst) {
  ReadyList<Item> list;
  std::deque<Item> items;
  for (const int id : {1, 2, 3}) EXPECT_FALSE(list.Push(items.emplace_back(id)));
  EXPECT_FALSE(list.empty());
  EXPECT_EQ(Taken(list), (std::vector<int>{1, 2, 3}));
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(Taken(list), std::vector<int>());
}

TEST(ReadyListTest, ContainsAnItemOnceThoughItIsPushedTwice) {
  ReadyList<Item> list;
  Item first(1);
  Item second(2);
  for (Item* item : {&first, &second, &first, &second, &second}) EXPECT_FALSE(list.Push(*item));
  EXPECT_EQ(Taken(list), (std::vector<int>{1, 2}));
}

TEST(ReadyListTest, AnItemPushedWhileItIsHandledComesAgain) {
  ReadyList<Item> list;
  Item item(1);
  EXPECT_FALSE(list.Push(item));
  EXPECT_EQ(list.TakeAll([&](Item& taken) { EXPECT_FALSE(list.Push(taken)); }), 1u);
  EXPECT_EQ(Taken(list), (std::vector<int>{1}));
}

TEST(ReadyListTest, OnePushWakesASleepingConsumer) {
  ReadyList<Item> list;
  Item first(1);
  Item second(2);
  ASSERT_TRUE(list.AnnounceSleep());
  EXPECT_TRUE(list.Push(first));
  EXPECT_FALSE(list.Push(second)) << "the first Push wakes the consumer already";
  list.EndSleep();
  EXPECT_EQ(Taken(list), (std::vector<int>{1, 2}));
  EXPECT_FALSE(list.Push(first)) << "the consumer is awake";
}

TEST(ReadyListTest, AConsumerDoesNotSleepWhileTheListContainsAnItem) {
  ReadyList<Item> list;
  Item first(1);
  Item second(2);
  EXPECT_FALSE(list.Push(first));
  EXPECT_FALSE(list.AnnounceSleep());
  EXPECT_FALSE(list.Push(second)) << "the consumer did not sleep";
}

// A consumer that sleeps as a job load does: on a condition variable.
class SleepingConsumer {
 public:
  void Push(Item& item) {
    if (!list_.Push(item)) return;
    { const std::lock_guard lock(mutex_); }
    woken_.notify_one();
  }

  template <typename Handle>
  size_t SleepAndTake(Handle handle) {
    if (list_.AnnounceSleep()) {
      ++sleeps_;
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [this] { return !list_.empty(); });
      list_.EndSleep();
    }
    return list_.TakeAll(handle);
  }

  uint64_t sleeps() const { return sleeps_.load(); }  // any thread

 private:
  ReadyList<Item> list_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::atomic<uint64_t> sleeps_{0};
};

constexpr int kProducers = 4;

TEST(ReadyListRaceTest, EachItemArrivesOnceWithWhatItsProducerWrote) {
  constexpr int kItemsPerProducer = 5'000;
  SleepingConsumer consumer;
  std::deque<Item> items;
  for (int i = 0; i < kProducers * kItemsPerProducer; ++i) items.emplace_back(i);
  std::vector<std::jthread> producers;
  for (int producer = 0; producer < kProducers; ++producer) {
    producers.emplace_back([&, producer] {
      for (int i = 0; i < kItemsPerProducer; ++i) {
        Item& item = items[static_cast<size_t>(producer * kItemsPerProducer + i)];
        item.written_before_push = item.id + 1;
        consumer.Push(item);
      }
    });
  }
  for (size_t taken = 0; taken < items.size();) {
    taken += consumer.SleepAndTake([](Item& item) {
      EXPECT_EQ(item.written_before_push, item.id + 1);
      ++item.handled;
    });
  }
  for (const Item& item : items) ASSERT_EQ(item.handled, 1u) << item.id;
}

// Items that are pushed again and again: the consumer sees the last value of each, however pushes
// and takes overlap. Every 64 pushes a producer waits until the consumer goes to sleep.
TEST(ReadyListRaceTest, NoPushIsLostWhenAnItemIsPushedAgain) {
  constexpr uint64_t kPushes = 20'000;
  SleepingConsumer consumer;
  std::deque<Item> items;
  for (int i = 0; i < kProducers; ++i) items.emplace_back(i);
  std::vector<std::jthread> producers;
  for (Item& item : items) {
    producers.emplace_back([&consumer, &item] {
      for (uint64_t push = 1; push <= kPushes; ++push) {
        const uint64_t sleeps_before = consumer.sleeps();
        item.pushed.store(push, std::memory_order_relaxed);
        consumer.Push(item);
        if (push % 64 != 0) continue;
        while (consumer.sleeps() == sleeps_before) std::this_thread::yield();
      }
    });
  }
  const auto all_seen = [&] {
    return std::all_of(items.begin(), items.end(),
                       [](const Item& item) { return item.seen == kPushes; });
  };
  while (!all_seen()) {
    consumer.SleepAndTake([](Item& item) {
      item.seen = item.pushed.load(std::memory_order_relaxed);
      ++item.handled;
    });
  }
  for (const Item& item : items) EXPECT_GT(item.handled, 1u) << "it was never pushed again";
  EXPECT_GE(consumer.sleeps(), kPushes / 64) << "no wake-up was tested";
}

}  // namespace
}  // namespace tools::load
