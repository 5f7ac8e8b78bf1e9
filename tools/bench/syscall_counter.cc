#include "tools/bench/syscall_counter.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "hwsim/base/error.h"

namespace tools::bench {

SyscallCounter::SyscallCounter() {
  uint64_t id = 0;
  for (const char* path : {"/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
                           "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id"}) {
    if (std::ifstream(path) >> id) break;
  }
  if (id == 0) {
    why_ =
        "tracefs is not mounted or not readable; root can: mount -t tracefs tracefs "
        "/sys/kernel/tracing";
    return;
  }
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.size = sizeof attributes;
  attributes.config = id;
  attributes.inherit = 1;
  fd_ = hwsim::UniqueFd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!fd_.valid()) why_ = hwsim::SystemError("perf_event_open", errno).message;
}

std::optional<uint64_t> SyscallCounter::count() const {
  uint64_t value = 0;
  if (!fd_.valid() || ::read(fd_.get(), &value, sizeof value) != sizeof value) return std::nullopt;
  return value;
}

}  // namespace tools::bench
