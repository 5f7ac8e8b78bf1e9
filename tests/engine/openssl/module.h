// What tests of the provider and of the ENGINE share: the loaded provider, and ways to run work.
#ifndef GHOSTCARD_TESTS_ENGINE_OPENSSL_MODULE_H_
#define GHOSTCARD_TESTS_ENGINE_OPENSSL_MODULE_H_

#include <gtest/gtest.h>
#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <poll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "hwsim/operations/libcrypto.h"

namespace tests {

using hwsim::operations::CipherContext;
using hwsim::operations::DigestContext;
using hwsim::operations::Freer;
using hwsim::operations::PkeyContext;
using Pkey = hwsim::operations::PkeyPtr;
using LibraryContext = std::unique_ptr<OSSL_LIB_CTX, Freer<OSSL_LIB_CTX_free>>;
using WaitContext = std::unique_ptr<ASYNC_WAIT_CTX, Freer<ASYNC_WAIT_CTX_free>>;
using Bytes = std::vector<unsigned char>;

inline Bytes Pattern(size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), static_cast<unsigned char>(size));
  return bytes;
}

// Empties this thread's error queue. Returns its text, a line for each error.
inline std::string Errors() {
  std::string text;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    char line[256];
    ERR_error_string_n(code, line, sizeof(line));
    text +=
        std::string(line) + ((flags & ERR_TXT_STRING) != 0 ? std::string(":") + data : "") + "\n";
  }
  return text;
}

// A library context that prefers the ghostcard provider. `provider` is null when it did not load.
class Module {
 public:
  static constexpr char kFolder[] = "engine/openssl/provider";
  Module() : context(OSSL_LIB_CTX_new()) {
    OSSL_PROVIDER_set_default_search_path(context.get(), kFolder);
    default_provider = OSSL_PROVIDER_load(context.get(), "default");
    provider = OSSL_PROVIDER_load(context.get(), "ghostcard");
    EVP_set_default_properties(context.get(), "?provider=ghostcard");
  }
  ~Module() {
    if (provider != nullptr) OSSL_PROVIDER_unload(provider);
    if (default_provider != nullptr) OSSL_PROVIDER_unload(default_provider);
  }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  uint64_t Counter(const char* name) const {
    uint64_t value = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_uint64(name, &value), OSSL_PARAM_construct_end()};
    EXPECT_EQ(OSSL_PROVIDER_get_params(provider, params), 1);
    return value;
  }

  LibraryContext context;
  OSSL_PROVIDER* default_provider = nullptr;
  OSSL_PROVIDER* provider = nullptr;
};

// How work runs: in plain code, or in a job that is notified by fd or by callback.
enum class Way { kPlain, kFd, kCallback };
inline std::string WayName(const ::testing::TestParamInfo<Way>& info) {
  switch (info.param) {
    case Way::kPlain:
      return "Plain";
    case Way::kFd:
      return "Fd";
    case Way::kCallback:
      return "Callback";
  }
  return "";
}

inline int CallFunction(void* args) { return (**static_cast<std::function<int()>**>(args))(); }

// A job and its wait context. The constructor starts the job; Step() resumes it.
//
// Threads: one. The callback may come from any thread.
class AsyncJob {
 public:
  AsyncJob(Way way, std::function<int()> function)
      : context(ASYNC_WAIT_CTX_new()), function_(std::move(function)) {
    if (way == Way::kCallback) {
      ASYNC_WAIT_CTX_set_callback(
          context.get(),
          [](void* self) {
            static_cast<AsyncJob*>(self)->notified_.store(true, std::memory_order_release);
            static_cast<AsyncJob*>(self)->notified_.notify_one();
            return 1;
          },
          this);
    }
    by_callback_ = way == Way::kCallback;
    Step();
  }
  AsyncJob(const AsyncJob&) = delete;
  AsyncJob& operator=(const AsyncJob&) = delete;

  bool paused() const { return status_ == ASYNC_PAUSE; }
  int result() const { return status_ == ASYNC_FINISH ? result_ : -1; }
  int pauses() const { return pauses_; }

  void WaitUntilNotified() {
    if (by_callback_) {
      notified_.wait(false, std::memory_order_acquire);
      notified_.store(false, std::memory_order_relaxed);
      return;
    }
    pollfd entry{.fd = fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&entry, 1, -1), 1);
  }
  void Step() {
    std::function<int()>* const args = &function_;
    status_ = ASYNC_start_job(&job_, context.get(), &result_, &CallFunction,
                              const_cast<std::function<int()>**>(&args), sizeof(args));
    if (status_ == ASYNC_PAUSE) ++pauses_;
  }
  int Finish() {
    while (paused()) {
      WaitUntilNotified();
      Step();
    }
    return result();
  }
  int fd() const {
    size_t count = 0;
    ASYNC_WAIT_CTX_get_all_fds(context.get(), nullptr, &count);
    EXPECT_EQ(count, 1u);
    int one = -1;
    if (count == 1) ASYNC_WAIT_CTX_get_all_fds(context.get(), &one, &count);
    return one;
  }

  WaitContext context;

 private:
  std::function<int()> function_;
  bool by_callback_ = false;
  std::atomic<bool> notified_{false};
  ASYNC_JOB* job_ = nullptr;
  int result_ = -1;
  int status_ = ASYNC_ERR;
  int pauses_ = 0;
};

// Runs `work` in the given way. Returns its result.
inline int RunBy(Way way, std::function<int()> work) {
  if (way == Way::kPlain) return work();
  AsyncJob job(way, std::move(work));
  return job.Finish();
}

}  // namespace tests

#endif  // GHOSTCARD_TESTS_ENGINE_OPENSSL_MODULE_H_
