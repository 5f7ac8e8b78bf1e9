// EngineFixture: an engine with a scripted card, inline completion and one thread: nothing happens
// that the test did not do.
#ifndef GHOSTCARD_TESTS_ENGINE_ENGINE_FIXTURE_H_
#define GHOSTCARD_TESTS_ENGINE_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "engine/engine.h"
#include "hwsim/base/fd.h"
#include "hwsim/testing/scripted_card.h"
#include "waitctx/job.h"

namespace engine {

using hwsim::operations::CompletionStatus;
using hwsim::testing::ScriptedCard;
using hwsim::testing::ScriptedChannel;
using waitctx::Fibre;
using waitctx::WaitContext;
using waitctx::WaitContextRef;

using NullOperation = Operation<hwsim::operations::Null>;

inline bool Readable(int fd) { return hwsim::IsReadable(fd); }

// The one wait fd of a context; -1: it has none.
inline int WaitFdOf(const WaitContext& context) {
  EXPECT_LE(context.wait_fd_count(), 1u);
  int fd = -1;
  if (context.wait_fd_count() == 1) context.CopyWaitFds(std::span(&fd, 1));
  return fd;
}

inline constexpr int kOk = static_cast<int>(Outcome::kOk);
inline constexpr int kRefused = static_cast<int>(Outcome::kRefused);
inline constexpr int kTimedOut = static_cast<int>(Outcome::kTimedOut);
inline constexpr int kCancelled = static_cast<int>(Outcome::kCancelled);
inline constexpr int kStatusOk = static_cast<int>(waitctx::Status::kOk);
inline constexpr int kStatusAgain = static_cast<int>(waitctx::Status::kAgain);
inline constexpr int kStatusError = static_cast<int>(waitctx::Status::kError);

struct CallbackCount {
  int calls = 0;
  std::function<void()> then;
  WaitContext::Callback callback() {
    return {[](void* self) {
              auto* count = static_cast<CallbackCount*>(self);
              ++count->calls;
              if (count->then) count->then();
              return 1;
            },
            this};
  }
};

class EngineFixture : public ::testing::Test {
 protected:
  void Make(uint32_t depth, Engine::Options options = {}, hwsim::faults::FaultPlan faults = {}) {
    auto card = std::make_unique<ScriptedCard>(depth, faults);
    card_ = card.get();
    channel_ = &card->channel();
    options.completion = hwsim::completion::CompletionMode::kInline;
    engine_ = Engine::Create(std::move(card), options).value();
  }
  void TearDown() override {
    if (engine_ == nullptr) return;
    while (channel_->CompleteOne()) {
    }
    engine_->Poll();
    const Engine::Stats stats = engine_->stats();
    EXPECT_EQ(stats.accepted, stats.succeeded + stats.failed);
    EXPECT_EQ(engine_->in_flight(), 0u);
  }

  void CompleteOneAndPoll(CompletionStatus status = CompletionStatus::kOk) {
    ASSERT_TRUE(channel_->CompleteOne(status));
    ASSERT_EQ(engine_->Poll(), 1u);
  }
  // A job that runs one null operation and returns its outcome.
  auto RunNull(RunOptions options = {}) {
    return [this, options] {
      NullOperation operation;
      return static_cast<int>(engine_->Run(operation, options));
    };
  }
  // Lets the card get on with its work until `job` has finished, which it does with kOk.
  void Finish(Fibre& job) {
    for (int turns = 0; job.paused() && turns < 100; ++turns) {
      channel_->CompleteOne();
      engine_->Poll();
      static_cast<void>(job.Resume());
    }
    EXPECT_EQ(job.status(), waitctx::JobStatus::kFinished);
    EXPECT_EQ(job.result(), kOk);
  }
  static int Result(const Fibre& fibre) { return fibre.result(); }

  ScriptedCard* card_ = nullptr;
  ScriptedChannel* channel_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

}  // namespace engine

#endif  // GHOSTCARD_TESTS_ENGINE_ENGINE_FIXTURE_H_
