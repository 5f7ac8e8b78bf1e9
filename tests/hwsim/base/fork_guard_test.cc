#include "hwsim/base/fork_guard.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hwsim {
namespace {

// Runs `answer` in a forked child and returns what it returned there; false: the child crashed.
template <typename Answer>
bool InChild(Answer answer) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(answer() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(ForkGuardTest, TellsTheChildFromItsParent) {
  const ForkGuard guard;
  EXPECT_TRUE(guard.InCreator());
  EXPECT_TRUE(InChild([&] { return !guard.InCreator(); }));
  EXPECT_TRUE(guard.InCreator());
}

TEST(ForkGuardTest, GuardMadeInAChildBelongsToTheChild) {
  const ForkGuard guard;
  EXPECT_TRUE(InChild([&] {
    const ForkGuard own;
    return own.InCreator() && !guard.InCreator() &&
           InChild([&] { return !own.InCreator() && !guard.InCreator(); });
  }));
}

}  // namespace
}  // namespace hwsim
