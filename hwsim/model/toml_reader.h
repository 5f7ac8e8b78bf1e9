// TomlReader: reads one table of a TOML file and gathers every mistake in it, each as
// "FILE:LINE: KEY: what was given; what is allowed".
//
// Threads: one. Ownership: the parsed table and the list of mistakes are the caller's.
#ifndef GHOSTCARD_HWSIM_MODEL_TOML_READER_H_
#define GHOSTCARD_HWSIM_MODEL_TOML_READER_H_

// toml++ 3.3 asserts what a file like "[.a]" breaks, and with NDEBUG takes it for granted, before
// it comes to refuse it. Without the assertion it does refuse it.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_EXCEPTIONS 0
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hwsim/clock.h"
#include "hwsim/error.h"

namespace hwsim {

struct TomlMistakes {
  std::string origin;  // the file's name
  std::vector<std::string> lines;
  void Add(const toml::node& where, std::string_view key, std::string_view what);
  // All of them, a line each.
  std::string Message() const;
};

// The whole file as a string; the errno in words when it cannot be read.
Expected<std::string> ReadTextFile(const std::string& path);
// `origin` names the file in the error, which says what is not TOML.
Expected<toml::table> ParseToml(std::string_view toml, std::string_view origin);

class TomlReader {
 public:
  // `path` stands before each key in mistakes: "operation.null."
  TomlReader(const toml::table& table, std::string path, TomlMistakes& mistakes)
      : table_(table), path_(std::move(path)), mistakes_(mistakes) {}

  // Each reads `key` if it is there and leaves `value` alone if it is not, or is wrong.
  void Integer(std::string_view key, int64_t least, int64_t most, uint32_t& value);
  void Integer(std::string_view key, int64_t least, int64_t most, uint64_t& value);
  // With kAboveZero as the least, zero is out of range and anything above it is not.
  static constexpr double kAboveZero = std::numeric_limits<double>::denorm_min();
  void Number(std::string_view key, double least, double most, double& value);
  void String(std::string_view key, std::string& value);
  void Bool(std::string_view key, bool& value);
  // "250ns", "12.5us", "3ms", "1s".
  void Time(std::string_view key, Duration most, Duration& value);
  // One of `names`; its index. None: not there, or wrong.
  std::optional<size_t> Choice(std::string_view key, const std::vector<std::string_view>& names);
  // A table under `key`; null: not there, or not a table.
  const toml::table* Table(std::string_view key);
  // An array of tables; null likewise.
  const toml::array* Tables(std::string_view key);

  const toml::node* Find(std::string_view key);
  void Mistake(const toml::node& where, std::string_view key, std::string_view what) {
    mistakes_.Add(where, path_ + std::string(key), what);
  }
  // To be called last: every key that nobody asked for is a mistake.
  void RefuseTheRest();

  const std::string& path() const { return path_; }
  TomlMistakes& mistakes() { return mistakes_; }

 private:
  const toml::table& table_;
  const std::string path_;
  TomlMistakes& mistakes_;
  std::vector<std::string_view> known_;
};

// Reads "12.5us" and the like; none: it is not a time.
std::optional<Duration> ParseTime(std::string_view text);
// "12.5us".
std::string FormatTime(Duration time);

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_MODEL_TOML_READER_H_
