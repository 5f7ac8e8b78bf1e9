#include "hwsim/card/work_pool.h"

#include <utility>

namespace hwsim::card {

WorkPool::WorkPool(uint32_t threads, std::function<void()> wake) : wake_(std::move(wake)) {
  threads_.reserve(threads);
  for (uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkPool::~WorkPool() {
  {
    MutexLock lock(todo_mutex_);
    stopping_ = true;
  }
  todo_cv_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkPool::Start(operations::Request& request, uint32_t queue_pair) {
  ++pending_;
  {
    MutexLock lock(todo_mutex_);
    todo_.push_back({.request = &request, .queue_pair = queue_pair});
  }
  todo_cv_.notify_one();
}

void WorkPool::TakeDone(std::vector<Work>& done) {
  done.clear();
  if (!any_done_.load(std::memory_order_relaxed)) return;
  MutexLock lock(done_mutex_);
  any_done_.store(false, std::memory_order_relaxed);
  std::swap(done, done_);
  pending_ -= done.size();
}

void WorkPool::Run() {
  while (true) {
    Work work;
    {
      MutexLock lock(todo_mutex_);
      while (todo_.empty() && !stopping_) todo_cv_.wait(todo_mutex_);
      if (stopping_) return;
      work = todo_.front();
      todo_.pop_front();
    }
    work.ok = work.request->execute(*work.request);
    {
      MutexLock lock(done_mutex_);
      done_.push_back(work);
      any_done_.store(true, std::memory_order_relaxed);
    }
    wake_();
  }
}

}  // namespace hwsim::card
