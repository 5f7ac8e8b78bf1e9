// EngineModule: the ENGINE, bound in this process as OpenSSL's loader binds it. InProcess: runs a
// test in a child process, because a process can set the ENGINE up only once.
#ifndef GHOSTCARD_TESTS_ENGINE_OPENSSL_ENGINE_MODULE_H_
#define GHOSTCARD_TESTS_ENGINE_OPENSSL_ENGINE_MODULE_H_

#include <openssl/engine.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "engine/openssl/engine/module.h"
#include "tests/engine/openssl/module.h"

extern "C" int bind_engine(ENGINE* e, const char* id, const dynamic_fns* fns);

namespace tests {

class EngineModule {
 public:
  EngineModule() : engine_(ENGINE_new()) {
    dynamic_fns functions{};
    functions.static_state = ENGINE_get_static_state();
    EXPECT_EQ(bind_engine(engine_, "ghostcard", &functions), 1) << Errors();
  }
  ~EngineModule() {
    if (started_) ENGINE_finish(engine_);
    ENGINE_free(engine_);
  }
  EngineModule(const EngineModule&) = delete;
  EngineModule& operator=(const EngineModule&) = delete;

  ENGINE* get() const { return engine_; }
  bool Start() { return started_ = ENGINE_init(engine_) == 1; }

  bool Command(const char* name, long number = 0, void* pointer = nullptr) const {
    return ENGINE_ctrl_cmd(engine_, name, number, pointer, nullptr, 0) == 1;
  }
  // A command with a text, as in openssl.cnf and after `openssl engine -pre`.
  bool Set(const char* name, const char* value) const {
    return ENGINE_ctrl_cmd_string(engine_, name, value, 0) == 1;
  }
  // A command without a value, as after -pre NAME.
  bool Set(const char* name) const {
    return ENGINE_ctrl_cmd_string(engine_, name, nullptr, 0) == 1;
  }

  static engine::openssl::Offload::Stats stats() {
    return engine::openssl::engine::Module::Get().offload()->stats();
  }
  // The calls in flight, read through GET_NUM_REQUESTS_IN_FLIGHT.
  int InFlight(long request_class) const {
    int* count = nullptr;
    EXPECT_TRUE(Command("GET_NUM_REQUESTS_IN_FLIGHT", request_class, &count)) << Errors();
    return count != nullptr ? __atomic_load_n(count, __ATOMIC_RELAXED) : -1;
  }

 private:
  ENGINE* const engine_;
  bool started_ = false;
};

// Runs `body` in a child process; its failures fail this test. Requires: this process has not
// started the engine.
template <typename Body>
void InProcess(Body body) {
  ASSERT_EQ(engine::openssl::engine::Module::Get().offload(), nullptr);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto* const result = ::testing::UnitTest::GetInstance()->current_test_info()->result();
    const int before = result->total_part_count();
    body();
    std::exit(result->total_part_count() > before ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the child process failed, see above";
}

}  // namespace tests

#endif  // GHOSTCARD_TESTS_ENGINE_OPENSSL_ENGINE_MODULE_H_
