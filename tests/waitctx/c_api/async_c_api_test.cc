// OpenSSL's names: calls on which OpenSSL crashes, and what the C API adds to C++. Linked with
// libcrypto, whose own ASYNC_* functions ours must replace.
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "waitctx/include/openssl/async.h"

namespace {

int PauseOnce(void*) {
  ASYNC_pause_job();
  return 9;
}

int Nothing(void*) { return 0; }

class AsyncCApiTest : public testing::Test {
 protected:
  void TearDown() override {
    ASYNC_WAIT_CTX_free(context_);
    ASYNC_cleanup_thread();
  }
  int Start(int (*function)(void*)) {
    return ASYNC_start_job(&job_, context_, &result_, function, nullptr, 0);
  }

  ASYNC_WAIT_CTX* context_ = ASYNC_WAIT_CTX_new();
  ASYNC_JOB* job_ = nullptr;
  int result_ = -777;
};

TEST_F(AsyncCApiTest, NullContextReturnsZero) {
  int fd = 3;
  size_t count = 3;
  void* data = &fd;
  ASYNC_callback_fn callback = &Nothing;
  EXPECT_EQ(ASYNC_WAIT_CTX_set_wait_fd(nullptr, &fd, 1, nullptr, nullptr), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_fd(nullptr, &fd, &fd, &data), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_all_fds(nullptr, &fd, &count), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_changed_fds(nullptr, &fd, &count, &fd, &count), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_clear_fd(nullptr, &fd), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_set_callback(nullptr, callback, nullptr), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_callback(nullptr, &callback, &data), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_set_status(nullptr, ASYNC_STATUS_OK), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_status(nullptr), 0);
  EXPECT_EQ(fd, 3);
  EXPECT_EQ(count, 3u);
  ASYNC_WAIT_CTX_free(nullptr);
}

TEST_F(AsyncCApiTest, NullOutPointerReturnsZero) {
  int fd = 3;
  size_t count = 3;
  void* data = &fd;
  ASYNC_callback_fn callback = nullptr;
  ASYNC_WAIT_CTX_set_wait_fd(context_, nullptr, 5, nullptr, nullptr);
  ASYNC_WAIT_CTX_set_callback(context_, &Nothing, nullptr);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_fd(context_, nullptr, nullptr, &data), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_fd(context_, nullptr, &fd, nullptr), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_all_fds(context_, &fd, nullptr), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_changed_fds(context_, &fd, nullptr, &fd, &count), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_changed_fds(context_, &fd, &count, &fd, nullptr), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_callback(context_, nullptr, &data), 0);
  EXPECT_EQ(ASYNC_WAIT_CTX_get_callback(context_, &callback, nullptr), 0);
  EXPECT_EQ(fd, 3);
}

TEST_F(AsyncCApiTest, StartWithoutItsPointersIsAnError) {
  EXPECT_EQ(ASYNC_start_job(nullptr, context_, &result_, &Nothing, nullptr, 0), ASYNC_ERR);
  EXPECT_EQ(ASYNC_start_job(&job_, context_, nullptr, &Nothing, nullptr, 0), ASYNC_ERR);
  EXPECT_EQ(Start(nullptr), ASYNC_ERR);
  EXPECT_EQ(job_, nullptr);
}

TEST_F(AsyncCApiTest, NullContextCanBePausedOn) {
  EXPECT_EQ(ASYNC_start_job(&job_, nullptr, &result_, &PauseOnce, nullptr, 0), ASYNC_PAUSE);
  EXPECT_EQ(ASYNC_get_wait_ctx(job_), nullptr);
  EXPECT_EQ(Start(nullptr), ASYNC_FINISH);
  EXPECT_EQ(result_, 9);
}

TEST_F(AsyncCApiTest, HandleThatFinishedIsAnErrorWithAReason) {
  ASSERT_EQ(Start(&PauseOnce), ASYNC_PAUSE);
  ASYNC_JOB* stale = job_;
  ASSERT_EQ(Start(nullptr), ASYNC_FINISH);
  ERR_clear_error();
  EXPECT_EQ(ASYNC_start_job(&stale, context_, &result_, &Nothing, nullptr, 0), ASYNC_ERR);
  const char* text = nullptr;
  int flags = 0;
  const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags);
  EXPECT_EQ(ERR_GET_LIB(code), ERR_LIB_ASYNC);
  EXPECT_NE(std::string(text).find("stale"), std::string::npos);
  EXPECT_EQ(ASYNC_get_wait_ctx(stale), nullptr);
}

