// CHECK: a promise the programmer broke. Always on, in every build; prints the
// place, the condition and a message, then aborts.
//
// Never CHECK what the world can do: a full ring, a refused system call, bad
// configuration and a hostile peer get an answer, not an abort.
#ifndef GHOSTCARD_HWSIM_CHECK_H_
#define GHOSTCARD_HWSIM_CHECK_H_

#include <cstdio>
#include <cstdlib>

namespace hwsim {

[[noreturn, gnu::cold]] inline void CheckFailed(const char* file, int line, const char* condition,
                                                const char* message) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed: %s\n", file, line, condition, message);
  std::abort();
}

}  // namespace hwsim

#define GHOSTCARD_CHECK(condition, message) \
  ((condition) ? (void)0 : ::hwsim::CheckFailed(__FILE__, __LINE__, #condition, message))

#endif  // GHOSTCARD_HWSIM_CHECK_H_
