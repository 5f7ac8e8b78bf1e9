// A hundred thousand handshakes on the card, with clients that disconnect: memory use does not
// grow, and no request stays in flight. SOAK_HANDSHAKES: another number of connections.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/tools/tls/tls_card_checks.h"
#include "tools/tls/tls_card.h"
#include "tools/tls/tls_run.h"

namespace tools::tls {
namespace {

constexpr uint64_t kBatch = 5000;

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t pages = 0;
  uint64_t resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(TlsSoakTest, HandshakesWithRandomAbortsLeaveNothing) {
  const char* const wanted = std::getenv("SOAK_HANDSHAKES");
  const uint64_t connections = wanted == nullptr ? 100'000 : std::strtoull(wanted, nullptr, 10);
  auto card = LoadCard({.card = {.execution_threads = 2}, .profile = "ideal"});
  ASSERT_TRUE(card) << card.error().message;
  const auto identity = TlsIdentity::Create(TlsKey::kRsa2048);
  ASSERT_TRUE(identity) << identity.error().message;

  uint64_t handshakes = 0;
  uint64_t aborted = 0;
  uint64_t resident_at_first = 0;
  for (uint64_t batch = 0; batch * kBatch < connections; ++batch) {
    // The four combinations of version and notification take turns.
    const TlsServerOptions server{.library = card->get(),
                                  .properties = "?provider=ghostcard",
                                  .version = batch % 4 < 2 ? TlsVersion::k13 : TlsVersion::k12,
                                  .identity = *identity,
                                  .notify = batch % 2 == 0 ? TlsNotify::kFd : TlsNotify::kCallback};
    const auto run = RunTls(
        server,
        {.concurrency = 128, .connections = kBatch, .abort_probability = 0.3, .seed = batch + 1});
    ASSERT_TRUE(run) << run.error().message;
    ASSERT_EQ(run->clients.failed, 0u) << run->clients.first_failure;
    ASSERT_EQ(run->server.unexpected, 0u) << run->server.first_failure;
    ASSERT_EQ(run->server.handshakes + run->server.failed, run->server.accepted);
    ASSERT_TRUE(AllRequestsComeBack());
    handshakes += run->clients.handshakes;
    aborted += run->clients.aborted;
    if (batch == 3) resident_at_first = ResidentBytes();  // each kind has run once
    std::printf("%llu handshakes, %llu aborted, resident %llu KiB\n",
                static_cast<unsigned long long>(handshakes),
                static_cast<unsigned long long>(aborted),
                static_cast<unsigned long long>(ResidentBytes() / 1024));
  }
  const uint64_t completions = CardCounter(card->get(), "ghostcard-completions");
  EXPECT_EQ(completions, CardCounter(card->get(), "ghostcard-requests"));
  std::printf("%llu requests on the card, all completed\n",
              static_cast<unsigned long long>(completions));
  // A leak of 80 bytes for each of 100,000 handshakes would exceed this.
  EXPECT_LT(ResidentBytes(), resident_at_first + 8 * 1024 * 1024);
}

}  // namespace
}  // namespace tools::tls