TEST_F(AsyncCApiTest, ResumeOnAnotherThreadIsAnErrorAndTheJobGoesOn) {
  ASSERT_EQ(Start(&PauseOnce), ASYNC_PAUSE);
  std::thread([&] {
    EXPECT_EQ(Start(nullptr), ASYNC_ERR);
    const char* text = nullptr;
    int flags = 0;
    ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags);
    EXPECT_NE(std::string(text).find("thread"), std::string::npos);
  }).join();
  EXPECT_EQ(Start(nullptr), ASYNC_FINISH);
}

TEST_F(AsyncCApiTest, ContextFreedWhileItsJobIsPausedExistsUntilTheJobEnds) {
  static int cleaned;
  cleaned = 0;
  ASYNC_WAIT_CTX_set_wait_fd(context_, nullptr, 5, nullptr,
                             [](ASYNC_WAIT_CTX*, const void*, int, void*) { ++cleaned; });
  ASSERT_EQ(Start(&PauseOnce), ASYNC_PAUSE);
  ASYNC_WAIT_CTX_free(context_);
  EXPECT_EQ(cleaned, 1);
  context_ = nullptr;
  EXPECT_EQ(Start(nullptr), ASYNC_FINISH);
  EXPECT_EQ(cleaned, 1);
}

TEST_F(AsyncCApiTest, JobMayFreeItsOwnContextAndPauseAfterThat) {
  const auto frees = [](void*) {
    ASYNC_WAIT_CTX* own = ASYNC_get_wait_ctx(ASYNC_get_current_job());
    ASYNC_WAIT_CTX_free(own);
    ASYNC_WAIT_CTX_set_status(own, ASYNC_STATUS_OK);
    ASYNC_pause_job();
    return ASYNC_WAIT_CTX_get_status(own);
  };
  ASSERT_EQ(Start(frees), ASYNC_PAUSE);
  context_ = nullptr;
  ASSERT_EQ(Start(nullptr), ASYNC_FINISH);
  EXPECT_EQ(result_, ASYNC_STATUS_OK);
}

TEST_F(AsyncCApiTest, PoolOfImpossibleSizeIsAnError) {
  EXPECT_EQ(ASYNC_init_thread(1, 2), 0);
  EXPECT_EQ(ASYNC_init_thread(2, 1), 1);
  EXPECT_EQ(ASYNC_init_thread(3, 1), 1);
  EXPECT_EQ(ASYNC_is_capable(), 1);
}

TEST_F(AsyncCApiTest, LibraryContextFollowsTheJobAndTheCallersIsRestored) {
  static OSSL_LIB_CTX* of_job;
  of_job = OSSL_LIB_CTX_new();
  OSSL_LIB_CTX* of_caller = OSSL_LIB_CTX_new();
  OSSL_LIB_CTX* before = OSSL_LIB_CTX_set0_default(of_caller);
  const auto changes = [](void* args) {
    EXPECT_EQ(OSSL_LIB_CTX_set0_default(of_job), *static_cast<OSSL_LIB_CTX**>(args));
    for (int i = 0; i < 2; ++i) {
      ASYNC_pause_job();
      EXPECT_EQ(OSSL_LIB_CTX_set0_default(nullptr), of_job);
    }
    return 0;
  };
  int answer = ASYNC_start_job(&job_, context_, &result_, changes, &of_caller, sizeof(of_caller));
  EXPECT_EQ(answer, ASYNC_PAUSE);
  EXPECT_EQ(OSSL_LIB_CTX_set0_default(nullptr), of_caller);
  EXPECT_EQ(Start(nullptr), ASYNC_PAUSE);
  EXPECT_EQ(OSSL_LIB_CTX_set0_default(before), of_caller);
  EXPECT_EQ(Start(nullptr), ASYNC_FINISH);
  EXPECT_EQ(OSSL_LIB_CTX_set0_default(nullptr), before);
  OSSL_LIB_CTX_free(of_job);
  OSSL_LIB_CTX_free(of_caller);
}

}  // namespace
