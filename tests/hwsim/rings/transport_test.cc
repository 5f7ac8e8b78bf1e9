// The contract of Transport, for each kind. The test plays both sides: the host's (Push, Pop, Arm,
// Disarm) and the card's (Receive, Complete, Sleep).
#include "hwsim/rings/transport.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hwsim/base/fd.h"
#include "hwsim/rings/memory_transport.h"
#include "hwsim/rings/uring_transport.h"

namespace hwsim::rings {
namespace {

// A descriptor that stands for a number.
Descriptor Word(uint64_t number) { return Descriptor::FromWord(number << 4); }

class TransportTest : public ::testing::TestWithParam<TransportKind> {
 protected:
  void Open(uint32_t channels, uint32_t depth) {
    std::string note;
    auto transport = CreateTransport(GetParam(), channels, depth, &note);
    if (!transport) {
      SkipIfRefused(transport.error());
      return;
    }
    transport_ = std::move(*transport);
    for (uint32_t i = 0; i < channels; ++i) {
      auto channel = transport_->OpenChannel(i, depth);
      if (!channel) {
        SkipIfRefused(channel.error());
        return;
      }
      channels_.push_back(std::move(*channel));
    }
  }
  // A refusal by policy or by the limit on memory skips the test; anything else is a defect.
  static void SkipIfRefused(const Error& error) {
    const int refusal = error.error_number;
    ASSERT_TRUE(refusal == EPERM || refusal == ENOSYS || refusal == ENOMEM) << error.message;
    GTEST_SKIP() << error.message;
  }
  // Everything that has arrived.
  std::vector<Arrival> ReceiveAll() {
    std::vector<Arrival> all;
    std::array<Arrival, 100> some;
    while (const size_t count = transport_->Receive(some)) {
      all.insert(all.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(count));
    }
    return all;
  }
  std::vector<uint64_t> PopAll(Channel& channel) {
    std::vector<uint64_t> all;
    std::array<Descriptor, 48> some;
    while (const size_t count = channel.Pop(some)) {
      for (size_t i = 0; i < count; ++i) all.push_back(some[i].word() >> 4);
    }
    return all;
  }

