#include "tools/simulate/run_log.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "tools/scenario/scenario_toml_writer.h"

namespace tools::simulate {

hwsim::Expected<std::unique_ptr<RunLogFile>> RunLogFile::Create(
    const std::string& path, uint64_t seed, const scenario::ScenarioOptions& scenario) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return hwsim::Unexpected(path + ": " + std::strerror(errno));
  std::setvbuf(file, nullptr, _IOLBF, 0);
  std::unique_ptr<RunLogFile> log(new RunLogFile(file));
  log->Write(
      fmt::format("# ghostcard simulate --seed {}\n# To see it: ghostcard replay THIS_FILE\n\n{}\n",
                  seed, scenario::ScenarioToml(scenario)));
  return log;
}

void RunLogFile::Write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) incomplete_ = true;
}

void RunLogFile::Append(const scenario::Event& event) {
  Write(fmt::format("# {}\n", scenario::EventLine(event)));
}
void RunLogFile::Failed(const std::string& what) { Write(fmt::format("# FAILED {}\n", what)); }
void RunLogFile::Ended(uint64_t hash) {
  Write(fmt::format("# hash {:016x}\n", hash));
  if (std::fflush(file_.get()) != 0) incomplete_ = true;
}

std::optional<uint64_t> LoggedHash(std::string_view text) {
  constexpr std::string_view kLine = "\n# hash ";
  const size_t at = text.rfind(kLine);
  if (at == text.npos) return std::nullopt;
  uint64_t hash = 0;
  const char* const begin = text.data() + at + kLine.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), hash, 16);
  return error == std::errc() && end != begin ? std::optional(hash) : std::nullopt;
}

}  // namespace tools::simulate
