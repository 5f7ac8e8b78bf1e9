// Error: why something could not be set up, in words for a person.
//
// Setup functions answer tl::expected<T, Error>. The hot path never does: it
// answers SubmitStatus (request.h), which allocates nothing.
#ifndef GHOSTCARD_HWSIM_ERROR_H_
#define GHOSTCARD_HWSIM_ERROR_H_

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace hwsim {

struct Error {
  std::string message;   // names what was wrong and, where there is a choice, what is allowed
  int error_number = 0;  // errno of the system call that refused; 0 when none did
};

template <typename T>
using Expected = tl::expected<T, Error>;

// The one place where this layer turns an errno into an Error: "WHAT: TEXT (NAME)".
Error SystemError(std::string_view what, int error_number);

inline tl::unexpected<Error> Unexpected(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}
inline tl::unexpected<Error> Unexpected(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_ERROR_H_
