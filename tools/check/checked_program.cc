#include "tools/check/checked_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <sstream>

#include "hwsim/base/fd.h"

namespace tools::check {
namespace {

using hwsim::SystemError;
using hwsim::Unexpected;
using hwsim::UniqueFd;
using waitctx::check::ReportFile;

constexpr const char* kLibraryName = "libwaitctx_check.so";

// The interpreter in a script's first line; empty: the file is not a script.
std::string InterpreterOf(int fd) {
  char text[256] = {};
  if (pread(fd, text, sizeof(text) - 1, 0) < 2 || text[0] != '#' || text[1] != '!') return {};
  std::istringstream line(std::string(text + 2, std::string_view(text + 2).find('\n')));
  std::string interpreter;
  line >> interpreter;
  return interpreter;
}

bool HasInterpreter(Elf* elf) {
  size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) return false;
  for (size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) != nullptr && header.p_type == PT_INTERP) {
      return true;
    }
  }
  return false;
}

std::string WhyNotPreloadedElf(int fd) {
  elf_version(EV_CURRENT);
  Elf* const elf = elf_begin(fd, ELF_C_READ, nullptr);
  GElf_Ehdr header;
  std::string why;
  if (elf == nullptr || gelf_getehdr(elf, &header) == nullptr) {
    why = "it is not an ELF program";
  } else if (header.e_machine != EM_X86_64 || gelf_getclass(elf) != ELFCLASS64) {
    why = "it is not a 64-bit x86 program, as the checking library is";
  } else if (!HasInterpreter(elf)) {
    why = "it is statically linked, so no library can be preloaded under it";
  }
  elf_end(elf);
  return why;
}

// Whether the loader would ignore LD_PRELOAD, and why; empty: it would not.
std::string WhySecure(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return {};
  if ((status.st_mode & S_ISUID) != 0 && status.st_uid != geteuid()) {
    return "it is setuid, so the system ignores what is preloaded under it";
  }
  if ((status.st_mode & S_ISGID) != 0 && status.st_gid != getegid()) {
    return "it is setgid, so the system ignores what is preloaded under it";
  }
  if (geteuid() != 0 && fgetxattr(fd, "security.capability", nullptr, 0) > 0) {
    return "it has file capabilities, so the system ignores what is preloaded under it";
  }
  return {};
}

// The signals that are passed on.
sigset_t PassedOn() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
    sigaddset(&set, signal);
  }
  return set;
}

// Waits for the child, and passes this process's signals on to it.
ProgramEnd WaitFor(pid_t child, const sigset_t& signals) {
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) {
      if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
      return {.exit_code = WEXITSTATUS(status)};
    }
    siginfo_t info;
    const int signal = sigwaitinfo(&signals, &info);
    if (signal < 0 || signal == SIGCHLD) continue;
    // The terminal sends its signals to the whole foreground group, so the child has them already.
    if (info.si_code != SI_KERNEL) kill(child, signal);
  }
}

std::vector<std::string> EnvironmentWith(const std::vector<std::string>& settings) {
  std::vector<std::string> environment = settings;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    const auto set = [&](const std::string& setting) { return setting.starts_with(name); };
    bool replaced = false;
    for (const std::string& setting : settings) replaced = replaced || set(setting);
    if (!replaced) environment.emplace_back(text);
  }
  return environment;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

bool IsRunnable(const std::string& path) {
  return access(path.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(path);
}

}  // namespace

