// The short paths of WaitContext, inline. Only wait_context.h includes it.
#ifndef GHOSTCARD_WAITCTX_WAIT_CONTEXT_INL_H_
#define GHOSTCARD_WAITCTX_WAIT_CONTEXT_INL_H_

namespace waitctx {

inline WaitContextRef WaitContext::Create() { return WaitContextRef::Adopt(New()); }

inline void WaitContext::Retain() {
  // Relaxed: the caller's reference already keeps the context alive; the new one publishes nothing.
  gate_.fetch_add(kRef, std::memory_order_relaxed);
}

inline void WaitContext::Release() {
  // Acquire: this thread sees what the others did before they released (the release below). If ours
  // is the only reference, no thread can add another: no read-modify-write is needed.
  if (gate_.load(std::memory_order_acquire) < 2 * kRef ||
      gate_.fetch_sub(kRef, std::memory_order_acq_rel) < 2 * kRef) {
    Destroy(this);
  }
}

inline const WaitContext::Entry* WaitContext::Find(const void* key) const {
  for (const Entry* entry = entries_ + count_; entry-- != entries_;) {
    if (entry->key == key && !entry->removed) return entry;
  }
  return nullptr;
}

inline std::optional<WaitContext::WaitFd> WaitContext::GetWaitFd(const void* key) const {
  const Entry* entry = Find(key);
  return entry == nullptr ? std::nullopt : std::optional<WaitFd>({entry->fd, entry->data});
}

inline size_t WaitContext::CopyWaitFds(std::span<int> out) const {
  int* written = out.data();
  for (const Entry* entry = entries_ + count_; entry-- != entries_;) {
    if (!entry->removed) *written++ = entry->fd;
  }
  return static_cast<size_t>(written - out.data());
}

inline void WaitContext::ResetChanges() {
  if ((added_ | removed_) != 0) ForgetChanges();
}

inline WaitContextRef::WaitContextRef(const WaitContextRef& other) : context_(other.context_) {
  if (context_ != nullptr) context_->Retain();
}

inline WaitContextRef::~WaitContextRef() {
  if (context_ != nullptr) context_->Release();
}

inline WaitContextRef WaitContextRef::Retain(WaitContext* context) {
  if (context != nullptr) context->Retain();
  return Adopt(context);
}

inline WaitContextRef WaitContextRef::Adopt(WaitContext* context) {
  WaitContextRef ref;
  ref.context_ = context;
  return ref;
}

inline void WaitContextRef::CloseAndReset() {
  if (context_ != nullptr) std::exchange(context_, nullptr)->CloseAndRelease();
}

}  // namespace waitctx

#endif  // GHOSTCARD_WAITCTX_WAIT_CONTEXT_INL_H_
