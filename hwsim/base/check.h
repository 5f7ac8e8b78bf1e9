// GHOSTCARD_CHECK: ends the process when the programmer broke a promise. On in every build. Prints
// the file, the line, the condition and a message to stderr, then aborts.
//
// Do not check for what can happen in a correct program: a full ring, a failed system call, a wrong
// configuration and a hostile peer get a return value instead.
//
// Threads: any.
#ifndef GHOSTCARD_HWSIM_BASE_CHECK_H_
#define GHOSTCARD_HWSIM_BASE_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace hwsim {

[[noreturn, gnu::cold]] inline void CheckFailed(const char* file, int line, const char* condition,
                                                const char* message) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed: %s\n", file, line, condition, message);
  std::abort();
}

}  // namespace hwsim

// `message` says what has to be true: "virtual time does not run backwards".
#define GHOSTCARD_CHECK(condition, message) \
  ((condition) ? (void)0 : ::hwsim::CheckFailed(__FILE__, __LINE__, #condition, message))

#endif  // GHOSTCARD_HWSIM_BASE_CHECK_H_
