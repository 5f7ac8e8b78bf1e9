// TLS servers with hundreds of handshakes on the card at a time, with wait fds (level and edge
// triggered) and with callbacks.
#include "tools/tls/tls_card.h"

#include <gtest/gtest.h>
#include <openssl/async.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <tuple>
#include <utility>

#include "tests/tools/tls/tls_card_checks.h"
#include "tests/tools/tls/tls_test_identity.h"
#include "tools/tls/tls_run.h"
#include "waitctx/base/sanitizers.h"

#if defined(GHOSTCARD_ASAN)
#include <sanitizer/lsan_interface.h>
#endif

namespace tools::tls {
namespace {

enum class Told { kFd, kFdEdge, kCallback };

class TlsCardTest : public testing::TestWithParam<std::tuple<TlsVersion, TlsKey, Told>> {
 protected:
  void TearDown() override {
    // The card still completes requests whose connections were freed.
    EXPECT_TRUE(AllRequestsComeBack());
  }
  // Gives this test its own card.
  void UseCard(const TlsCardOptions& options) {
    auto card = LoadCard(options);
    ASSERT_TRUE(card) << card.error().message;
    library_ = std::move(*card);
  }
  void UseCard() { UseCard({.card = {.execution_threads = 2}, .profile = "ideal"}); }

  TlsServerOptions Server() const {
    const auto [version, key, told] = GetParam();
    return {.library = library_.get(),
            .properties = "?provider=ghostcard",
            .version = version,
            .identity = Identity(key),
            .notify = told == Told::kCallback ? TlsNotify::kCallback : TlsNotify::kFd,
            .edge_triggered = told == Told::kFdEdge};
  }
  TlsRunResult Run(TlsServerOptions server, TlsClientsOptions clients) {
    auto run = RunTls(std::move(server), std::move(clients));
    EXPECT_TRUE(run) << run.error().message;
    if (!run) return {};
    EXPECT_EQ(run->clients.failed, 0u) << run->clients.first_failure;
    EXPECT_EQ(run->server.unexpected, 0u) << run->server.first_failure;
    EXPECT_EQ(run->server.handshakes + run->server.failed + run->server.freed_in_flight,
              run->server.accepted);
    return *run;
  }
  // A counter of the provider, for example "ghostcard-requests".
  uint64_t Counter(const char* name) const { return CardCounter(library_.get(), name); }

