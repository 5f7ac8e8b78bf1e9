// Error: why something could not be set up, as a sentence for people.
//
// Setup functions return Expected<T>. The hot path returns SubmitStatus (request.h) instead, which
// allocates nothing.
//
// Threads: Error is a value; SystemError and Unexpected may be called from any thread.
#ifndef GHOSTCARD_HWSIM_BASE_ERROR_H_
#define GHOSTCARD_HWSIM_BASE_ERROR_H_

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace hwsim {

struct Error {
  std::string message;   // names what was wrong and, if there is a choice, what is allowed
  int error_number = 0;  // errno of the system call that failed; 0: no system call failed
};

template <typename T>
using Expected = tl::expected<T, Error>;

// Turns an errno into an Error whose message is "WHAT: TEXT (NAME)", for example
// "eventfd: Too many open files (EMFILE)". `what` names the system call or the file. An errno that
// libc does not know reads "WHAT: unknown error (NUMBER)".
Error SystemError(std::string_view what, int error_number);

// What a function that returns Expected<T> returns when it fails.
inline tl::unexpected<Error> Unexpected(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}
inline tl::unexpected<Error> Unexpected(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_ERROR_H_
