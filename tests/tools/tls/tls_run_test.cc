#include "tools/tls/tls_run.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>

#include "tests/tools/tls/tls_test_identity.h"

namespace tools::tls {
namespace {

// Without a card no handshake pauses, with SSL_MODE_ASYNC or without.
class TlsRunTest : public testing::TestWithParam<std::tuple<TlsVersion, TlsKey, TlsNotify>> {
 protected:
  static TlsServerOptions Server() {
    const auto [version, key, notify] = GetParam();
    return {.version = version, .identity = Identity(key), .notify = notify};
  }
};

TEST_P(TlsRunTest, EveryHandshakeIsCompletedOnBothSides) {
  const auto run = RunTls(Server(), {.threads = 2, .concurrency = 16, .connections = 100});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->clients.handshakes, 100u) << run->clients.first_failure;
  EXPECT_EQ(run->clients.failed, 0u);
  EXPECT_EQ(run->clients.latencies_ns.size(), 100u);
  EXPECT_EQ(run->server.accepted, 100u);
  EXPECT_EQ(run->server.handshakes, 100u);
  EXPECT_EQ(run->server.unexpected, 0u) << run->server.first_failure;
  EXPECT_EQ(run->server.pauses, 0u);
}

TEST_P(TlsRunTest, EveryEchoEqualsWhatTheClientSent) {
  TlsServerOptions server = Server();
  server.echo_bytes = 40'000;
  const auto run = RunTls(server, {.concurrency = 4, .connections = 20});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->clients.handshakes, 20u) << run->clients.first_failure;
}

TEST_P(TlsRunTest, SessionsAreResumed) {
  TlsServerOptions server = Server();
  server.tickets = 1;
  const auto run = RunTls(server, {.concurrency = 1, .connections = 20, .resume = true});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->clients.handshakes, 20u) << run->clients.first_failure;
  EXPECT_EQ(run->clients.resumed, 19u);
  EXPECT_EQ(run->server.resumed, 19u);
}

TEST_P(TlsRunTest, ClientsPresentTheCertificateThatTheServerAsksFor) {
  TlsServerOptions server = Server();
  server.client = Identity(TlsKey::kEcdsaP256);
  const auto run = RunTls(server, {.concurrency = 4, .connections = 20});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->clients.handshakes, 20u) << run->clients.first_failure;
  EXPECT_EQ(run->server.unexpected, 0u) << run->server.first_failure;
}

TEST_P(TlsRunTest, ClientsThatDisconnectAreCountedAndDoNotAffectOthers) {
  const auto run = RunTls(
      Server(), {.concurrency = 16, .connections = 200, .abort_probability = 0.5, .seed = 7});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->clients.failed, 0u) << run->clients.first_failure;
  EXPECT_EQ(run->clients.handshakes + run->clients.aborted, 200u);
  EXPECT_GT(run->clients.aborted, 50u);
  EXPECT_EQ(run->server.accepted, 200u);
  EXPECT_GT(run->server.failed, 0u);
  EXPECT_EQ(run->server.unexpected, 0u) << run->server.first_failure;
}

TEST_P(TlsRunTest, MoreClientsThanConnectionsWaitToBeAccepted) {
  TlsServerOptions server = Server();
  server.connections_max = 2;
  const auto run = RunTls(server, {.concurrency = 16, .connections = 60});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->clients.handshakes, 60u) << run->clients.first_failure;
}

INSTANTIATE_TEST_SUITE_P(
    All, TlsRunTest,
    testing::Combine(testing::Values(TlsVersion::k12, TlsVersion::k13),
                     testing::Values(TlsKey::kRsa2048, TlsKey::kEcdsaP256),
                     testing::Values(TlsNotify::kNone, TlsNotify::kFd, TlsNotify::kCallback)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param) == TlsVersion::k12 ? "tls12" : "tls13") + "_" +
             std::string(TlsKeyName(std::get<1>(info.param))) + "_" +
             std::string(TlsNotifyName(std::get<2>(info.param)));
    });

TEST(TlsRunErrorTest, PropertiesThatNoProviderHasAreAnError) {
  TlsServerOptions server{.identity = Identity(TlsKey::kEcdsaP256)};
  server.properties = "provider=nobody";
  const auto run = RunTls(server, {.connections = 1});
  ASSERT_FALSE(run);
  EXPECT_NE(run.error().message.find("error:"), std::string::npos) << run.error().message;
}

}  // namespace
}  // namespace tools::tls
