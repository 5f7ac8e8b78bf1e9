#include "tools/run_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "tools/scenario_write.h"

namespace tools {

hwsim::Expected<std::unique_ptr<RunLogFile>> RunLogFile::Create(const std::string& path,
                                                                uint64_t seed,
                                                                const ScenarioOptions& scenario) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return hwsim::Unexpected(path + ": " + std::strerror(errno));
  std::setvbuf(file, nullptr, _IOLBF, 0);
  fmt::print(file,
             "# ghostcard simulate --seed {}\n# To see it: ghostcard replay THIS_FILE\n\n{}\n",
             seed, ScenarioToml(scenario));
  return std::unique_ptr<RunLogFile>(new RunLogFile(file));
}

void RunLogFile::Append(const Event& event) { fmt::print(file_.get(), "# {}\n", EventLine(event)); }
void RunLogFile::Failed(const std::string& what) { fmt::print(file_.get(), "# FAILED {}\n", what); }
void RunLogFile::Ended(uint64_t hash) { fmt::print(file_.get(), "# hash {:016x}\n", hash); }

std::optional<uint64_t> LoggedHash(std::string_view text) {
  constexpr std::string_view kLine = "\n# hash ";
  const size_t at = text.rfind(kLine);
  if (at == text.npos) return std::nullopt;
  uint64_t hash = 0;
  const char* const begin = text.data() + at + kLine.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), hash, 16);
  return error == std::errc() && end != begin ? std::optional(hash) : std::nullopt;
}

}  // namespace tools
