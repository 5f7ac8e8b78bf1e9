// WaitContext on one thread: a test for each rule of the header.
#include "waitctx/wait_context.h"

#include <vector>

#include "gtest/gtest.h"

namespace waitctx {
namespace {

const void* Key(uintptr_t number) { return reinterpret_cast<const void*>(number); }

std::vector<int> AllFds(const WaitContext& context) {
  std::vector<int> fds(context.wait_fd_count());
  EXPECT_EQ(context.CopyWaitFds(fds), fds.size());
  return fds;
}

struct Changes {
  std::vector<int> added;
  std::vector<int> removed;
  bool operator==(const Changes&) const = default;
};

Changes ChangedFds(const WaitContext& context) {
  const WaitContext::ChangeCounts counts = context.changed_fd_counts();
  Changes changes{std::vector<int>(counts.added), std::vector<int>(counts.removed)};
  context.CopyChangedFds(changes.added, changes.removed);
  return changes;
}

struct Cleaned {
  std::vector<int> fds;
};

void RecordCleanup(async_wait_ctx_st*, const void*, int fd, void* data) {
  static_cast<Cleaned*>(data)->fds.push_back(fd);
}

int NoCallback(void*) { return 0; }

class WaitContextTest : public testing::Test {
 protected:
  WaitContextRef context_ = WaitContext::Create();
  Cleaned cleaned_;
};

TEST_F(WaitContextTest, NewContextIsEmpty) {
  EXPECT_EQ(context_->wait_fd_count(), 0u);
  EXPECT_EQ(ChangedFds(*context_), Changes());
  EXPECT_EQ(context_->status(), 0);
  EXPECT_FALSE(context_->callback());
  EXPECT_FALSE(context_->closed());
}

TEST_F(WaitContextTest, FdsAreListedNewestFirst) {
  for (int fd = 1; fd <= 20; ++fd) ASSERT_TRUE(context_->SetWaitFd(Key(fd), fd, nullptr, nullptr));
  const std::vector<int> fds = AllFds(*context_);
  ASSERT_EQ(fds.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(fds[i], 20 - i);
}

TEST_F(WaitContextTest, SameKeyTwiceIsTwoEntriesAndTheNewestCounts) {
  int a, b;
  context_->SetWaitFd(Key(1), 10, &a, nullptr);
  context_->SetWaitFd(Key(1), 11, &b, nullptr);
  EXPECT_EQ(context_->GetWaitFd(Key(1))->fd, 11);
  EXPECT_EQ(context_->GetWaitFd(Key(1))->data, &b);
  EXPECT_TRUE(context_->ClearWaitFd(Key(1)));
  EXPECT_EQ(context_->GetWaitFd(Key(1))->fd, 10);
  EXPECT_EQ(context_->GetWaitFd(Key(1))->data, &a);
}

TEST_F(WaitContextTest, SameFdUnderTwoKeysIsListedTwice) {
  context_->SetWaitFd(Key(1), 10, nullptr, nullptr);
  context_->SetWaitFd(Key(2), 10, nullptr, nullptr);
  EXPECT_EQ(AllFds(*context_), (std::vector<int>{10, 10}));
}

TEST_F(WaitContextTest, NullKeyAndMinusOneAreValid) {
  context_->SetWaitFd(nullptr, -1, nullptr, nullptr);
  ASSERT_TRUE(context_->GetWaitFd(nullptr));
  EXPECT_EQ(context_->GetWaitFd(nullptr)->fd, -1);
  EXPECT_EQ(AllFds(*context_), (std::vector<int>{-1}));
}

TEST_F(WaitContextTest, UnknownAndRemovedKeysAreNotFound) {
  EXPECT_FALSE(context_->GetWaitFd(Key(1)));
  EXPECT_FALSE(context_->ClearWaitFd(Key(1)));
  context_->SetWaitFd(Key(1), 10, nullptr, nullptr);
  context_->ResetChanges();
  EXPECT_TRUE(context_->ClearWaitFd(Key(1)));
  EXPECT_FALSE(context_->GetWaitFd(Key(1)));
  EXPECT_FALSE(context_->ClearWaitFd(Key(1)));
}

TEST_F(WaitContextTest, ClearingAnFdJustAddedLeavesNoTrace) {
  context_->SetWaitFd(Key(1), 10, nullptr, nullptr);
  context_->ClearWaitFd(Key(1));
  EXPECT_EQ(ChangedFds(*context_), Changes());
  EXPECT_EQ(context_->wait_fd_count(), 0u);
}

TEST_F(WaitContextTest, ClearingAnOlderFdIsReportedAndHidesIt) {
  context_->SetWaitFd(Key(1), 10, nullptr, nullptr);
  context_->SetWaitFd(Key(2), 20, nullptr, nullptr);
  context_->ResetChanges();
  context_->ClearWaitFd(Key(1));
  EXPECT_EQ(ChangedFds(*context_), (Changes{{}, {10}}));
  EXPECT_EQ(AllFds(*context_), (std::vector<int>{20}));
  context_->ResetChanges();
  EXPECT_EQ(ChangedFds(*context_), Changes());
  EXPECT_EQ(AllFds(*context_), (std::vector<int>{20}));
}

TEST_F(WaitContextTest, LookingAtChangesDoesNotConsumeThem) {
  context_->SetWaitFd(Key(1), 10, nullptr, nullptr);
  EXPECT_EQ(ChangedFds(*context_), ChangedFds(*context_));
  EXPECT_EQ(ChangedFds(*context_), (Changes{{10}, {}}));
}

TEST_F(WaitContextTest, KeyRemovedAndAddedAgainIsInBothLists) {
  context_->SetWaitFd(Key(1), 10, nullptr, nullptr);
  context_->ResetChanges();
  context_->ClearWaitFd(Key(1));
  context_->SetWaitFd(Key(1), 10, nullptr, nullptr);
  EXPECT_EQ(ChangedFds(*context_), (Changes{{10}, {10}}));
}

TEST_F(WaitContextTest, AnEmptySpanIsSkipped) {
  context_->SetWaitFd(Key(1), 10, nullptr, nullptr);
  context_->ResetChanges();
  context_->ClearWaitFd(Key(1));
  context_->SetWaitFd(Key(2), 20, nullptr, nullptr);
  int fd = -7;
  context_->CopyChangedFds({&fd, 1}, {});
  EXPECT_EQ(fd, 20);
  context_->CopyChangedFds({}, {&fd, 1});
  EXPECT_EQ(fd, 10);
}

TEST_F(WaitContextTest, CloseCleansUpNewestFirstAndSkipsRemovedOnes) {
  for (int fd = 1; fd <= 6; ++fd) context_->SetWaitFd(Key(fd), fd, &cleaned_, &RecordCleanup);
  context_->ResetChanges();
  context_->ClearWaitFd(Key(3));
  context_->Close();
  EXPECT_EQ(cleaned_.fds, (std::vector<int>{6, 5, 4, 2, 1}));
  EXPECT_TRUE(context_->closed());
  context_->Close();
  context_ = WaitContextRef();
  EXPECT_EQ(cleaned_.fds.size(), 5u);
}

TEST_F(WaitContextTest, TheLastReferenceCleansUpWhatWasAddedAfterClose) {
  WaitContextRef second = context_;
  context_->Close();
  context_ = WaitContextRef();
  second->SetWaitFd(Key(1), 10, &cleaned_, &RecordCleanup);
  EXPECT_TRUE(cleaned_.fds.empty());
  second = WaitContextRef();
  EXPECT_EQ(cleaned_.fds, (std::vector<int>{10}));
}

TEST_F(WaitContextTest, CloseAndResetDoesBoth) {
  context_->SetWaitFd(Key(1), 10, &cleaned_, &RecordCleanup);
  context_.CloseAndReset();
  EXPECT_FALSE(context_);
  EXPECT_EQ(cleaned_.fds, (std::vector<int>{10}));
  context_.CloseAndReset();
}

TEST_F(WaitContextTest, CleanupSeesAClosedContextAndMayClearTheRest) {
  static int calls;
  calls = 0;
  const auto clear_other = [](async_wait_ctx_st* of_cleanup, const void*, int, void*) {
    auto* context = static_cast<WaitContext*>(of_cleanup);
    ++calls;
    EXPECT_TRUE(context->closed());
    EXPECT_TRUE(context->ClearWaitFd(Key(1)));
  };
  context_->SetWaitFd(Key(1), 10, &cleaned_, &RecordCleanup);
  context_->SetWaitFd(Key(2), 20, nullptr, clear_other);
  context_.CloseAndReset();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(cleaned_.fds.empty());
}

TEST_F(WaitContextTest, AnyStatusIsStoredAsGiven) {
  for (int status : {1, 2, 3, 17, -5, 0}) {
    context_->set_status(status);
    EXPECT_EQ(context_->status(), status);
  }
  context_->set_status(Status::kAgain);
  EXPECT_EQ(context_->status(), 3);
}

TEST_F(WaitContextTest, ASecondCallbackReplacesTheFirstAndNoneIsAccepted) {
  int a;
  context_->SetCallback({&NoCallback, &a});
  EXPECT_EQ(context_->callback().argument, &a);
  context_->SetCallback({&NoCallback, nullptr});
  EXPECT_EQ(context_->callback().argument, nullptr);
  context_->SetCallback({});
  EXPECT_FALSE(context_->callback());
}

TEST_F(WaitContextTest, PinShowsTheCallbackUntilClosed) {
  context_->SetCallback({&NoCallback, this});
  {
    WaitContext::Pin pin(*context_);
    EXPECT_TRUE(pin);
    EXPECT_EQ(pin.callback().argument, this);
  }
  context_->Close();
  WaitContext::Pin pin(*context_);
  EXPECT_FALSE(pin);
  EXPECT_FALSE(pin.callback());
}

TEST_F(WaitContextTest, OwnPinsHoldUpNeitherCloseNorSetCallback) {
  WaitContextRef other = WaitContext::Create();
  WaitContext::Pin outer(*context_);
  WaitContext::Pin between(*other);
  WaitContext::Pin inner(*context_);
  context_->SetCallback({&NoCallback, this});
  other->Close();
  context_->Close();
  EXPECT_TRUE(context_->closed());
}

}  // namespace
}  // namespace waitctx
