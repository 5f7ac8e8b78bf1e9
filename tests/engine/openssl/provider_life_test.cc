// Events around the provider's operations: wrong settings, contexts freed in flight, full rings, a
// broken card, no descriptors, fork, threads, edge-triggered epoll.
#include <dlfcn.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/engine/openssl/module.h"
#include "waitctx/base/sanitizers.h"

namespace tests {
namespace {

class ProviderLifeTest : public ::testing::TestWithParam<Way> {
 protected:
  // Sets GHOSTCARD_`name` for the next Load().
  void Set(const std::string& name, const std::string& value) {
    const std::string variable = "GHOSTCARD_" + name;
    ::setenv(variable.c_str(), value.c_str(), 1);
    set_.push_back(variable);
  }
  void SetConfig(const std::string& toml) {
    const std::string path = ::testing::TempDir() + "/card.toml";
    std::ofstream(path) << toml;
    Set("CONFIG", path);
  }
  void SetUp() override {
    // The default provider makes the key, so that making it does not depend on the card.
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_generate(context.get(), &key), 1);
    default_key_.reset(key);
  }
  void TearDown() override {
    for (const std::string& variable : set_) ::unsetenv(variable.c_str());
  }
  void Load() {
    module_ = std::make_unique<Module>();
    ASSERT_NE(module_->provider, nullptr) << Errors();
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(module_->context.get(), "RSA", nullptr));
    OSSL_PARAM* params = nullptr;
    EVP_PKEY* key = nullptr;
    ASSERT_EQ(EVP_PKEY_todata(default_key_.get(), EVP_PKEY_KEYPAIR, &params), 1);
    ASSERT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params), 1) << Errors();
    OSSL_PARAM_free(params);
    key_.reset(key);
  }
  // Signs with the provider's key. Returns 1 when the default provider verifies the signature.
  int SignOnce() {
    const PkeyContext context(
        EVP_PKEY_CTX_new_from_pkey(module_->context.get(), key_.get(), nullptr));
    unsigned char hash[32] = {1, 2, 3}, signature[256];
    size_t size = sizeof(signature);
    if (EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_sign(context.get(), signature, &size, hash, sizeof(hash)) != 1) {
      return 0;
    }
    const PkeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, default_key_.get(), nullptr));
    return EVP_PKEY_verify_init(check.get()) == 1 &&
           EVP_PKEY_verify(check.get(), signature, size, hash, sizeof(hash)) == 1;
  }
  void WaitUntilIdle() {
    while (module_->Counter("ghostcard-in-flight") != 0) std::this_thread::yield();
  }

  std::vector<std::string> set_;
  Pkey default_key_, key_;
  std::unique_ptr<Module> module_;
};

TEST_P(ProviderLifeTest, WrongSettingIsReportedAndTheProgramContinues) {
  for (const auto& [name, value, allowed] :
       {std::tuple{"PROFILE", "qat-9xxx", "qat-4xxx"},
        {"TRANSPORT", "pcie", "uring"},
        {"QUEUE_PAIRS", "0", "1 to 1024"},
        {"SEAD", "SEAD", "did you mean 'GHOSTCARD_SEED'?"},
        {"CONFIG", "/nowhere/card.toml", "/nowhere/card.toml"}}) {
    const std::string variable = std::string("GHOSTCARD_") + name;
    ::setenv(variable.c_str(), value, 1);
    const Module module;
    ::unsetenv(variable.c_str());
    EXPECT_EQ(module.provider, nullptr);
    const std::string errors = Errors();
    EXPECT_NE(errors.find(value), std::string::npos) << errors;
    EXPECT_NE(errors.find(allowed), std::string::npos) << errors;
    EXPECT_NE(errors.find("ghostcard::simulated card"), std::string::npos) << errors;
    EVP_MD* md = EVP_MD_fetch(module.context.get(), "SHA256", nullptr);
    EXPECT_NE(md, nullptr) << "the default provider must still work";
    EVP_MD_free(md);
  }
}

TEST_P(ProviderLifeTest, ContextFreedInFlightLeavesNothingInFlight) {
  // libcrypto leaks the job of such a context and everything on its stack: the key, the module. The
  // static pointer keeps it reachable, so that the leak checker does not report it.
  struct Leaked {
    std::vector<std::unique_ptr<AsyncJob>> jobs;
    Pkey key;
    std::unique_ptr<Module> module;
  };
  static auto* const all_leaked = new std::vector<std::unique_ptr<Leaked>>;
  Leaked* const leaked = all_leaked->emplace_back(std::make_unique<Leaked>()).get();
  SetConfig("transit = \"20ms\"\n");
  Load();
  for (int i = 0; i < 8; ++i) {
    auto job = std::make_unique<AsyncJob>(GetParam(), [this] { return SignOnce(); });
    ASSERT_TRUE(job->paused());
    job->context.reset();
    leaked->jobs.push_back(std::move(job));
  }
  EXPECT_EQ(module_->Counter("ghostcard-given-up"), 8u);
  WaitUntilIdle();
  EXPECT_EQ(module_->Counter("ghostcard-completions"), 8u);
  EXPECT_EQ(RunBy(GetParam(), [this] { return SignOnce(); }), 1) << Errors();
  leaked->key = std::move(key_);
  leaked->module = std::move(module_);
}

