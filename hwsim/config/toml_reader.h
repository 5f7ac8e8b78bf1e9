// TomlReader: reads one table of a TOML file and collects every mistake in it, each as
// "FILE:LINE: KEY: what was given; what is allowed".
//
// Threads: one. Ownership: the caller owns the parsed table and the list of mistakes; both outlive
// the reader.
#ifndef GHOSTCARD_HWSIM_CONFIG_TOML_READER_H_
#define GHOSTCARD_HWSIM_CONFIG_TOML_READER_H_

// toml++ 3.3 has an assertion that fails for a file like "[.a]"; with NDEBUG the compiler assumes
// that it holds. Without the assertion toml++ refuses the file with an error.
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

#include "hwsim/base/clock.h"
#include "hwsim/base/enum_names.h"
#include "hwsim/base/error.h"

namespace hwsim::config {

struct TomlMistakes {
  std::string origin;  // the file's name
  std::vector<std::string> lines;
  void Add(const toml::node& where, std::string_view key, std::string_view what);
  // All mistakes, one per line.
  std::string Message() const;
};

// The whole file as a string. The Error says why it cannot be read.
Expected<std::string> ReadTextFile(const std::string& path);
// The Error names the file `origin`, the line, and what is not TOML there.
Expected<toml::table> ParseToml(std::string_view toml, std::string_view origin);

class TomlReader {
 public:
  // `path` ("operation.null.") is put before each key in `mistakes`.
  TomlReader(const toml::table& table, std::string path, TomlMistakes& mistakes)
      : table_(table), path_(std::move(path)), mistakes_(mistakes) {}

  // Each method reads `key`. `value` stays as it is when the key is not there, or when its value is
  // a mistake.
  void Integer(std::string_view key, int64_t least, int64_t most, uint32_t& value);
  void Integer(std::string_view key, int64_t least, int64_t most, uint64_t& value);
  // As `least`: every number above zero is allowed, and zero is not.
  static constexpr double kAboveZero = std::numeric_limits<double>::denorm_min();
  void Number(std::string_view key, double least, double most, double& value);
  void String(std::string_view key, std::string& value);
  void Bool(std::string_view key, bool& value);
  // "250ns", "12.5us", "3ms", "1s".
  void Time(std::string_view key, Duration most, Duration& value);
  // The index in `names` of the value. nullopt: the key is not there, or its value is a mistake.
  std::optional<size_t> Choice(std::string_view key, const std::vector<std::string_view>& names);
  // The value of the enumeration T whose name (EnumNames) is given. nullopt: as for Choice above.
  template <typename T>
  std::optional<T> Choice(std::string_view key) {
    constexpr auto kNames = EnumNames<T>::All();
    const std::optional<size_t> chosen = Choice(key, {kNames.begin(), kNames.end()});
    if (!chosen) return std::nullopt;
    return EnumNames<T>::kEntries[*chosen].value;
  }
  // The table under `key`. nullptr: the key is not there, or its value is a mistake.
  const toml::table* Table(std::string_view key);
  // The array of tables under `key`. nullptr: as for Table.
  const toml::array* Tables(std::string_view key);

  // The value of `key`, for the caller to read; nullptr: it is not there.
  const toml::node* Find(std::string_view key);
  void Mistake(const toml::node& where, std::string_view key, std::string_view what) {
    mistakes_.Add(where, path_ + std::string(key), what);
  }
  // Every key that no method was called for is a mistake. Call this last.
  void RefuseTheRest();

  const std::string& path() const { return path_; }
  TomlMistakes& mistakes() { return mistakes_; }

 private:
  const toml::table& table_;
  const std::string path_;
  TomlMistakes& mistakes_;
  std::vector<std::string_view> known_;
};

// Reads a time such as "12.5us". nullopt: it is not a time.
std::optional<Duration> ParseTime(std::string_view text);
// "12.5us".
std::string FormatTime(Duration time);

}  // namespace hwsim::config

#endif  // GHOSTCARD_HWSIM_CONFIG_TOML_READER_H_
