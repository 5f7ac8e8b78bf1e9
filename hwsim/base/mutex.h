// Mutex: std::mutex with the annotations that clang's -Wthread-safety checks.
//
// A field is marked with the mutex that protects it: GHOSTCARD_GUARDED_BY(mutex_). A private method
// that needs the lock held is marked GHOSTCARD_REQUIRES(mutex_), one that must not be called with
// it GHOSTCARD_EXCLUDES(mutex_). g++ ignores the marks.
//
// Threads: any. Limits: not recursive.
#ifndef GHOSTCARD_HWSIM_BASE_MUTEX_H_
#define GHOSTCARD_HWSIM_BASE_MUTEX_H_

#include <mutex>

#if defined(__clang__)
#define GHOSTCARD_TSA(x) __attribute__((x))
#else
#define GHOSTCARD_TSA(x)
#endif

#define GHOSTCARD_GUARDED_BY(x) GHOSTCARD_TSA(guarded_by(x))
#define GHOSTCARD_REQUIRES(...) GHOSTCARD_TSA(requires_capability(__VA_ARGS__))
#define GHOSTCARD_EXCLUDES(...) GHOSTCARD_TSA(locks_excluded(__VA_ARGS__))

namespace hwsim {

class GHOSTCARD_TSA(capability("mutex")) Mutex {
 public:
  void lock() GHOSTCARD_TSA(acquire_capability()) { mutex_.lock(); }
  void unlock() GHOSTCARD_TSA(release_capability()) { mutex_.unlock(); }
  bool try_lock() GHOSTCARD_TSA(try_acquire_capability(true)) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

// Holds the mutex from construction to destruction.
class GHOSTCARD_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) GHOSTCARD_TSA(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() GHOSTCARD_TSA(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace hwsim

#endif  // GHOSTCARD_HWSIM_BASE_MUTEX_H_
