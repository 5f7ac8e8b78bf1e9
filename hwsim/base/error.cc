#include "hwsim/base/error.h"

#include <cstring>

namespace hwsim {

Error SystemError(std::string_view what, int error_number) {
  const char* name = strerrorname_np(error_number);
  const char* text = strerrordesc_np(error_number);
  std::string message(what);
  message += ": ";
  message += text != nullptr ? text : "unknown error";
  message += " (";
  message += name != nullptr ? name : std::to_string(error_number).c_str();
  message += ")";
  return Error{std::move(message), error_number};
}

}  // namespace hwsim
