// ContextChange: a call that changes a context of libcrypto's: more data for a digest, the next
// piece of a message.
//
// The card works on a copy, which takes the context's place when the call was good. So a call that
// the card failed can be made again, and one that was given up leaves the owner its context as it
// was, whatever the card does with the copy.
// Where libcrypto cannot copy, the call changes the context itself, and cannot be made again.
//
// Threads: one at a time; the function that it makes on any.
#ifndef GHOSTCARD_ENGINE_OPENSSL_CONTEXT_CHANGE_H_
#define GHOSTCARD_ENGINE_OPENSSL_CONTEXT_CHANGE_H_

#include <openssl/evp.h>

#include <memory>
#include <utility>

#include "engine/openssl/call.h"

namespace engine {

using DigestContext = std::shared_ptr<EVP_MD_CTX>;
using CipherContext = std::shared_ptr<EVP_CIPHER_CTX>;
using MacContext = std::shared_ptr<EVP_MAC_CTX>;

DigestContext NewDigestContext();
CipherContext NewCipherContext();

// Null: no memory, or libcrypto cannot copy such a one.
DigestContext CopyOf(const EVP_MD_CTX& context);
CipherContext CopyOf(const EVP_CIPHER_CTX& context);
MacContext CopyOf(const EVP_MAC_CTX& context);

template <typename Context>
class ContextChange {
 public:
  enum class By : uint8_t { kCopy, kInPlace };

  // Changes what `context` points to, and in the end where it points. Outlived by `context`.
  explicit ContextChange(std::shared_ptr<Context>& context, By by = By::kCopy)
      : context_(context), shared_(std::make_shared<Shared>(context, by)) {}

  // A call's function: work(context, out) on the copy.
  template <typename Work>
  Call::Function Function(Work work) const {
    return [shared = shared_, work = std::move(work)](CallBytes& out) {
      auto changed = shared->Next();
      if (changed == nullptr || !work(*changed, out)) return false;
      shared->after = std::move(changed);
      return true;
    };
  }

  // The call has ended; answers `good`.
  bool End(bool good) {
    if (good) {
      context_ = std::move(shared_->after);
    } else if (auto copy = shared_->Copy()) {
      context_ = std::move(copy);  // the card may still be reading the one that was
    }
    return good;
  }

 private:
  struct Shared {
    Shared(std::shared_ptr<Context> context, By by) : before(std::move(context)), by_(by) {}
    std::shared_ptr<Context> Copy() const { return by_ == By::kCopy ? CopyOf(*before) : nullptr; }
    // What is worked on next; null: nothing can be, again.
    std::shared_ptr<Context> Next() {
      if (auto copy = Copy()) return copy;
      return std::exchange(used_up_, true) ? nullptr : before;
    }
    const std::shared_ptr<Context> before;
    std::shared_ptr<Context> after;

   private:
    const By by_;
    bool used_up_ = false;
  };

  std::shared_ptr<Context>& context_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace engine

#endif  // GHOSTCARD_ENGINE_OPENSSL_CONTEXT_CHANGE_H_
