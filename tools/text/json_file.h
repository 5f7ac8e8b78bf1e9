// JSON into a file or to standard output.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_TEXT_JSON_FILE_H_
#define GHOSTCARD_TOOLS_TEXT_JSON_FILE_H_

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "hwsim/base/error.h"

namespace tools::text {

// Fails when `path` ("-": standard output) cannot be written, as far as access rights tell; it does
// not open or create the file. For commands that run for long before they write.
hwsim::Expected<void> CheckWritable(const std::string& path);
// Writes to `path` ("-": standard output). Fails with the errno of what went wrong.
hwsim::Expected<void> WriteJson(const std::string& path, const nlohmann::json& json);

}  // namespace tools::text

#endif  // GHOSTCARD_TOOLS_TEXT_JSON_FILE_H_
