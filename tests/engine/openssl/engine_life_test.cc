// Events around the ENGINE's operations: contexts freed in flight, full rings, cards that break and
// fail, fork, threads, engines bound twice and freed. Each test runs in a child process.
#include <openssl/rsa.h>

#include <thread>

#include "tests/engine/openssl/engine_fixture.h"
#include "waitctx/base/sanitizers.h"

namespace tests {
namespace {

class EngineLifeTest : public ::testing::TestWithParam<Way> {};

TEST_P(EngineLifeTest, ContextFreedInFlightLeavesNothingInFlight) {
  InProcess([] {
    // libcrypto leaks the job of such a context and everything on its stack. Static pointers keep
    // it reachable, so that the leak checker does not report it.
    static auto* const user = new EngineUser;
    static auto* const jobs = new std::vector<std::unique_ptr<AsyncJob>>;
    ASSERT_TRUE(user->module().Set("CONFIG", ConfigFile("transit = \"20ms\"\n").c_str()));
    user->Start();
    for (int i = 0; i < 8; ++i) {
      jobs->push_back(std::make_unique<AsyncJob>(GetParam(), user->Signing()));
      ASSERT_TRUE(jobs->back()->paused());
      jobs->back()->context.reset();
    }
    EXPECT_EQ(EngineModule::stats().given_up, 8u);
    while (EngineModule::stats().in_flight != 0) std::this_thread::yield();
    while (user->module().InFlight(1) != 0) std::this_thread::yield();
    EXPECT_EQ(EngineModule::stats().completions, 8u);
    EXPECT_EQ(RunBy(GetParam(), user->Signing()), 1) << Errors();
  });
}

TEST_P(EngineLifeTest, FullRingIsRetriedUntilThereIsSpace) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Set("DEPTH", "2"));
    ASSERT_TRUE(user.module().Set("QUEUE_PAIRS", "1"));
    user.Start();
    constexpr int kJobs = 16;
    std::vector<std::unique_ptr<AsyncJob>> jobs;
    for (int i = 0; i < kJobs; ++i) {
      jobs.push_back(std::make_unique<AsyncJob>(GetParam(), user.Signing()));
    }
    EXPECT_GT(EngineModule::stats().retries, 0u);
    for (auto& job : jobs) EXPECT_EQ(job->Finish(), 1) << Errors();
    EXPECT_EQ(EngineModule::stats().requests, static_cast<uint64_t>(kJobs));
  });
}