  LibraryPtr library_;
};

TEST_P(TlsCardTest, HundredsOfHandshakesAtATimePauseAndEnd) {
  // Only the server polls for completions, between jobs: none arrives before its job has paused.
  UseCard({.card = {.execution_threads = 2},
           .profile = "ideal",
           .completion = hwsim::completion::CompletionMode::kInline});
  TlsServerOptions server = Server();
  server.poll_card = [] { ghostcard_poll(0); };
  const auto run = Run(server, {.threads = 2, .concurrency = 256, .connections = 300});
  EXPECT_EQ(run.clients.handshakes, 300u);
  EXPECT_EQ(run.server.handshakes, 300u);
  EXPECT_GE(run.server.pauses, 300u);
  EXPECT_EQ(Counter("ghostcard-completions"), Counter("ghostcard-requests"));
  EXPECT_GE(Counter("ghostcard-requests"), 3 * 300u);  // a key, a secret and a signature each
  EXPECT_EQ(Counter("ghostcard-software"), 0u);
}

TEST_P(TlsCardTest, EchoesOfConnectionsThatTheCardEncryptsAreWhole) {
  ::setenv("GHOSTCARD_THRESHOLD_GCM", "1024", 1);
  UseCard();
  ::unsetenv("GHOSTCARD_THRESHOLD_GCM");
  TlsServerOptions server = Server();
  server.echo_bytes = 40'000;
  const auto run = Run(server, {.concurrency = 16, .connections = 60});
  EXPECT_EQ(run.clients.handshakes, 60u);
  EXPECT_GE(Counter("ghostcard-requests"), 60 * (3 + 4u));  // and records of 16 KiB at the most
}

TEST_P(TlsCardTest, KeysAreExchangedInSoftwareWhereThatIsSet) {
  ::setenv("GHOSTCARD_KEY_EXCHANGE", "off", 1);
  UseCard();
  ::unsetenv("GHOSTCARD_KEY_EXCHANGE");
  const auto run = Run(Server(), {.concurrency = 16, .connections = 50});
  EXPECT_EQ(run.clients.handshakes, 50u);
  EXPECT_EQ(Counter("ghostcard-requests"), 50u);  // the signatures
}

TEST_P(TlsCardTest, SessionsAreResumed) {
  UseCard();
  TlsServerOptions server = Server();
  server.tickets = 1;
  const auto run = Run(server, {.concurrency = 1, .connections = 20, .resume = true});
  EXPECT_EQ(run.clients.resumed, 19u);
  EXPECT_EQ(run.server.resumed, 19u);
}

TEST_P(TlsCardTest, CertificatesOfClientsAreCheckedOnTheCard) {
  UseCard();
  TlsServerOptions server = Server();
  server.client = Identity(TlsKey::kEcdsaP256);
  const auto run = Run(server, {.concurrency = 32, .connections = 100});
  EXPECT_EQ(run.clients.handshakes, 100u);
  EXPECT_GE(Counter("ghostcard-requests"), 4 * 100u);
}

TEST_P(TlsCardTest, ClientsThatDisconnectDoNotAffectOthers) {
  UseCard();
  const auto run = Run(
      Server(),
      {.threads = 2, .concurrency = 128, .connections = 300, .abort_probability = 0.5, .seed = 7});
  EXPECT_EQ(run.clients.handshakes + run.clients.aborted, 300u);
  EXPECT_GT(run.clients.aborted, 75u);
  EXPECT_EQ(run.server.freed_in_flight, 0u);
}

// libssl leaks the job of each such connection, and what its stack refers to: the leak sanitizer
// must not report that. The thread's pool is emptied first, so that it contains no job of another
// test.
class LeaksOfLibssl {
 public:
#if defined(GHOSTCARD_ASAN)
  LeaksOfLibssl() {
    ASYNC_cleanup_thread();
    __lsan_disable();
  }
  ~LeaksOfLibssl() { __lsan_enable(); }
#else
  LeaksOfLibssl() {}
  ~LeaksOfLibssl() {}
#endif
  LeaksOfLibssl(const LeaksOfLibssl&) = delete;
  LeaksOfLibssl& operator=(const LeaksOfLibssl&) = delete;
};

TEST_P(TlsCardTest, ConnectionsFreedWhileTheyWaitAreGivenUp) {
  // A card slow enough that clients disconnect while it works.
  UseCard({.card = {.execution_threads = 2}, .profile = "qat-4xxx"});
  TlsServerOptions server = Server();
  server.free_at_once = true;
  const LeaksOfLibssl expected;
  const auto run = Run(
      server,
      {.threads = 2, .concurrency = 128, .connections = 200, .abort_probability = 0.5, .seed = 3});
  EXPECT_EQ(run.clients.handshakes + run.clients.aborted, 200u);
  EXPECT_GT(run.server.freed_in_flight, 0u);
  EXPECT_TRUE(AllRequestsComeBack());
  EXPECT_EQ(Counter("ghostcard-completions"), Counter("ghostcard-requests"));
}

TEST_P(TlsCardTest, HandshakesCompleteAlthoughTheRingWasFull) {
  UseCard({.card = {.depth = 2, .execution_threads = 2},
           .profile = "ideal",
           .completion = hwsim::completion::CompletionMode::kInline});
  // No completion is polled before the ring was full, so it fills at any speed of the two sides.
  TlsServerOptions server = Server();
  server.poll_card = [this] {
    if (Counter("ghostcard-retries") != 0) ghostcard_poll(0);
  };
  const auto run = Run(server, {.concurrency = 128, .connections = 200});
  EXPECT_EQ(run.clients.handshakes, 200u);
  EXPECT_GT(run.server.again, 0u);
  EXPECT_GT(Counter("ghostcard-retries"), 0u);
  EXPECT_EQ(Counter("ghostcard-completions"), Counter("ghostcard-requests"));
}

TEST_P(TlsCardTest, CardThatFailsAtTimesFailsNoHandshake) {
  const std::string path = testing::TempDir() + "/faulty_card.toml";
  std::ofstream(path) << "name = \"faulty\"\n"
                         "source = \"made up\"\n"
                         "queue_pairs_max = 2\n"
                         "depth = 64\n"
                         "engines = 64\n"
                         "[[fault]]\n"
                         "kind = \"completion_error\"\n"
                         "every_nth = 5\n";
  UseCard({.card = {.execution_threads = 2}, .config = path});
  const auto run = Run(Server(), {.concurrency = 64, .connections = 200});
  EXPECT_EQ(run.clients.handshakes, 200u);
  EXPECT_GE(Counter("ghostcard-software"), 100u);  // every fifth of at least 600 requests
}

constexpr const char* kToldNames[] = {"fd", "fd_edge", "callback"};

INSTANTIATE_TEST_SUITE_P(
    All, TlsCardTest,
    testing::Combine(testing::Values(TlsVersion::k12, TlsVersion::k13),
                     testing::Values(TlsKey::kRsa2048, TlsKey::kEcdsaP256),
                     testing::Values(Told::kFd, Told::kFdEdge, Told::kCallback)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param) == TlsVersion::k12 ? "tls12" : "tls13") + "_" +
             std::string(TlsKeyName(std::get<1>(info.param))) + "_" +
             kToldNames[static_cast<int>(std::get<2>(info.param))];
    });

}  // namespace
}  // namespace tools::tls
