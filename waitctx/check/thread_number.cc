#include "waitctx/check/thread_number.h"

#include <atomic>

#include "waitctx/base/tls.h"

namespace waitctx::check {

constinit GHOSTCARD_TLS uint64_t t_number = 0;

uint64_t ThreadNumber() {
  // Relaxed: the numbers only have to differ.
  static std::atomic<uint64_t> last{0};
  if (t_number == 0) t_number = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return t_number;
}

}  // namespace waitctx::check