TEST_P(EngineLifeTest, BrokenCardIsAnErrorUnlessSoftwareMayTakeOver) {
  for (const bool fallback : {false, true}) {
    InProcess([fallback] {
      EngineUser user;
      ASSERT_TRUE(user.module().Set(
          "CONFIG", ConfigFile("[[fault]]\nkind = \"submit_refused\"\nevery_nth = 1\n").c_str()));
      EXPECT_TRUE(!fallback || user.module().Set("ENABLE_SW_FALLBACK"));
      user.Start();
      EXPECT_EQ(RunBy(GetParam(), user.Signing()), fallback ? 1 : 0);
      EXPECT_EQ(RunBy(GetParam(), [&] { return user.HashOnce(20'000); }), fallback ? 1 : 0);
      EXPECT_EQ(Errors().find("the card refused the request") == std::string::npos, fallback);
      EXPECT_EQ(EngineModule::stats().software, fallback ? 2u : 0u);
    });
  }
}

// Hashes, or encrypts below, a message in ten pieces. The card fails some of the pieces after it
// has done the work.
int HashInPieces(ENGINE* by, Bytes& out) {
  const DigestContext context(EVP_MD_CTX_new());
  const Bytes piece = Pattern(2000);
  unsigned int size = 0;
  out.resize(EVP_MAX_MD_SIZE);
  if (EVP_DigestInit_ex(context.get(), EVP_sha256(), by) != 1) return 0;
  for (int i = 0; i < 10; ++i) {
    if (EVP_DigestUpdate(context.get(), piece.data(), piece.size()) != 1) return 0;
  }
  return EVP_DigestFinal_ex(context.get(), out.data(), &size);
}

int EncryptInPieces(const EVP_CIPHER* cipher, ENGINE* by, Bytes& out) {
  const CipherContext context(EVP_CIPHER_CTX_new());
  const Bytes piece = Pattern(2000), key = Pattern(32);
  int size = 0;
  if (EVP_EncryptInit_ex(context.get(), cipher, by, key.data(), key.data()) != 1) return 0;
  for (int i = 0; i < 10; ++i) {
    Bytes more(2032);
    if (EVP_EncryptUpdate(context.get(), more.data(), &size, piece.data(), 2000) != 1) return 0;
    out.insert(out.end(), more.begin(), more.begin() + size);
  }
  return 1;
}

TEST_P(EngineLifeTest, WorkThatTheCardFailsRunsAgainFromItsStart) {
  for (const bool by_card : {false, true}) {
    InProcess([by_card] {
      EngineUser user;
      ASSERT_TRUE(user.module().Set(
          "CONFIG", ConfigFile("[[fault]]\nkind = \"completion_error\"\nevery_nth = 3\n").c_str()));
      for (const char* name :
           {"THRESHOLD_DIGEST", "THRESHOLD_CBC", "THRESHOLD_GCM", "THRESHOLD_CHACHA20_POLY1305"}) {
        ASSERT_TRUE(user.module().Set(name, "1024"));
      }
      if (by_card) {
        ASSERT_TRUE(user.module().Set("ATTEMPTS_MAX", "2"));
      } else {
        ASSERT_TRUE(user.module().Set("ENABLE_SW_FALLBACK"));
      }
      user.Start();
      Bytes by_engine, by_libcrypto;
      EXPECT_EQ(RunBy(GetParam(), [&] { return HashInPieces(user.module().get(), by_engine); }), 1)
          << Errors();
      ASSERT_EQ(HashInPieces(nullptr, by_libcrypto), 1);
      EXPECT_EQ(by_engine, by_libcrypto);
      for (const EVP_CIPHER* cipher :
           {EVP_aes_256_cbc(), EVP_aes_256_gcm(), EVP_chacha20_poly1305()}) {
        by_engine.clear(), by_libcrypto.clear();
        EXPECT_EQ(RunBy(GetParam(),
                        [&] { return EncryptInPieces(cipher, user.module().get(), by_engine); }),
                  1)
            << Errors();
        ASSERT_EQ(EncryptInPieces(cipher, nullptr, by_libcrypto), 1);
        EXPECT_EQ(by_engine, by_libcrypto);
      }
      EXPECT_EQ(EngineModule::stats().software > 0, !by_card);
    });
  }
}

TEST_P(EngineLifeTest, DigestIsUnchangedAfterAnUpdateThatWasGivenUp) {
  InProcess([] {
    EngineUser user;
    ASSERT_TRUE(user.module().Set(
        "CONFIG", ConfigFile("[[fault]]\nkind = \"response_dropped\"\nnth = 2\n").c_str()));
    ASSERT_TRUE(user.module().Set("TIME_LIMIT_MS", "2000"));
    ASSERT_TRUE(user.module().Set("THRESHOLD_DIGEST", "1024"));
    user.Start();
    Bytes by_engine(32);
    const Bytes piece = Pattern(2000);
    EXPECT_EQ(RunBy(GetParam(),
                    [&] {
                      const DigestContext context(EVP_MD_CTX_new());
                      EVP_DigestInit_ex(context.get(), EVP_sha256(), user.module().get());
                      const auto add = [&] {
                        return EVP_DigestUpdate(context.get(), piece.data(), piece.size());
                      };
                      const int first = add(), given_up = add(), last = add();
                      return first == 1 && given_up == 0 && last == 1 &&
                             EVP_DigestFinal_ex(context.get(), by_engine.data(), nullptr) == 1;
                    }),
              1);
    EXPECT_NE(Errors().find("did not answer within"), std::string::npos);
    Bytes twice = piece, by_libcrypto(32);
    twice.insert(twice.end(), piece.begin(), piece.end());
    EVP_Digest(twice.data(), twice.size(), by_libcrypto.data(), nullptr, EVP_sha256(), nullptr);
    EXPECT_EQ(by_engine, by_libcrypto);
  });
}

TEST_P(EngineLifeTest, ChildHasACardOfItsOwn) {
  if (waitctx::kThreadSanitizer) {
    GTEST_SKIP() << "ThreadSanitizer ends a child that starts threads after a fork with threads";
  }
  InProcess([] {
    EngineUser user;
    user.Start();
    ASSERT_EQ(RunBy(GetParam(), user.Signing()), 1) << Errors();
    AsyncJob in_flight(GetParam(), user.Signing());  // stays with the parent
    const pid_t child = ::fork();
    if (child == 0) {
      const bool good = user.module().InFlight(1) == 0 && RunBy(GetParam(), user.Signing()) == 1 &&
                        EngineModule::stats().requests == 1 && user.module().InFlight(1) == 0;
      ::_exit(good ? 0 : 1);
    }
    EXPECT_EQ(in_flight.Finish(), 1) << Errors();
    EXPECT_EQ(RunBy(GetParam(), user.Signing()), 1) << Errors();
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(EngineModule::stats().requests, 3u);
    EXPECT_EQ(user.module().InFlight(1), 0);
  });
}

TEST_P(EngineLifeTest, ManyThreadsShareTheCard) {
  InProcess([] {
    EngineUser user;
    user.Start();
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 25; ++round) {
          good += RunBy(GetParam(), user.Signing());
          good += RunBy(GetParam(), [&] { return user.HashOnce(20'000); });
          user.module().Command("SET_INTERNAL_POLL_INTERVAL", 10'000 + round);
        }
        ASYNC_cleanup_thread();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 200);
  });
}

// libcrypto frees its state when the process ends; the card's threads must not use it then.
TEST_P(EngineLifeTest, ProcessEndsWithWorkOnTheCard) {
  for (int round = 0; round < 10; ++round) {
    InProcess([] {
      static auto* const user = new EngineUser;
      static auto* const jobs = new std::vector<std::unique_ptr<AsyncJob>>;
      user->Start();
      for (int i = 0; i < 16; ++i) {
        jobs->push_back(std::make_unique<AsyncJob>(GetParam(), user->Signing()));
      }
    });
  }
}

TEST_P(EngineLifeTest, KeyWorksAfterItsEngineIsFreed) {
  InProcess([] {
    RSA* rsa = nullptr;
    {
      EngineUser user;
      user.Start();
      {
        EngineModule other;  // bound and freed
      }
      EXPECT_EQ(RunBy(GetParam(), user.Signing()), 1) << Errors();
      rsa = RSA_new_method(user.module().get());
    }
    BIGNUM* const e = BN_new();
    BN_set_word(e, RSA_F4);
    ASSERT_EQ(RSA_generate_key_ex(rsa, 2048, e, nullptr), 1) << Errors();
    const unsigned char hash[32] = {1};
    unsigned char signature[256];
    unsigned int size = 0;
    EXPECT_EQ(
        RunBy(GetParam(), [&] { return RSA_sign(NID_sha256, hash, 32, signature, &size, rsa); }),
        1);
    BN_free(e);
    RSA_free(rsa);
    EngineUser again;  // a new binding uses the same card
    again.Start();
    EXPECT_EQ(RunBy(GetParam(), again.Signing()), 1) << Errors();
  });
}

INSTANTIATE_TEST_SUITE_P(BothWays, EngineLifeTest, ::testing::Values(Way::kFd, Way::kCallback),
                         WayName);

}  // namespace
}  // namespace tests
