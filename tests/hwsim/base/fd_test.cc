#include "hwsim/base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace hwsim {
namespace {

using std::chrono::milliseconds;

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
  }
  UniqueFd reader;
  UniqueFd writer;
};

TEST(UniqueFdTest, ClosesItsDescriptorOnce) {
  Pipe pipe;
  const int fd = pipe.reader.get();
  {
    UniqueFd moved = std::move(pipe.reader);
    EXPECT_FALSE(pipe.reader.valid());
    EXPECT_EQ(moved.get(), fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFdTest, AssignmentClosesTheDescriptorThatWasThere) {
  Pipe pipe;
  const int old = pipe.writer.get();
  pipe.writer = std::move(pipe.reader);
  EXPECT_FALSE(IsOpen(old));
  EXPECT_TRUE(IsOpen(pipe.writer.get()));
}

TEST(UniqueFdTest, ReleasedDescriptorStaysOpen) {
  Pipe pipe;
  const UniqueFd again(pipe.reader.Release());
  EXPECT_FALSE(pipe.reader.valid());
  EXPECT_TRUE(IsOpen(again.get()));
  EXPECT_EQ(pipe.reader.Release(), -1);
}

TEST(EventFdTest, DrainTakesTheWholeCountAndASemaphoreOne) {
  const EventFd counter = EventFd::Create().value();
  const EventFd semaphore = EventFd::Create(EventFd::Kind::kSemaphore).value();
  for (int i = 0; i < 3; ++i) {
    counter.Signal();
    semaphore.Signal();
  }
  EXPECT_EQ(counter.Drain(), 3u);
  EXPECT_EQ(counter.Drain(), 0u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(semaphore.Drain(), 1u);
  EXPECT_EQ(semaphore.Drain(), 0u);
}

TEST(EventFdTest, SignalOfAFullCountDoesNotBlock) {
  const EventFd event = EventFd::Create().value();
  const uint64_t most = UINT64_MAX - 1;
  ASSERT_EQ(::write(event.fd(), &most, sizeof most), ssize_t{sizeof most});
  event.Signal();
  EXPECT_EQ(event.Drain(), most);
}

TEST(IsReadableTest, FollowsAnEventFdsCount) {
  const EventFd event = EventFd::Create().value();
  EXPECT_FALSE(IsReadable(event.fd()));
  event.Signal();
  EXPECT_TRUE(IsReadable(event.fd()));
  EXPECT_TRUE(IsReadable(event.fd())) << "looking takes nothing";
  event.Drain();
  EXPECT_FALSE(IsReadable(event.fd()));
}

TEST(IsReadableTest, HangUpIsReadableAndAClosedDescriptorIsNot) {
  Pipe pipe;
  const int fd = pipe.reader.get();
  EXPECT_FALSE(IsReadable(fd));
  pipe.writer.Reset();
  EXPECT_TRUE(IsReadable(fd)) << "a read would return the end of file";
  pipe.reader.Reset();
  EXPECT_FALSE(IsReadable(fd));
  EXPECT_FALSE(IsReadable(-1));
}

TEST(IsReadableTest, WaitsForItsTimeout) {
  const EventFd event = EventFd::Create().value();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(IsReadable(event.fd(), milliseconds(5)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(4));
  std::thread signaller([&] { event.Signal(); });
  EXPECT_TRUE(IsReadable(event.fd(), milliseconds(60'000)));
  signaller.join();
}

TEST(IsReadableTest, SignalDoesNotEndTheWait) {
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART: poll() fails with EINTR
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  const EventFd event = EventFd::Create().value();
  itimerval once{};
  once.it_value.tv_usec = 1000;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(::setitimer(ITIMER_REAL, &once, nullptr), 0);
  EXPECT_FALSE(IsReadable(event.fd(), milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(19));
  ASSERT_EQ(::sigaction(SIGALRM, &before, nullptr), 0);
}

}  // namespace
}  // namespace hwsim
