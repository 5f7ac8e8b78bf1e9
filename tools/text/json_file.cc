#include "tools/text/json_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace tools::text {

hwsim::Expected<void> CheckWritable(const std::string& path) {
  if (path == "-" || ::access(path.c_str(), W_OK) == 0) return {};
  if (errno == ENOENT) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0) return {};
  }
  return hwsim::Unexpected(hwsim::SystemError(path, errno));
}

hwsim::Expected<void> WriteJson(const std::string& path, const nlohmann::json& json) {
  const std::string text = json.dump(2) + "\n";
  std::FILE* const file = path == "-" ? stdout : std::fopen(path.c_str(), "w");
  if (file == nullptr) return hwsim::Unexpected(hwsim::SystemError(path, errno));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool flushed = (file == stdout ? std::fflush(file) : std::fclose(file)) == 0;
  if (!written || !flushed) return hwsim::Unexpected(hwsim::SystemError(path, errno));
  return {};
}

}  // namespace tools::text
