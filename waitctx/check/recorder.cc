#include "waitctx/check/recorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace waitctx::check {
namespace {

constexpr int64_t kDefaultCallbackBoundNs = 10'000'000;

// Takes a slot and returns its index; `limit`: all are taken.
uint32_t TakeSlot(std::atomic<uint32_t>& taken, size_t limit) {
  // Relaxed: only the number matters; `ready` publishes the contents.
  uint32_t index = taken.load(std::memory_order_relaxed);
  while (index < limit) {
    if (taken.compare_exchange_weak(index, index + 1, std::memory_order_relaxed)) return index;
  }
  return static_cast<uint32_t>(limit);
}

uint64_t KeyOf(Rule rule, const CallStack& site, const CallStack* origin) {
  const uint64_t key = site.Hash() * 31 + static_cast<uint64_t>(rule);
  return origin == nullptr ? key : key * 31 + origin->Hash();
}

void RaiseTo(std::atomic<int64_t>& worst, int64_t measure) {
  int64_t now = worst.load(std::memory_order_relaxed);
  while (now < measure && !worst.compare_exchange_weak(now, measure, std::memory_order_relaxed)) {
  }
}

}  // namespace

Recorder& Recorder::Get() {
  // Never destroyed: threads may still call when the process exits.
  static auto& recorder = *new Recorder;
  return recorder;
}

Recorder::Recorder() : callback_bound_ns_(kDefaultCallbackBoundNs) {
  if (const char* bound = std::getenv(kCallbackBoundVariable); bound != nullptr) {
    callback_bound_ns_ = std::strtoll(bound, nullptr, 10);
  }
  Dl_info info;
  // A local function's address is in this library for sure; an exported one's may not be.
  if (dladdr(reinterpret_cast<void*>(&TakeSlot), &info) != 0) own_module_ = info.dli_fbase;
  const char* path = std::getenv(kFileVariable);
  if (path != nullptr) Map(path);
  if (file_ == nullptr) {
    std::fprintf(stderr, "ghostcard check: %s: nothing is recorded\n",
                 path == nullptr ? "started without ghostcard check" : "no report file");
  }
}

void Recorder::Map(const char* path) {
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  struct stat status;
  if (fstat(fd, &status) == 0 && static_cast<size_t>(status.st_size) >= sizeof(ReportFile)) {
    void* memory = mmap(nullptr, sizeof(ReportFile), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED) {
      auto* file = static_cast<ReportFile*>(memory);
      if (file->magic == ReportFile::kMagic && file->size == sizeof(ReportFile)) {
        file_ = file;
      } else {
        munmap(memory, sizeof(ReportFile));
      }
    }
  }
  close(fd);
}

void Recorder::BeginProcess() {
  process_ = nullptr;
  if (file_ == nullptr) return;
  const int32_t pid = getpid();
  const uint32_t taken = file_->processes_taken.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < taken; ++i) {  // this process may have begun before an exec
    if (file_->processes[i].pid.load(std::memory_order_relaxed) == pid) {
      process_ = &file_->processes[i];
    }
  }
  if (process_ == nullptr) {
    const uint32_t index = TakeSlot(file_->processes_taken, kProcessesMax);
    if (index == kProcessesMax) return;
    process_ = &file_->processes[index];
  }
  process_->ended.store(false, std::memory_order_relaxed);
  process_->paused_jobs.store(0, std::memory_order_relaxed);
  process_->pid.store(pid, std::memory_order_release);
}

void Recorder::EndProcess() {
  if (process_ != nullptr) process_->ended.store(true, std::memory_order_release);
}

void Recorder::Report(Rule rule, const CallStack& site, const CallStack* origin, int64_t measure) {
  if (file_ == nullptr) return;
  const uint64_t key = KeyOf(rule, site, origin);
  Finding* finding = nullptr;
  bool known = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = findings_.find(key);
    known = found != findings_.end();
    if (known) finding = found->second;
  }
  if (!known) {
    finding = Take(rule, site, origin);
    const std::lock_guard lock(mutex_);
    findings_.emplace(key, finding);
  }
  if (finding == nullptr) {
    file_->lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  finding->count.fetch_add(1, std::memory_order_relaxed);
  RaiseTo(finding->worst, measure);
}

Finding* Recorder::Take(Rule rule, const CallStack& site, const CallStack* origin) {
  const uint32_t index = TakeSlot(file_->findings_taken, kFindingsMax);
  if (index == kFindingsMax) return nullptr;
  Finding& finding = file_->findings[index];
  finding.rule = rule;
  finding.site = Resolve(site);
  if (origin != nullptr) finding.origin = Resolve(*origin);
  // Release: pairs with the reader's acquire.
  finding.ready.store(true, std::memory_order_release);
  return &finding;
}

Trace Recorder::Resolve(const CallStack& stack) {
  Trace trace;
  bool ours = false;
  for (uint32_t i = 0; i < stack.depth && trace.depth < kFramesMax; ++i) {
    // The address of the call, not of the instruction after it.
    const char* address = static_cast<const char*>(stack.frames[i]) - 1;
    Dl_info info;
    link_map* module = nullptr;
    if (dladdr1(address, &info, reinterpret_cast<void**>(&module), RTLD_DL_LINKMAP) == 0) {
      trace.frames[trace.depth++] = {reinterpret_cast<uintptr_t>(address), kModulesMax};
      continue;
    }
    if (info.dli_fbase == own_module_) {
      // Frames below this library's (a sanitizer's, for example) are not part of the program.
      if (!std::exchange(ours, true)) trace.depth = 0;
      continue;
    }
    trace.frames[trace.depth++] = {reinterpret_cast<uintptr_t>(address) - module->l_addr,
                                   ModuleOf(module->l_name)};
  }
  return trace;
}

// `name`: the loader's name of the module; empty for the program itself.
uint32_t Recorder::ModuleOf(const char* name) {
  char path[PATH_MAX];
  if (realpath(name[0] == '\0' ? "/proc/self/exe" : name, path) == nullptr) {
    std::snprintf(path, sizeof(path), "%s", name);
  }
  path[sizeof(Module::path) - 1] = '\0';
  const auto same = [&](const Module& module) {
    return module.ready.load(std::memory_order_acquire) && std::strcmp(module.path, path) == 0;
  };
  const uint32_t taken = file_->modules_taken.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < taken; ++i) {
    if (same(file_->modules[i])) return i;
  }
  const uint32_t index = TakeSlot(file_->modules_taken, kModulesMax);
  if (index == kModulesMax) return kModulesMax;
  Module& module = file_->modules[index];
  std::memcpy(module.path, path, std::strlen(path) + 1);
  module.ready.store(true, std::memory_order_release);
  return index;
}

}  // namespace waitctx::check