TEST_P(ProviderLifeTest, FullRingIsRetriedUntilThereIsSpace) {
  Set("DEPTH", "2");
  Set("QUEUE_PAIRS", "1");
  Load();
  constexpr int kJobs = 16;
  std::vector<std::unique_ptr<AsyncJob>> jobs;
  for (int i = 0; i < kJobs; ++i) {
    jobs.push_back(std::make_unique<AsyncJob>(GetParam(), [this] { return SignOnce(); }));
  }
  EXPECT_GT(module_->Counter("ghostcard-retries"), 0u);
  for (auto& job : jobs) EXPECT_EQ(job->Finish(), 1) << Errors();
  EXPECT_EQ(module_->Counter("ghostcard-requests"), kJobs);
}

TEST_P(ProviderLifeTest, BrokenCardIsReplacedBySoftware) {
  SetConfig("[[fault]]\nkind = \"submit_refused\"\nevery_nth = 1\n");
  Load();
  EXPECT_EQ(RunBy(GetParam(), [this] { return SignOnce(); }), 1) << Errors();
  EXPECT_EQ(module_->Counter("ghostcard-software"), 1u);
  EXPECT_EQ(module_->Counter("ghostcard-requests"), 0u);
}

// HAProxy removes every fd of the context from its tables, and aborts on an fd that it never added.
TEST_P(ProviderLifeTest, ContextOfAJobThatNeverPausedHasNoFd) {
  SetConfig("[[fault]]\nkind = \"submit_refused\"\nevery_nth = 1\n");
  Load();
  const AsyncJob job(GetParam(), [this] { return SignOnce(); });
  EXPECT_EQ(job.pauses(), 0);
  EXPECT_EQ(job.result(), 1) << Errors();
  EXPECT_EQ(ASYNC_WAIT_CTX_get_status(job.context.get()), ASYNC_STATUS_OK);
  size_t count = 99, added = 99, removed = 99;
  ASYNC_WAIT_CTX_get_all_fds(job.context.get(), nullptr, &count);
  EXPECT_EQ(count, 0u);
  ASYNC_WAIT_CTX_get_changed_fds(job.context.get(), nullptr, &added, nullptr, &removed);
  EXPECT_EQ(added, 0u);
  EXPECT_EQ(removed, 0u);
}