hwsim::Expected<std::unique_ptr<ReportMapping>> ReportMapping::Create() {
  std::error_code error;
  const auto folder = std::filesystem::temp_directory_path(error);
  if (error) return Unexpected(SystemError("the folder for temporary files", error.value()));
  std::unique_ptr<ReportMapping> made(new ReportMapping);
  std::string path = std::filesystem::absolute(folder / "ghostcard-check-XXXXXX");
  const UniqueFd fd(mkostemp(path.data(), O_CLOEXEC));  // readable by its owner only
  if (!fd.valid()) return Unexpected(SystemError(path, errno));
  made->path_ = path;
  // Allocates the blocks, so that a full disk fails here and not in the program that writes.
  if (const int refused = posix_fallocate(fd.get(), 0, sizeof(ReportFile)); refused != 0) {
    return Unexpected(SystemError(path, refused));
  }
  void* memory = mmap(nullptr, sizeof(ReportFile), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return Unexpected(SystemError(path, errno));
  made->file_ = new (memory) ReportFile;
  return made;
}

ReportMapping::~ReportMapping() {
  if (file_ != nullptr) munmap(file_, sizeof(ReportFile));
  if (!path_.empty()) (void)unlink(path_.c_str());  // the user may have removed it
}

hwsim::Expected<std::string> FindProgram(const std::string& name) {
  int why = ENOENT;
  const auto take = [&](const std::string& path) {
    if (IsRunnable(path)) return true;
    if (access(path.c_str(), F_OK) == 0) why = EACCES;
    return false;
  };
  if (name.find('/') != std::string::npos) {
    if (take(name)) return name;
    return Unexpected(SystemError(name, why));
  }
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/bin:/usr/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (!name.empty() && take(candidate)) return candidate;
  }
  return Unexpected(SystemError(name, why));
}

std::string WhyNotPreloaded(const std::string& path) {
  std::string program = path;
  for (int scripts = 0; scripts < 4; ++scripts) {
    const UniqueFd fd(open(program.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return {};  // executable but not readable: RunCheck sees whether it loads
    const std::string interpreter = InterpreterOf(fd.get());
    if (interpreter.empty()) {
      const std::string why = WhySecure(fd.get());
      return why.empty() ? WhyNotPreloadedElf(fd.get()) : why;
    }
    program = interpreter;
  }
  return {};
}

hwsim::Expected<std::string> FindCheckLibrary() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* folder : {".", "../lib", "../lib/ghostcard", "../waitctx/check"}) {
    const auto candidate = (self / folder / kLibraryName).lexically_normal();
    if (!std::filesystem::exists(candidate, error)) continue;
    const std::string path = candidate;
    if (path.find_first_of(": ") != std::string::npos) {
      return Unexpected(fmt::format(
          "{}: LD_PRELOAD cannot name a path with a space or a colon; move ghostcard", path));
    }
    return path;
  }
  return Unexpected(fmt::format("{} is not found beside {}, nor in ../lib or ../waitctx/check",
                                kLibraryName, (self / "ghostcard").string()));
}

hwsim::Expected<ProgramEnd> RunProgram(const std::string& path,
                                       const std::vector<std::string>& arguments,
                                       const std::string& library, const std::string& report_path,
                                       hwsim::Duration callback_bound) {
  const char* const preloaded = std::getenv("LD_PRELOAD");
  const bool others = preloaded != nullptr && *preloaded != '\0';
  const auto environment = EnvironmentWith(
      {fmt::format("LD_PRELOAD={}{}{}", library, others ? ":" : "", others ? preloaded : ""),
       fmt::format("{}={}", waitctx::check::kFileVariable, report_path),
       fmt::format("{}={}", waitctx::check::kCallbackBoundVariable, callback_bound.count())});

  // This process may have inherited an ignored SIGCHLD, which would discard the exit code.
  signal(SIGCHLD, SIG_DFL);
  sigset_t signals = PassedOn();
  sigaddset(&signals, SIGCHLD);
  sigset_t before;
  sigprocmask(SIG_BLOCK, &signals, &before);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &before);
  pid_t child = 0;
  const int refused = posix_spawn(&child, path.c_str(), nullptr, &attributes,
                                  Pointers(arguments).data(), Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (refused != 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return Unexpected(SystemError(path, refused));
  }
  const ProgramEnd end = WaitFor(child, signals);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return end;
}

}  // namespace tools::check
