#include "hwsim/base/open_descriptors.h"

#include <filesystem>
#include <system_error>

namespace hwsim {

size_t CountOpenDescriptors() {
  using std::filesystem::directory_iterator;
  std::error_code error;
  size_t count = 0;
  for (directory_iterator entry("/proc/self/fd", error); !error && entry != directory_iterator();
       entry.increment(error)) {
    ++count;
  }
  return count == 0 ? 0 : count - 1;
}

}  // namespace hwsim
