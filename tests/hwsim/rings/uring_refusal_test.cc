// What happens where io_uring is refused: in a forked child, a seccomp filter makes io_uring_setup
// return an errno, as container runtimes do.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include "hwsim/rings/transport.h"
#include "hwsim/rings/uring_transport.h"

namespace hwsim::rings {
namespace {

bool RefuseUring(int error_number) {
  std::array filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K,
                           SECCOMP_RET_ERRNO | static_cast<uint32_t>(error_number)),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Runs `answer` in a child to which io_uring is refused, and returns its result.
template <typename Answer>
std::string InRefusedChild(int error_number, Answer answer) {
  int pipe_fds[2];
  if (::pipe(pipe_fds) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string text = RefuseUring(error_number) ? answer() : "no seccomp";
    const ssize_t written = ::write(pipe_fds[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(pipe_fds[1]);
  std::string text(4096, '\0');
  size_t length = 0;
  ssize_t got = 0;
  while ((got = ::read(pipe_fds[0], text.data() + length, text.size() - length)) > 0) {
    length += static_cast<size_t>(got);
  }
  ::close(pipe_fds[0]);
  ::waitpid(child, nullptr, 0);
  text.resize(length);
  return text;
}

std::string KindAndNote(TransportKind kind) {
  std::string note;
  auto transport = CreateTransport(kind, 1, 16, &note);
  if (!transport) return "error: " + transport.error().message;
  return std::string((*transport)->name()) + ": " + note;
}

struct Refusal {
  int error_number;
  std::string name;
  std::string cause;
};

class UringRefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(UringRefusalTest, UringFailsWithOneLineThatNamesTheErrorAndTheCause) {
  const std::string answer =
      InRefusedChild(GetParam().error_number, [] { return KindAndNote(TransportKind::kUring); });
  EXPECT_TRUE(answer.starts_with("error: io_uring refused: ")) << answer;
  EXPECT_NE(answer.find(GetParam().name), std::string::npos) << answer;
  EXPECT_NE(answer.find(GetParam().cause), std::string::npos) << answer;
  EXPECT_EQ(answer.find('\n'), std::string::npos) << answer;
}

TEST_P(UringRefusalTest, AutoTakesMemoryAndSaysWhyInTheNote) {
  const std::string answer =
      InRefusedChild(GetParam().error_number, [] { return KindAndNote(TransportKind::kAuto); });
  EXPECT_TRUE(answer.starts_with("memory: io_uring refused: ")) << answer;
  EXPECT_NE(answer.find(GetParam().name), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("; using the memory transport")) << answer;
  EXPECT_EQ(answer.find('\n'), std::string::npos) << answer;
}

INSTANTIATE_TEST_SUITE_P(Errors, UringRefusalTest,
                         ::testing::Values(Refusal{EPERM, "EPERM", ""},
                                           Refusal{ENOSYS, "ENOSYS", "no io_uring"},
                                           Refusal{ENOMEM, "ENOMEM", "locked memory"}),
                         [](const auto& info) { return info.param.name; });

TEST(UringRefusalTextTest, NamesTheSysctlOrSeccomp) {
  EXPECT_NE(UringRefusal(EPERM, "2").find("kernel.io_uring_disabled is 2"), std::string::npos);
  EXPECT_NE(UringRefusal(EPERM, "0").find("seccomp"), std::string::npos);
  EXPECT_NE(UringRefusal(EPERM, "").find("seccomp"), std::string::npos);
}

TEST(CreateTransportTest, MemoryNeedsNoNote) {
  EXPECT_EQ(KindAndNote(TransportKind::kMemory), "memory: ");
}

}  // namespace
}  // namespace hwsim::rings
