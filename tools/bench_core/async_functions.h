// AsyncFunctions: the ASYNC_* functions of one shared library as a table, so that one process can
// call OpenSSL's functions and ours side by side.
//
// Threads: LoadAsyncFunctions from any thread. Ownership: the library is never unloaded.
#ifndef GHOSTCARD_TOOLS_BENCH_CORE_ASYNC_FUNCTIONS_H_
#define GHOSTCARD_TOOLS_BENCH_CORE_ASYNC_FUNCTIONS_H_

#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <type_traits>

#include "waitctx/include/openssl/async.h"

namespace tools::bench_core {

// Paths for dlopen. Ours is relative to the root of the source tree, where Bazel runs tests.
inline constexpr const char* kOurLibrary = "./waitctx/libwaitctx_async.so";
inline constexpr const char* kOpenSslLibrary = "libcrypto.so.3";

struct AsyncFunctions {
  bool loaded = false;
// NOLINTNEXTLINE(bugprone-macro-parentheses): the compiler wants none around a declared name.
#define GHOSTCARD_FUNCTION(name) decltype(&::ASYNC_##name) name = nullptr
  GHOSTCARD_FUNCTION(WAIT_CTX_new);
  GHOSTCARD_FUNCTION(WAIT_CTX_free);
  GHOSTCARD_FUNCTION(WAIT_CTX_set_wait_fd);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_fd);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_all_fds);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_changed_fds);
  GHOSTCARD_FUNCTION(WAIT_CTX_clear_fd);
  GHOSTCARD_FUNCTION(WAIT_CTX_set_callback);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_callback);
  GHOSTCARD_FUNCTION(WAIT_CTX_set_status);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_status);
  GHOSTCARD_FUNCTION(start_job);
  GHOSTCARD_FUNCTION(pause_job);
  GHOSTCARD_FUNCTION(get_current_job);
  GHOSTCARD_FUNCTION(get_wait_ctx);
  GHOSTCARD_FUNCTION(block_pause);
  GHOSTCARD_FUNCTION(unblock_pause);
  GHOSTCARD_FUNCTION(init_thread);
  GHOSTCARD_FUNCTION(cleanup_thread);
  GHOSTCARD_FUNCTION(is_capable);
#undef GHOSTCARD_FUNCTION
};

// The functions of `library`. `loaded` is false when the library or one of the functions is
// missing; dlopen's reason goes to standard error.
inline AsyncFunctions LoadAsyncFunctions(const char* library) {
  AsyncFunctions table;
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    return table;
  }
  table.loaded = true;
  const auto find = [&](auto& function, const char* name) {
    void* symbol = dlsym(handle, name);
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
    table.loaded &= symbol != nullptr;
  };
#define GHOSTCARD_FUNCTION(name) find(table.name, "ASYNC_" #name)
  GHOSTCARD_FUNCTION(WAIT_CTX_new);
  GHOSTCARD_FUNCTION(WAIT_CTX_free);
  GHOSTCARD_FUNCTION(WAIT_CTX_set_wait_fd);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_fd);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_all_fds);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_changed_fds);
  GHOSTCARD_FUNCTION(WAIT_CTX_clear_fd);
  GHOSTCARD_FUNCTION(WAIT_CTX_set_callback);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_callback);
  GHOSTCARD_FUNCTION(WAIT_CTX_set_status);
  GHOSTCARD_FUNCTION(WAIT_CTX_get_status);
  GHOSTCARD_FUNCTION(start_job);
  GHOSTCARD_FUNCTION(pause_job);
  GHOSTCARD_FUNCTION(get_current_job);
  GHOSTCARD_FUNCTION(get_wait_ctx);
  GHOSTCARD_FUNCTION(block_pause);
  GHOSTCARD_FUNCTION(unblock_pause);
  GHOSTCARD_FUNCTION(init_thread);
  GHOSTCARD_FUNCTION(cleanup_thread);
  GHOSTCARD_FUNCTION(is_capable);
#undef GHOSTCARD_FUNCTION
  return table;
}

}  // namespace tools::bench_core

#endif  // GHOSTCARD_TOOLS_BENCH_CORE_ASYNC_FUNCTIONS_H_
