#include "hwsim/config/known_names.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace hwsim::config {

namespace {

// Levenshtein's distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({changed, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

}  // namespace

std::string JoinedNames(std::span<const std::string_view> names) {
  std::string joined;
  for (const std::string_view name : names) {
    joined += joined.empty() ? "" : ", ";
    joined += name;
  }
  return joined;
}

std::optional<std::string_view> NearestName(std::string_view name,
                                            std::span<const std::string_view> known) {
  const auto nearest =
      std::min_element(known.begin(), known.end(), [&](std::string_view a, std::string_view b) {
        return Distance(a, name) < Distance(b, name);
      });
  if (nearest == known.end() || Distance(*nearest, name) > 2) return std::nullopt;
  return *nearest;
}

std::string Suggestion(std::string_view name, std::span<const std::string_view> known) {
  if (const auto nearest = NearestName(name, known)) {
    return "did you mean '" + std::string(*nearest) + "'?";
  }
  return "allowed: " + JoinedNames(known);
}

}  // namespace hwsim::config
