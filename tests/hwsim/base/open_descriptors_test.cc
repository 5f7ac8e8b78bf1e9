#include "hwsim/base/open_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <vector>

#include "hwsim/base/fd.h"

namespace hwsim {
namespace {

TEST(OpenDescriptorsTest, CountFollowsEachOpenAndClose) {
  const size_t before = CountOpenDescriptors();
  EXPECT_EQ(CountOpenDescriptors(), before) << "counting leaks";
  std::vector<EventFd> fds;
  for (size_t i = 1; i <= 5; ++i) {
    fds.push_back(EventFd::Create().value());
    EXPECT_EQ(CountOpenDescriptors(), before + i);
  }
  fds.clear();
  EXPECT_EQ(CountOpenDescriptors(), before);
}

TEST(OpenDescriptorsTest, CountLeavesOutItsOwnDescriptor) {
  size_t open = 0;
  for (int fd = 0; fd < 4096; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) ++open;
  }
  EXPECT_EQ(CountOpenDescriptors(), open);
}

TEST(OpenDescriptorsTest, CountIsZeroWhenNoDescriptorIsLeftToCountWith) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const size_t count = CountOpenDescriptors();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(count, 0u);
  EXPECT_GT(CountOpenDescriptors(), 0u);
}

}  // namespace
}  // namespace hwsim