  std::unique_ptr<Transport> transport_;
  std::vector<std::unique_ptr<Channel>> channels_;  // end before the transport
};

#define OPEN_OR_SKIP(channels, depth) \
  Open(channels, depth);              \
  if (IsSkipped() || HasFatalFailure()) return

TEST_P(TransportTest, WordsArriveInOrderWithTheirQueuePairAndComeBackInOrder) {
  OPEN_OR_SKIP(2, 8);
  const Descriptor first[] = {Word(1), Word(2)};
  const Descriptor second[] = {Word(3)};
  EXPECT_EQ(channels_[1]->Push(first), 2u);
  EXPECT_EQ(channels_[0]->Push(second), 1u);
  std::map<uint32_t, std::vector<uint64_t>> arrived;
  for (const Arrival& arrival : ReceiveAll()) {
    arrived[arrival.queue_pair].push_back(arrival.descriptor.word() >> 4);
  }
  EXPECT_EQ(arrived[0], (std::vector<uint64_t>{3}));
  EXPECT_EQ(arrived[1], (std::vector<uint64_t>{1, 2}));

  channels_[1]->Complete(first, true);
  EXPECT_EQ(PopAll(*channels_[0]), std::vector<uint64_t>{});
  EXPECT_EQ(PopAll(*channels_[1]), (std::vector<uint64_t>{1, 2}));
}

TEST_P(TransportTest, BatchBitTravels) {
  OPEN_OR_SKIP(1, 8);
  operations::Request request;
  const Descriptor descriptors[] = {Descriptor::Batch(request), Descriptor::One(request)};
  ASSERT_EQ(channels_[0]->Push(descriptors), 2u);
  const auto arrivals = ReceiveAll();
  ASSERT_EQ(arrivals.size(), 2u);
  EXPECT_TRUE(arrivals[0].descriptor.is_batch());
  EXPECT_FALSE(arrivals[1].descriptor.is_batch());
  EXPECT_EQ(arrivals[0].descriptor.request(), &request);
}

TEST_P(TransportTest, RingsWrapAround) {
  OPEN_OR_SKIP(1, 8);
  uint64_t sent = 0;
  uint64_t popped = 0;
  std::deque<Descriptor> on_card;
  for (uint64_t round = 0; round < 1000; ++round) {
    // Counts without a common factor with the size of the ring.
    for (uint64_t i = 0; i < 1 + round % 3; ++i) {
      if (sent - popped == 8) break;
      const Descriptor descriptor = Word(++sent);
      ASSERT_EQ(channels_[0]->Push(std::span(&descriptor, 1)), 1u);
    }
    for (const Arrival& arrival : ReceiveAll()) on_card.push_back(arrival.descriptor);
    while (on_card.size() > round % 4) {
      const Descriptor descriptor = on_card.front();
      on_card.pop_front();
      channels_[0]->Complete(std::span(&descriptor, 1), round % 2 == 0);
    }
    for (const uint64_t number : PopAll(*channels_[0])) ASSERT_EQ(number, ++popped);
  }
  EXPECT_GT(popped, 900u);
}

TEST_P(TransportTest, DeepestQueueFillsAndDrains) {
  constexpr uint32_t kDepth = 65536;
  OPEN_OR_SKIP(1, kDepth);
  std::vector<Descriptor> all;
  for (uint32_t i = 0; i < kDepth; ++i) all.push_back(Word(i + 1));
  ASSERT_EQ(channels_[0]->Push(all), kDepth);
  std::vector<Descriptor> arrived;
  for (const Arrival& arrival : ReceiveAll()) arrived.push_back(arrival.descriptor);
  ASSERT_EQ(arrived.size(), kDepth);
  channels_[0]->Complete(arrived, true);
  const auto popped = PopAll(*channels_[0]);
  ASSERT_EQ(popped.size(), kDepth);
  for (uint32_t i = 0; i < kDepth; ++i) ASSERT_EQ(popped[i], i + 1);
}

TEST_P(TransportTest, MoreInFlightThanTheCardsRingHoldsStillArrives) {
  constexpr uint32_t kDepth = 32768;
  OPEN_OR_SKIP(3, kDepth);
  std::vector<Descriptor> all;
  for (uint32_t i = 0; i < kDepth; ++i) all.push_back(Word(i + 1));
  for (const auto& channel : channels_) ASSERT_EQ(channel->Push(all), kDepth);
  std::array<uint64_t, 3> next{};
  for (const Arrival& arrival : ReceiveAll()) {
    ASSERT_EQ(arrival.descriptor.word() >> 4, ++next[arrival.queue_pair]);
  }
  EXPECT_EQ(next, (std::array<uint64_t, 3>{kDepth, kDepth, kDepth}));
}

TEST_P(TransportTest, LineRisesOnlyWhenArmedAndAsked) {
  OPEN_OR_SKIP(1, 8);
  Channel& channel = *channels_[0];
  const Descriptor descriptor = Word(1);
  const auto complete = [&](bool raise) { channel.Complete(std::span(&descriptor, 1), raise); };

  complete(true);
  EXPECT_FALSE(IsReadable(channel.interrupt_fd())) << "a channel starts disarmed";
  EXPECT_TRUE(channel.Arm()) << "completions wait";
  EXPECT_EQ(PopAll(channel).size(), 1u);
  EXPECT_FALSE(channel.Arm());
  complete(false);
  EXPECT_FALSE(IsReadable(channel.interrupt_fd())) << "moderated";
  channel.Raise();
  EXPECT_TRUE(IsReadable(channel.interrupt_fd()));
  channel.Disarm();
  EXPECT_FALSE(IsReadable(channel.interrupt_fd())) << "acknowledged";
  channel.Raise();
  complete(true);
  EXPECT_FALSE(IsReadable(channel.interrupt_fd())) << "disarmed";
  EXPECT_EQ(PopAll(channel).size(), 2u);
  EXPECT_FALSE(channel.Arm());
  complete(true);
  EXPECT_TRUE(IsReadable(channel.interrupt_fd()));
  channel.Disarm();
  EXPECT_FALSE(IsReadable(channel.interrupt_fd()));
  EXPECT_EQ(PopAll(channel).size(), 1u);
}

TEST_P(TransportTest, OneBatchRaisesTheLineOnce) {
  OPEN_OR_SKIP(1, 64);
  std::vector<Descriptor> all(50, Word(1));
  EXPECT_FALSE(channels_[0]->Arm());
  channels_[0]->Complete(all, true);
  uint64_t count = 0;
  ASSERT_EQ(::read(channels_[0]->interrupt_fd(), &count, sizeof count), 8);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(PopAll(*channels_[0]).size(), 50u);
}

TEST_P(TransportTest, ManyChannelsGetTheirTurn) {
  constexpr uint32_t kChannels = 130;  // more than two words of a bitmap
  OPEN_OR_SKIP(kChannels, 4);
  std::vector<int> turns(kChannels);
  const Descriptor descriptor = Word(1);
  for (int round = 0; round < 3; ++round) {
    for (const auto& channel : channels_) ASSERT_EQ(channel->Push(std::span(&descriptor, 1)), 1u);
  }
  // Few at a time: a receiver that always began at the first channel would starve the others.
  std::array<Arrival, 7> some;
  while (const size_t count = transport_->Receive(some)) {
    for (size_t i = 0; i < count; ++i) ++turns[some[i].queue_pair];
  }
  EXPECT_EQ(turns, std::vector<int>(kChannels, 3));
}

TEST_P(TransportTest, QuietChannelIsSeenAgain) {
  OPEN_OR_SKIP(70, 4);
  const Descriptor descriptor = Word(1);
  for (int round = 0; round < 5; ++round) {
    EXPECT_TRUE(ReceiveAll().empty());
    for (int look = 0; look < 500; ++look) ReceiveAll();
    ASSERT_EQ(channels_[69]->Push(std::span(&descriptor, 1)), 1u);
    EXPECT_EQ(ReceiveAll().size(), 1u);
  }
}

TEST_P(TransportTest, SleepEndsWithTimeWakeOrArrival) {
  OPEN_OR_SKIP(1, 4);
  transport_->Sleep(std::chrono::microseconds(10));
  transport_->Wake();
  transport_->Sleep(std::nullopt);  // returns: there was a Wake since the last Sleep
  const Descriptor descriptor = Word(1);
  ASSERT_EQ(channels_[0]->Push(std::span(&descriptor, 1)), 1u);
  transport_->Sleep(std::nullopt);
  EXPECT_EQ(ReceiveAll().size(), 1u);

  std::atomic<int> wakes{0};
  std::thread sleeper([&] {
    while (wakes.load() < 1000) transport_->Sleep(std::nullopt);
  });
  for (int i = 0; i < 1000; ++i) {
    wakes.fetch_add(1);
    transport_->Wake();
  }
  sleeper.join();
}

// One round trip at a time between a host and a card that both sleep: a wake-up lost on either side
// hangs the test.
TEST_P(TransportTest, NoWakeUpIsLost) {
  OPEN_OR_SKIP(2, 4);
  constexpr int kRounds = 3000;
  std::thread card([&] {
    std::array<Arrival, 4> some;
    for (int served = 0; served < 2 * kRounds;) {
      const size_t count = transport_->Receive(some);
      if (count == 0) transport_->Sleep(std::nullopt);
      for (size_t i = 0; i < count; ++i, ++served) {
        channels_[some[i].queue_pair]->Complete(std::span(&some[i].descriptor, 1), true);
      }
    }
  });
  const auto host = [&](uint32_t index) {
    Channel& channel = *channels_[index];
    for (uint64_t round = 1; round <= kRounds; ++round) {
      const Descriptor descriptor = Word(round);
      ASSERT_EQ(channel.Push(std::span(&descriptor, 1)), 1u);
      Descriptor back;
      while (channel.Pop(std::span(&back, 1)) == 0) {
        if (!channel.Arm()) {
          ASSERT_TRUE(IsReadable(channel.interrupt_fd(), std::chrono::seconds(60))) << "lost";
        }
        channel.Disarm();
      }
      ASSERT_EQ(back.word(), descriptor.word());
    }
  };
  std::thread other([&] { host(1); });
  host(0);
  other.join();
  card.join();
}

// Hands plain memory over in both directions; ThreadSanitizer reports a missing order.
TEST_P(TransportTest, WhatWasWrittenBeforeAPushIsVisibleAfterReceive) {
  OPEN_OR_SKIP(1, 64);
  constexpr uint64_t kCount = 20'000;
  struct Cell {
    uint64_t there = 0;
    uint64_t back = 0;
  };
  std::vector<Cell> cells(64);
  std::thread card([&] {
    std::array<Arrival, 32> some;
    std::array<Descriptor, 32> done;
    for (uint64_t served = 0; served < kCount;) {
      const size_t count = transport_->Receive(some);
      if (count == 0) transport_->Sleep(std::nullopt);
      for (size_t i = 0; i < count; ++i) {
        Cell& cell = cells[(some[i].descriptor.word() >> 4) % cells.size()];
        cell.back = cell.there + 1;
        done[i] = some[i].descriptor;
      }
      if (count != 0) channels_[0]->Complete(std::span(done).first(count), false);
      served += count;
    }
  });
  uint64_t sent = 0;
  uint64_t popped = 0;
  std::array<Descriptor, 32> some;
  while (popped < kCount) {
    if (sent < kCount && sent - popped < cells.size()) {
      cells[sent % cells.size()].there = sent;
      const Descriptor descriptor = Word(sent++);
      ASSERT_EQ(channels_[0]->Push(std::span(&descriptor, 1)), 1u);
    }
    const size_t count = channels_[0]->Pop(some);
    for (size_t i = 0; i < count; ++i, ++popped) {
      ASSERT_EQ(cells[popped % cells.size()].back, popped + 1);
    }
  }
  card.join();
}

INSTANTIATE_TEST_SUITE_P(Kinds, TransportTest,
                         ::testing::Values(TransportKind::kUring, TransportKind::kMemory),
                         [](const auto& info) {
                           return info.param == TransportKind::kUring ? "uring" : "memory";
                         });

}  // namespace
}  // namespace hwsim::rings
