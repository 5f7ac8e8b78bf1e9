#include "tools/text/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace tools::text {

std::string FormatNanoseconds(double ns) {
  static constexpr std::array<std::string_view, 4> kUnits = {"ns", "us", "ms", "s"};
  size_t unit = 0;
  while (ns >= 999.5 && unit + 1 < kUnits.size()) {
    ns /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", ns,
                     ns >= 99.95 || (unit == 0 && ns == 0) ? 0
                     : ns >= 9.995                         ? 1
                                                           : 2,
                     kUnits[unit]);
}

std::string FormatCount(double count) {
  static constexpr std::array<std::string_view, 4> kUnits = {"", " k", " M", " G"};
  size_t unit = 0;
  while (count >= 9999.5 && unit + 1 < kUnits.size()) {
    count /= 1000;
    ++unit;
  }
  const bool whole = unit == 0 && count == std::floor(count);
  return fmt::format("{:.{}f}{}", count,
                     whole || count >= 99.95 ? 0
                     : count >= 9.995        ? 1
                                             : 2,
                     kUnits[unit]);
}

std::string FormatTable(const std::vector<std::vector<std::string>>& rows, size_t left_columns) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line +=
          fmt::format(fmt::runtime(i < left_columns ? "{:<{}}  " : "{:>{}}  "), row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace tools::text
