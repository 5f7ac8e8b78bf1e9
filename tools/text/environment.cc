#include "tools/text/environment.h"

#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

#include "waitctx/base/sanitizers.h"

namespace tools::text {

namespace {

std::string ProcessorName() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

bool IsOptimisedBuild() {
#if defined(__OPTIMIZE__)
  return !waitctx::kAddressSanitizer && !waitctx::kThreadSanitizer;
#else
  return false;
#endif
}

std::vector<std::pair<std::string, std::string>> Environment() {
  utsname name{};
  ::uname(&name);
  return {{"kernel", std::string(name.sysname) + " " + name.release},
          {"machine", name.machine},
          {"processor", ProcessorName()},
          {"processors_online", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))},
          {"libcrypto", OpenSSL_version(OPENSSL_VERSION)},
          {"compiler", __VERSION__},
          {"build", IsOptimisedBuild() ? "optimised" : "not optimised"}};
}

}  // namespace tools::text