TEST_P(ProviderLifeTest, WithoutADescriptorAJobWithFdWaitsInPlace) {
  Set("COMPLETION", "inline");  // so that completions come only from the polls below
  Load();
  ASSERT_EQ(SignOnce(), 1);  // makes the card, which opens its descriptors
  const std::string file = std::string(Module::kFolder) + "/ghostcard.so";
  void* const module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(module, nullptr) << ::dlerror();
  const auto poll = reinterpret_cast<size_t (*)(size_t)>(::dlsym(module, "ghostcard_poll"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  AsyncJob job(GetParam(), [this] { return SignOnce(); });
  EXPECT_EQ(job.paused(), GetParam() == Way::kCallback);
  while (job.paused()) {
    if (poll(0) != 0) job.Step();
  }
  EXPECT_EQ(job.result(), 1);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ::dlclose(module);
  EXPECT_EQ(module_->Counter("ghostcard-requests"), 2u);
}

TEST_P(ProviderLifeTest, BrokenCardIsAnErrorWithoutSoftware) {
  SetConfig("[[fault]]\nkind = \"completion_error\"\nevery_nth = 1\n");
  Set("SOFTWARE_FALLBACK", "off");
  Load();
  EXPECT_EQ(RunBy(GetParam(), [this] { return SignOnce(); }), 0);
  EXPECT_NE(Errors().find("the card failed the request"), std::string::npos);
}

// Runs ten pieces of data through a digest, a MAC and a cipher. The card fails some of the pieces
// after it has done the work.
Bytes InPieces(OSSL_LIB_CTX* library, const char* properties, const char* cipher_name) {
  const Bytes piece = Pattern(2000), key = Pattern(32);
  const DigestContext digest(EVP_MD_CTX_new());
  const CipherContext cipher(EVP_CIPHER_CTX_new());
  EVP_MD* md = EVP_MD_fetch(library, "SHA256", properties);
  EVP_CIPHER* method = EVP_CIPHER_fetch(library, cipher_name, properties);
  EVP_MAC* hmac = EVP_MAC_fetch(library, "HMAC", properties);
  EVP_MAC_CTX* mac = EVP_MAC_CTX_new(hmac);
  char name[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", name, 0),
                               OSSL_PARAM_construct_end()};
  bool good = EVP_DigestInit_ex2(digest.get(), md, nullptr) == 1 &&
              EVP_EncryptInit_ex2(cipher.get(), method, key.data(), key.data(), nullptr) == 1 &&
              EVP_MAC_init(mac, key.data(), key.size(), params) == 1;
  Bytes out;
  int size = 0;
  for (int i = 0; i < 10 && good; ++i) {
    Bytes more(2032);
    good = EVP_DigestUpdate(digest.get(), piece.data(), piece.size()) == 1 &&
           EVP_MAC_update(mac, piece.data(), piece.size()) == 1 &&
           EVP_EncryptUpdate(cipher.get(), more.data(), &size, piece.data(), 2000) == 1;
    if (good) out.insert(out.end(), more.begin(), more.begin() + size);
  }
  Bytes ends(64);
  size_t mac_size = 0;
  good = good && EVP_DigestFinal_ex(digest.get(), ends.data(), nullptr) == 1 &&
         EVP_MAC_final(mac, ends.data() + 32, &mac_size, 32) == 1;
  out.insert(out.end(), ends.begin(), ends.end());
  EVP_MD_free(md);
  EVP_CIPHER_free(method);
  EVP_MAC_CTX_free(mac);
  EVP_MAC_free(hmac);
  return good ? out : Bytes();
}

TEST_P(ProviderLifeTest, WorkThatTheCardFailsRunsAgainFromItsStart) {
  for (const char* size : {"DIGEST", "MAC", "CBC", "GCM", "CTR", "CHACHA20_POLY1305"}) {
    Set(std::string("THRESHOLD_") + size, "1024");
  }
  SetConfig("[[fault]]\nkind = \"completion_error\"\nevery_nth = 4\n");
  Load();
  for (const char* name : {"AES-256-CBC", "AES-128-CTR", "AES-256-GCM", "ChaCha20-Poly1305"}) {
    OSSL_LIB_CTX* const library = module_->context.get();
    Bytes by_ghostcard;
    const auto work = [&] {
      by_ghostcard = InPieces(library, "?provider=ghostcard", name);
      return by_ghostcard.empty() ? 0 : 1;
    };
    EXPECT_EQ(RunBy(GetParam(), work), 1) << name << ": " << Errors();
    EXPECT_EQ(by_ghostcard, InPieces(library, "provider=default", name)) << name;
  }
  EXPECT_GT(module_->Counter("ghostcard-software"), 0u);
}

TEST_P(ProviderLifeTest, ChildHasACardOfItsOwn) {
  if (waitctx::kThreadSanitizer) {
    GTEST_SKIP() << "ThreadSanitizer ends a child that starts threads after a fork with threads";
  }
  Load();
  ASSERT_EQ(RunBy(GetParam(), [this] { return SignOnce(); }), 1) << Errors();
  const pid_t child = ::fork();
  if (child == 0) {
    const bool good = RunBy(GetParam(), [this] { return SignOnce(); }) == 1 &&
                      module_->Counter("ghostcard-requests") == 1;
    ::_exit(good ? 0 : 1);
  }
  EXPECT_EQ(RunBy(GetParam(), [this] { return SignOnce(); }), 1) << Errors();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(module_->Counter("ghostcard-requests"), 2u);
}

TEST_P(ProviderLifeTest, ManyThreadsShareTheCard) {
  Load();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 25; ++round) {
        good += RunBy(GetParam(), [this] { return SignOnce(); });
      }
      ASYNC_cleanup_thread();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 100);
}

TEST_P(ProviderLifeTest, OneContextServesManyPauses) {
  Load();
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  AsyncJob job(GetParam(), [this] {
    int good = 0;
    for (int i = 0; i < 20; ++i) good += SignOnce();
    return good;
  });
  if (GetParam() == Way::kFd) {  // edge-triggered, registered once
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = job.fd()}};
    ASSERT_EQ(::epoll_ctl(epoll, EPOLL_CTL_ADD, job.fd(), &event), 0);
  }
  while (job.paused()) {
    epoll_event event;
    if (GetParam() == Way::kFd) {
      ASSERT_EQ(::epoll_wait(epoll, &event, 1, -1), 1);
    } else {
      job.WaitUntilNotified();
    }
    job.Step();
  }
  EXPECT_EQ(job.result(), 20);
  ::close(epoll);
}

INSTANTIATE_TEST_SUITE_P(BothWays, ProviderLifeTest, ::testing::Values(Way::kFd, Way::kCallback),
                         WayName);

}  // namespace
}  // namespace tests
