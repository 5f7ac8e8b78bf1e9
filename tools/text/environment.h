// Environment: the machine and the build that figures were measured with.
//
// Threads: any.
#ifndef GHOSTCARD_TOOLS_TEXT_ENVIRONMENT_H_
#define GHOSTCARD_TOOLS_TEXT_ENVIRONMENT_H_

#include <string>
#include <utility>
#include <vector>

namespace tools::text {

// Kernel, processor, number of processors, libcrypto, compiler, build: pairs of name and value, in
// the order in which they are printed.
std::vector<std::pair<std::string, std::string>> Environment();
// Whether this program was built with optimisation and without a sanitizer.
bool IsOptimisedBuild();

}  // namespace tools::text

#endif  // GHOSTCARD_TOOLS_TEXT_ENVIRONMENT_H_
