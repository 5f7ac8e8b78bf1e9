#include "tools/load/out_of_descriptors.h"

#include <fmt/format.h>

#include <cerrno>

namespace tools::load {

bool IsOutOfDescriptors(const hwsim::Error& error) {
  return error.error_number == EMFILE || error.error_number == ENFILE;
}

hwsim::Error OutOfDescriptors(uint32_t concurrency, std::string_view items,
                              bool callback_needs_fewer) {
  return {fmt::format("no file descriptors left for {} {}: raise the limit (ulimit -n), or lower "
                      "--concurrency{}",
                      concurrency, items, callback_needs_fewer ? ", or use --notify callback" : ""),
          EMFILE};
}

}  // namespace tools::load
