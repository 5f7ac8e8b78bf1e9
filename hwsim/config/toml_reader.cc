#include "hwsim/config/toml_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <utility>

#include "hwsim/config/known_names.h"

namespace hwsim::config {

namespace {

// The value as the file gives it, for messages.
std::string Shown(const toml::node& node) {
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  std::ostringstream text;
  node.visit([&](const auto& value) {
    if constexpr (toml::is_value<decltype(value)>) text << value;
  });
  return text.str();
}

std::string Plain(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return std::string(text.data(), end);
}

struct Unit {
  std::string_view name;
  double ns;
};
constexpr std::array<Unit, 4> kUnits = {{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}};

}  // namespace

std::optional<Duration> ParseTime(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  for (const Unit& known : kUnits) {
    const double ns = value * known.ns;
    if (unit == known.name && std::abs(ns) < 9e18) {
      return Duration(static_cast<int64_t>(std::llround(ns)));
    }
  }
  return std::nullopt;
}

std::string FormatTime(Duration time) {
  const auto ns = static_cast<double>(time.count());
  const Unit* unit = &kUnits.front();
  for (const Unit& larger : kUnits) {
    if (std::abs(ns) >= larger.ns) unit = &larger;
  }
  return Plain(ns / unit->ns) + std::string(unit->name);
}

void TomlMistakes::Add(const toml::node& where, std::string_view key, std::string_view what) {
  lines.push_back(origin + ":" + std::to_string(where.source().begin.line) + ": " +
                  std::string(key) + ": " + std::string(what));
}

std::string TomlMistakes::Message() const {
  std::string message;
  for (const std::string& line : lines) message += (message.empty() ? "" : "\n") + line;
  return message;
}

Expected<std::string> ReadTextFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unexpected(SystemError(path, errno != 0 ? errno : EIO));
  std::string text;
  std::array<char, 4096> part;
  do {
    file.read(part.data(), part.size());
    text.append(part.data(), static_cast<size_t>(file.gcount()));
  } while (file);
  if (file.bad()) return Unexpected(SystemError(path, errno != 0 ? errno : EIO));
  return text;
}

Expected<toml::table> ParseToml(std::string_view toml, std::string_view origin) {
  toml::parse_result parsed = toml::parse(toml, origin);
  if (parsed) return std::move(parsed).table();
  const toml::parse_error& error = parsed.error();
  return Unexpected(std::string(origin) + ":" + std::to_string(error.source().begin.line) +
                    ": not TOML: " + std::string(error.description()));
}

const toml::node* TomlReader::Find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
  return table_.get(key);
}

void TomlReader::Integer(std::string_view key, int64_t least, int64_t most, uint64_t& value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return;
  const std::optional<int64_t> given = node->value_exact<int64_t>();
  if (!given || *given < least || *given > most) {
    Mistake(
        *node, key,
        Shown(*node) + " given; allowed: a whole number from " + std::to_string(least) +
            (most == std::numeric_limits<int64_t>::max() ? " up" : " to " + std::to_string(most)));
    return;
  }
  value = static_cast<uint64_t>(*given);
}

void TomlReader::Integer(std::string_view key, int64_t least, int64_t most, uint32_t& value) {
  uint64_t wide = value;
  Integer(key, least, most, wide);
  value = static_cast<uint32_t>(wide);
}

void TomlReader::Number(std::string_view key, double least, double most, double& value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return;
  const std::optional<double> given = node->is_number() ? node->value<double>() : std::nullopt;
  if (!given || !(*given >= least && *given <= most)) {
    Mistake(*node, key,
            Shown(*node) + " given; allowed: a number " +
                (least == kAboveZero ? "above 0, up to " : "from " + Plain(least) + " to ") +
                Plain(most));
    return;
  }
  value = *given;
}

void TomlReader::String(std::string_view key, std::string& value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return;
  if (!node->is_string()) {
    Mistake(*node, key, Shown(*node) + " given; allowed: a string");
    return;
  }
  value = node->as_string()->get();
}

void TomlReader::Bool(std::string_view key, bool& value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return;
  if (!node->is_boolean()) {
    Mistake(*node, key, Shown(*node) + " given; allowed: true or false");
    return;
  }
  value = node->as_boolean()->get();
}

void TomlReader::Time(std::string_view key, Duration most, Duration& value) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return;
  const auto given = node->is_string() ? ParseTime(node->as_string()->get()) : std::nullopt;
  if (!given || *given < Duration::zero() || *given > most) {
    Mistake(*node, key,
            Shown(*node) + " given; allowed: a time from \"0ns\" to \"" + FormatTime(most) +
                "\", with its unit: ns, us, ms or s");
    return;
  }
  value = *given;
}

std::optional<size_t> TomlReader::Choice(std::string_view key,
                                         const std::vector<std::string_view>& names) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return std::nullopt;
  if (node->is_string()) {
    const auto found = std::find(names.begin(), names.end(), node->as_string()->get());
    if (found != names.end()) return static_cast<size_t>(found - names.begin());
  }
  Mistake(*node, key, Shown(*node) + " given; allowed: " + JoinedNames(names));
  return std::nullopt;
}

const toml::table* TomlReader::Table(std::string_view key) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) Mistake(*node, key, Shown(*node) + " given; allowed: a table");
  return node->as_table();
}

const toml::array* TomlReader::Tables(std::string_view key) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return nullptr;
  const toml::array* const array = node->as_array();
  const bool tables = array != nullptr && std::all_of(array->begin(), array->end(),
                                                      [](auto& item) { return item.is_table(); });
  if (tables) return array;
  Mistake(*node, key,
          Shown(*node) + " given; allowed: tables, each under [[" + std::string(key) + "]]");
  return nullptr;
}

void TomlReader::RefuseTheRest() {
  for (const auto& [name, node] : table_) {
    const std::string_view key = name.str();
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    Mistake(node, key, "no such key; " + Suggestion(key, known_));
  }
}

}  // namespace hwsim::config
