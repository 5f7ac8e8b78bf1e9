// The engine on real cards, with threads of its own: every transport, completion mode, notification
// and retry policy, past the depth of the queue pair, with cancels, deadlines and contexts closed
// in flight. Nothing may be lost, told twice, or told after the end.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "hwsim/card/real_card.h"
#include "tools/load/job_load.h"
#include "waitctx/base/sanitizers.h"
#include "waitctx/job.h"

namespace engine {
namespace {

using hwsim::completion::CompletionMode;
using hwsim::rings::TransportKind;
using tools::load::Notify;
using waitctx::Fibre;
using waitctx::WaitContext;

constexpr uint64_t kScale = waitctx::kAddressSanitizer || waitctx::kThreadSanitizer ? 1 : 5;

struct Setup {
  TransportKind transport;
  CompletionMode completion;
  Notify notify;
  RetryPolicy retry;
};

std::string SetupName(const ::testing::TestParamInfo<Setup>& info) {
  std::string name = info.param.transport == TransportKind::kUring ? "Uring" : "Memory";
  for (const std::string_view part :
       {hwsim::completion::CompletionModeName(info.param.completion),
        tools::load::NotifyName(info.param.notify), RetryPolicyName(info.param.retry)}) {
    name += "_";
    name += part;
  }
  return name;
}

class EngineStressTest : public ::testing::TestWithParam<Setup> {
 protected:
  // Null when io_uring is refused: the test is skipped then.
  std::unique_ptr<Engine> MakeEngine(uint32_t depth, hwsim::model::Profile profile = {}) {
    auto card = hwsim::card::RealCard::Create(
        {.profile = std::move(profile), .depth = depth, .transport = GetParam().transport});
    if (!card) {
      EXPECT_EQ(GetParam().transport, TransportKind::kUring) << card.error().message;
      return nullptr;
    }
    return Engine::Create(std::move(*card), {.completion = GetParam().completion,
                                             .retry = GetParam().retry,
                                             .callback_when_space = true})
        .value();
  }
  static void ExpectCountsAddUp(const Engine& engine) {
    const Engine::Stats stats = engine.stats();
    EXPECT_EQ(stats.accepted, stats.succeeded + stats.failed + engine.in_flight());
  }
};

TEST_P(EngineStressTest, NothingIsLostAtFourTimesTheDepth) {
  auto engine = MakeEngine(8);
  if (engine == nullptr) GTEST_SKIP() << "io_uring refused";
  const auto operations =
      tools::load::OperationFactory::Create(hwsim::operations::OperationKind::kNull, 0).value();
  const uint64_t requests = 2000 * kScale;
  const auto result = tools::load::RunJobLoad(
      *engine, operations,
      {.notify = GetParam().notify, .concurrency = 32, .requests = requests, .progress = {}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->finished, requests);
  EXPECT_EQ(result->ok, requests);
  EXPECT_EQ(result->err, 0u);
  ExpectCountsAddUp(*engine);
  EXPECT_EQ(engine->stats().accepted, requests);
}

TEST_P(EngineStressTest, RealWorkHasItsResults) {
  auto engine = MakeEngine(8);
  if (engine == nullptr) GTEST_SKIP() << "io_uring refused";
  const auto operations =
      tools::load::OperationFactory::Create(hwsim::operations::OperationKind::kSha256, 256).value();
  const uint64_t requests = 200 * kScale;
  const auto result = tools::load::RunJobLoad(
      *engine, operations,
      {.notify = GetParam().notify, .concurrency = 16, .requests = requests, .progress = {}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->ok, requests);
  ExpectCountsAddUp(*engine);
}

// Jobs on one thread that are resumed without a notification, while another thread cancels at
// random.
TEST_P(EngineStressTest, CancelsAndDeadlinesRaceWithCompletions) {
  hwsim::model::Profile profile;
  profile.transit = {.distribution = hwsim::model::LatencyModel::Distribution::kExponential,
                     .base = std::chrono::microseconds(30)};
  auto engine = MakeEngine(8, profile);
  if (engine == nullptr) GTEST_SKIP() << "io_uring refused";
  constexpr size_t kJobs = 24;
  const uint64_t rounds = 20 * kScale;

  std::vector<std::unique_ptr<Operation<hwsim::operations::Null>>> operations;
  for (size_t i = 0; i < kJobs; ++i)
    operations.push_back(std::make_unique<Operation<hwsim::operations::Null>>());
  std::atomic<bool> over{false};
  std::thread canceller([&] {
    std::minstd_rand random(7);
    while (!over.load(std::memory_order_relaxed)) {
      engine->Cancel(*operations[random() % kJobs]);
      std::this_thread::yield();
    }
  });
  uint64_t done = 0, given_up = 0, busy = 0;
  for (uint64_t round = 0; round < rounds; ++round) {
    std::deque<Fibre> jobs;
    for (size_t i = 0; i < kJobs; ++i) {
      auto context = WaitContext::Create();
      if (GetParam().notify == Notify::kCallback) {
        context->SetCallback({[](void*) { return 0; }, nullptr});
      }
      jobs.emplace_back(std::move(context), [&, i] {
        RunOptions options;
        if (i % 3 == 0) options.time_limit = std::chrono::microseconds(20);
        return static_cast<int>(engine->Run(*operations[i], options));
      });
    }
    for (bool paused = true; paused;) {
      paused = false;
      if (engine->Poll() == 0) std::this_thread::yield();
      for (Fibre& job : jobs) {
        if (job.paused()) static_cast<void>(job.Resume());
        paused = paused || job.paused();
      }
    }
    for (const Fibre& job : jobs) {
      const auto outcome = static_cast<Outcome>(job.result());
      if (outcome == Outcome::kOk) {
        ++done;
      } else if (outcome == Outcome::kBusy) {
        ++busy;
      } else {
        EXPECT_TRUE(outcome == Outcome::kCancelled || outcome == Outcome::kTimedOut)
            << OutcomeName(outcome);
        ++given_up;
      }
    }
  }
  over = true;
  canceller.join();
  while (engine->in_flight() > 0) {
    engine->Poll();
    std::this_thread::yield();
  }
  const Engine::Stats stats = engine->stats();
  EXPECT_EQ(done + given_up + busy, rounds * kJobs);
  EXPECT_EQ(stats.cancelled + stats.timed_out, given_up);
  EXPECT_LE(stats.late, given_up);
  ExpectCountsAddUp(*engine);
}

// The application frees contexts while completions are on their way.
TEST_P(EngineStressTest, ContextsClosedInFlightAreNeverToldAfterwards) {
  auto engine = MakeEngine(16);
  if (engine == nullptr) GTEST_SKIP() << "io_uring refused";
  const uint64_t rounds = 200 * kScale;
  for (uint64_t round = 0; round < rounds; ++round) {
    struct Listener {
      std::atomic<bool> closed{false};
      std::atomic<int> too_late{0};
    } listener;
    auto context = WaitContext::Create();
    if (GetParam().notify == Notify::kCallback) {
      context->SetCallback({[](void* argument) {
                              auto* self = static_cast<Listener*>(argument);
                              if (self->closed.load()) self->too_late.fetch_add(1);
                              return 0;
                            },
                            &listener});
    }
    Fibre job(context, [&] {
      Operation<hwsim::operations::Null> operation;
      return static_cast<int>(engine->Run(operation));
    });
    context->Close();
    listener.closed = true;
    while (job.paused()) {
      if (engine->Poll() == 0) std::this_thread::yield();
      static_cast<void>(job.Resume());
    }
    EXPECT_EQ(job.result(), static_cast<int>(Outcome::kOk));
    EXPECT_EQ(listener.too_late.load(), 0);
  }
  ExpectCountsAddUp(*engine);
}

TEST_P(EngineStressTest, SynchronousCallersOnManyThreads) {
  auto engine = MakeEngine(4);
  if (engine == nullptr) GTEST_SKIP() << "io_uring refused";
  const uint64_t each = 50 * kScale;
  std::atomic<uint64_t> ok{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      Operation<hwsim::operations::Null> operation;
      for (uint64_t n = 0; n < each; ++n) {
        if (engine->Run(operation) == Outcome::kOk) ok.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ok.load(), 6 * each);
  ExpectCountsAddUp(*engine);
}

TEST_P(EngineStressTest, JobsOnManyThreads) {
  auto engine = MakeEngine(8);
  if (engine == nullptr) GTEST_SKIP() << "io_uring refused";
  const auto operations =
      tools::load::OperationFactory::Create(hwsim::operations::OperationKind::kNull, 0).value();
  const uint64_t requests = 300 * kScale;
  std::atomic<uint64_t> ok{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      const auto result = tools::load::RunJobLoad(
          *engine, operations,
          {.notify = GetParam().notify, .concurrency = 8, .requests = requests, .progress = {}});
      if (result) ok.fetch_add(result->ok);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ok.load(), 3 * requests);
  ExpectCountsAddUp(*engine);
}

// Not under tsan, which does not follow threads across a fork; nor under asan, whose allocator has
// locks that a child inherits locked for good if another thread just held them, even one that only
// starts (glibc lets go of its own across a fork).
#if !defined(GHOSTCARD_ASAN) && !defined(GHOSTCARD_TSAN)
TEST_P(EngineStressTest, ForkedChildIsRefusedAndTheParentGoesOn) {
  auto engine = MakeEngine(8);
  if (engine == nullptr) GTEST_SKIP() << "io_uring refused";
  auto context = WaitContext::Create();
  Operation<hwsim::operations::Null> operation;
  Fibre in_flight(context, [&] { return static_cast<int>(engine->Run(operation)); });
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A run of the child's own, and the one that it has a copy of.
    Operation<hwsim::operations::Null> own;
    bool right = engine->Run(own) == Outcome::kRefused;
    if (in_flight.paused()) {
      right = right && in_flight.Resume() == waitctx::JobStatus::kFinished &&
              in_flight.result() == static_cast<int>(Outcome::kRefused);
    }
    engine.reset();
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  while (in_flight.paused()) {
    engine->Poll();
    static_cast<void>(in_flight.Resume());
  }
  EXPECT_EQ(in_flight.result(), static_cast<int>(Outcome::kOk));
  EXPECT_EQ(engine->Run(operation), Outcome::kOk);
}

TEST_P(EngineStressTest, ForkedChildMakesAnEngineOfItsOwn) {
  auto engine = MakeEngine(8);
  if (engine == nullptr) GTEST_SKIP() << "io_uring refused";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    bool right = false;
    {
      auto own = MakeEngine(8);
      Operation<hwsim::operations::Null> operation;
      right = own != nullptr && own->Run(operation) == Outcome::kOk;
    }
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}
#endif

std::vector<Setup> AllSetups() {
  std::vector<Setup> setups;
  for (const auto transport : {TransportKind::kUring, TransportKind::kMemory}) {
    for (const auto completion :
         {CompletionMode::kInterrupt, CompletionMode::kPolling, CompletionMode::kInline}) {
      for (const auto notify : {Notify::kFd, Notify::kCallback}) {
        for (const auto retry : {RetryPolicy::kWhenSpace, RetryPolicy::kImmediate}) {
          setups.push_back({transport, completion, notify, retry});
        }
      }
    }
  }
  return setups;
}

INSTANTIATE_TEST_SUITE_P(EveryWay, EngineStressTest, ::testing::ValuesIn(AllSetups()), SetupName);

}  // namespace
}  // namespace engine
