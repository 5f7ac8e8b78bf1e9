// ContextChange: a Call that changes a libcrypto context, for example one that adds data to a
// digest.
//
// The card works on a copy. When the call succeeds, the copy replaces the owner's context. A failed
// call can therefore run again, and a call that was given up leaves the owner's context unchanged,
// whatever the card still does with the copy.
// Limits: where libcrypto cannot copy a context, the call changes the context itself and cannot
// run again.
//
// Threads: one at a time. The function that Function() returns may run on any thread.
#ifndef GHOSTCARD_ENGINE_OPENSSL_CONTEXT_CHANGE_H_
#define GHOSTCARD_ENGINE_OPENSSL_CONTEXT_CHANGE_H_

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "engine/openssl/call.h"
#include "engine/openssl/shared_object.h"

namespace engine::openssl {

// Null: no memory.
SharedDigestContext NewDigestContext();
SharedCipherContext NewCipherContext();

// Null: no memory, or libcrypto cannot copy this context. Leaves no error in the thread's error
// queue, because the caller can go on without a copy.
SharedDigestContext CopyOf(const EVP_MD_CTX& context);
SharedCipherContext CopyOf(const EVP_CIPHER_CTX& context);
SharedMacContext CopyOf(const EVP_MAC_CTX& context);

template <typename Context>
class ContextChange {
 public:
  enum class Target : uint8_t { kCopy, kContextItself };

  // The change is to the context that `context` points to. End() may let `context` point to a
  // copy. Requires: `context` outlives this object.
  explicit ContextChange(std::shared_ptr<Context>& context, Target target = Target::kCopy)
      : context_(context), state_(std::make_shared<State>(context, target)) {}

  // Returns the function for a Call. It runs work(context, out) on the copy.
  template <typename Work>
  Call::Function Function(Work work) const {
    return [state = state_, work = std::move(work)](CallBytes& out) {
      auto changed = state->NextTarget();
      if (changed == nullptr || !work(*changed, out)) return false;
      state->after = std::move(changed);
      return true;
    };
  }

  // Call it when the Call has ended; `succeeded` is the Call's result. Returns `succeeded`.
  bool End(bool succeeded) {
    if (succeeded) {
      context_ = std::move(state_->after);
    } else if (auto copy = state_->Copy()) {
      context_ = std::move(copy);  // the card may still read the old context
    }
    return succeeded;
  }

 private:
  // The function shares it: the Call may outlive this object.
  struct State {
    State(std::shared_ptr<Context> context, Target target)
        : before(std::move(context)), target_(target) {}
    std::shared_ptr<Context> Copy() const {
      return target_ == Target::kCopy ? CopyOf(*before) : nullptr;
    }
    // The context that the next run changes. Null: there is no copy, and an earlier run has
    // changed the context itself.
    std::shared_ptr<Context> NextTarget() {
      if (auto copy = Copy()) return copy;
      return std::exchange(used_up_, true) ? nullptr : before;
    }
    const std::shared_ptr<Context> before;
    std::shared_ptr<Context> after;

   private:
    const Target target_;
    bool used_up_ = false;
  };

  std::shared_ptr<Context>& context_;
  const std::shared_ptr<State> state_;
};

}  // namespace engine::openssl

#endif  // GHOSTCARD_ENGINE_OPENSSL_CONTEXT_CHANGE_H_
