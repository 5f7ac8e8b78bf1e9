#include "hwsim/rare.h"

// The linker defines these names at the two ends of the section. Both are null if no mark is
// linked.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
[[gnu::weak, gnu::visibility("hidden")]] extern const hwsim::RareMark __start_ghostcard_rare[];
[[gnu::weak, gnu::visibility("hidden")]] extern const hwsim::RareMark __stop_ghostcard_rare[];
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

namespace hwsim {

std::span<const RareMark> RareMarks() { return {__start_ghostcard_rare, __stop_ghostcard_rare}; }

}  // namespace hwsim
