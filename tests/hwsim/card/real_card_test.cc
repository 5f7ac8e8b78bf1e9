// RealCard: real time, options, and threads of its own.
#include "hwsim/card/real_card.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deque>
#include <thread>

#include "waitctx/base/sanitizers.h"

namespace hwsim::card {
namespace {

std::string Refusal(RealCard::Options options) {
  auto card = RealCard::Create(std::move(options));
  return card ? "created" : card.error().message;
}

TEST(RealCardTest, OptionsOutOfBoundsAreRefusedWithASentence) {
  EXPECT_NE(Refusal({.queue_pairs = 0}).find("queue_pairs: 0; 1 to 64"), std::string::npos);
  EXPECT_NE(Refusal({.queue_pairs = 65}).find("queue_pairs: 65; 1 to 64"), std::string::npos);
  EXPECT_NE(Refusal({.depth = 32769}).find("depth: 32769; 1 to 32768"), std::string::npos);
  EXPECT_NE(Refusal({.execution_threads = 65}).find("execution_threads: 65"), std::string::npos);
  model::Profile profile;
  profile.service_units = 0;
  EXPECT_NE(Refusal({.profile = profile}), "created");
}

TEST(RealCardTest, RequestTakesAsLongAsTheModelSaysAndTheWorkTogether) {
  model::Profile profile;
  profile.cost(operations::OperationKind::kNull).service.base = std::chrono::milliseconds(2);
  auto card = RealCard::Create({.profile = profile, .transport = rings::TransportKind::kMemory});
  ASSERT_TRUE(card);
  std::array<operations::Request, 2> requests;
  requests[1].execute = [](operations::Request&) noexcept { return true; };
  for (operations::Request& request : requests) {
    ASSERT_EQ((*card)->queue_pairs()[0]->Submit(request), operations::SubmitStatus::kOk);
  }
  std::array<operations::Request*, 2> popped;
  size_t count = 0;
  while (count < 2) count += (*card)->queue_pairs()[0]->PopCompleted(popped);
  for (const operations::Request& request : requests) {
    EXPECT_EQ(request.due - request.arrived, std::chrono::milliseconds(2));
    EXPECT_GE(request.completed, request.due);
  }
  const Card::Stats stats = (*card)->stats();
  EXPECT_EQ(stats.completed, 2u);
  EXPECT_GE(stats.lateness_total, stats.lateness_max);
  EXPECT_GE(stats.lateness_max, requests[0].completed - requests[0].due);
}

TEST(RealCardTest, TimePassesByItselfAndAnyThreadMayPoll) {
  auto card = RealCard::Create({.transport = rings::TransportKind::kMemory});
  ASSERT_TRUE(card);
  EXPECT_EQ((*card)->time_driver(), nullptr);
  EXPECT_FALSE((*card)->single_threaded());
}

TEST(RealCardTest, AutoSaysWhyItDidNotTakeUring) {
  auto card = RealCard::Create({.transport = rings::TransportKind::kAuto});
  ASSERT_TRUE(card);
  EXPECT_EQ((*card)->transport_name() == "uring", (*card)->transport_note().empty());
}

// The first rings open and later ones do not: then the whole card uses the memory transport.
TEST(RealCardTest, AutoFallsBackWhenDescriptorsRunOutHalfway) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Enough for the memory transport, which needs one per queue pair; io_uring needs two.
    const rlimit limit{.rlim_cur = 60, .rlim_max = 60};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    auto card = RealCard::Create({.queue_pairs = 40, .transport = rings::TransportKind::kAuto});
    const bool fell_back = card && (*card)->transport_name() == "memory" &&
                           (*card)->transport_note().find("EMFILE") != std::string::npos;
    const bool refused = card && (*card)->transport_note().starts_with("io_uring refused");
    ::_exit(fell_back || refused ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(RealCardTest, NoDescriptorsAtAllIsAnErrorNotACrash) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit{.rlim_cur = 3, .rlim_max = 3};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    auto card = RealCard::Create({.transport = rings::TransportKind::kAuto});
    ::_exit(!card && card.error().error_number == EMFILE ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

// A server that forks its workers: each child creates a card of its own.
TEST(RealCardTest, ForkedChildMakesACardOfItsOwn) {
  if (waitctx::kThreadSanitizer) {
    GTEST_SKIP() << "ThreadSanitizer ends a child that starts threads after a fork with threads";
  }
  auto parent = RealCard::Create({});
  ASSERT_TRUE(parent);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto card = RealCard::Create({});
    operations::Request request;
    std::array<operations::Request*, 1> popped;
    bool done = card && (*card)->queue_pairs()[0]->Submit(request) == operations::SubmitStatus::kOk;
    while (done && (*card)->queue_pairs()[0]->PopCompleted(popped) == 0) continue;
    card->reset();
    parent->reset();
    ::_exit(done ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace hwsim::card
