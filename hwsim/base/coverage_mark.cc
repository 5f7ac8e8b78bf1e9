#include "hwsim/base/coverage_mark.h"

// The linker defines these names at the two ends of the section. Both are null if no mark is
// linked.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
[[gnu::weak,
  gnu::visibility("hidden")]] extern const hwsim::CoverageMark __start_ghostcard_coverage_mark[];
[[gnu::weak,
  gnu::visibility("hidden")]] extern const hwsim::CoverageMark __stop_ghostcard_coverage_mark[];
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

namespace hwsim {

std::span<const CoverageMark> CoverageMarks() {
  return {__start_ghostcard_coverage_mark, __stop_ghostcard_coverage_mark};
}

}  // namespace hwsim
