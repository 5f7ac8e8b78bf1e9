#include "engine/openssl/call.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <new>

#include "engine/openssl/exit_gate.h"
#include "hwsim/operations/libcrypto.h"

namespace engine::openssl {

namespace {

constexpr int kReasonCard = 1;

// The library number of Ghostcard's errors in libcrypto's error queue.
int ErrorLibrary() {
  static const int library = [] {
    const int number = ERR_get_next_error_library();
    static const ERR_STRING_DATA strings[] = {{ERR_PACK(number, 0, 0), "ghostcard"},
                                              {ERR_PACK(number, 0, kReasonCard), "simulated card"},
                                              {0, nullptr}};
    ERR_load_strings_const(strings);
    return number;
  }();
  return library;
}

}  // namespace

CallBytes::~CallBytes() {
  if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

void RaiseError(const std::string& message) {
  ERR_raise_data(ErrorLibrary(), kReasonCard, "%s", message.c_str());
}

Call::~Call() {
  if (function_ == nullptr) return;
  const ExitGate::LibcryptoUse use;
  function_ = nullptr;  // frees libcrypto objects
}

bool Call::Execute() noexcept {
  const ExitGate::LibcryptoUse use;
  const hwsim::operations::ErrorMark mark;
  bool succeeded = false;
  try {
    out_.Resize(out_bytes_max_);  // an earlier run may have shrunk it
    succeeded = function_(out_);
    if (!succeeded) KeepError();
  } catch (const std::bad_alloc&) {
    succeeded = false;
  }
  return succeeded;
}

// Keeps the newest error, which describes the cause best.
void Call::KeepError() {
  const char* data = nullptr;
  int flags = 0;
  const unsigned long code = ERR_peek_last_error_all(nullptr, nullptr, nullptr, &data, &flags);
  if (code == 0) return;
  error_ = {ERR_GET_LIB(code), ERR_GET_REASON(code),
            (flags & ERR_TXT_STRING) != 0 && data != nullptr ? data : ""};
}

void Call::RaiseError() const {
  if (error_.reason == 0) return;
  if (error_.data.empty()) {
    ERR_raise(error_.library, error_.reason);
  } else {
    ERR_raise_data(error_.library, error_.reason, "%s", error_.data.c_str());
  }
}

bool MakeCall(Offload& offload, Operation<Call>& operation) {
  if (offload.Run(operation)) return true;
  if (!Offload::failure_reason().empty()) {
    RaiseError(Offload::failure_reason());
  } else {
    operation->RaiseError();
  }
  return false;
}

}  // namespace engine::openssl
