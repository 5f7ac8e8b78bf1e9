#include "tools/tls/tls_card.h"

#include <fmt/format.h>
#include <openssl/core.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "hwsim/base/enum_names.h"
#include "hwsim/base/fd.h"
#include "hwsim/rings/transport.h"

extern "C" {
// The provider's entry point, declared as in provider-base(7).
int OSSL_provider_init(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* in,
                       const OSSL_DISPATCH** out, void** provctx);
}

namespace tools::tls {

using hwsim::Expected;

namespace {

// The contents of an openssl.cnf that loads the card.
std::string Configuration(const TlsCardOptions& options) {
  const load::CardOptions& card = options.card;
  const auto poll_interval =
      std::chrono::duration_cast<std::chrono::microseconds>(card.poll_interval).count();
  return fmt::format(
      "openssl_conf = init\n"
      "[init]\n"
      "providers = providers\n"
      "[providers]\n"
      "default = default_provider\n"
      "ghostcard = ghostcard_provider\n"
      "[default_provider]\n"
      "activate = 1\n"
      "[ghostcard_provider]\n"
      "activate = 1\n"
      "{} = {}\n"
      "transport = {}\n"
      "completion = {}\n"
      "poll_interval_us = {}\n"
      "queue_pairs = {}\n"
      "depth = {}\n"
      "execution_threads = {}\n"
      "seed = {}\n",
      options.config.empty() ? "profile" : "config",
      options.config.empty() ? options.profile : options.config,
      hwsim::EnumNames<hwsim::rings::TransportKind>::NameOf(card.transport),
      hwsim::completion::CompletionModeName(options.completion),
      std::max<int64_t>(poll_interval, 1), card.queue_pairs, card.depth, card.execution_threads,
      card.seed);
}

// libcrypto reads its configuration from a file: this one is in memory.
Expected<hwsim::UniqueFd> FileOf(const std::string& text) {
  hwsim::UniqueFd file(::memfd_create("openssl.cnf", MFD_CLOEXEC));
  if (!file.valid()) {
    return hwsim::Unexpected(hwsim::SystemError("a configuration file in memory", errno));
  }
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    return hwsim::Unexpected(
        hwsim::SystemError("writing a configuration file in memory", written < 0 ? errno : EIO));
  }
  return file;
}

}  // namespace

Expected<LibraryPtr> LoadCard(const TlsCardOptions& options) {
  const auto file = FileOf(Configuration(options));
  if (!file) return hwsim::Unexpected(file.error());
  LibraryPtr library(OSSL_LIB_CTX_new());
  const std::string path = fmt::format("/proc/self/fd/{}", file->get());
  if (library == nullptr) return hwsim::Unexpected(OpensslError("a library context"));
  if (OSSL_PROVIDER_add_builtin(library.get(), "ghostcard", OSSL_provider_init) != 1 ||
      OSSL_LIB_CTX_load_config(library.get(), path.c_str()) != 1 ||
      OSSL_PROVIDER_available(library.get(), "ghostcard") != 1) {
    // libcrypto does not report why a configured provider failed to load. Loading it by name fails
    // for the same reason, and leaves that on the error queue.
    (void)OSSL_PROVIDER_load(library.get(), "ghostcard");
    return hwsim::Unexpected(OpensslError("the ghostcard provider could not be loaded"));
  }
  return library;
}

uint64_t CardCounter(OSSL_LIB_CTX* library, const char* name) {
  struct Question {
    const char* name;
    uint64_t answer = 0;
  } question{name};
  // Its result is the callback's.
  (void)OSSL_PROVIDER_do_all(
      library,
      [](OSSL_PROVIDER* provider, void* argument) {
        if (std::string_view(OSSL_PROVIDER_get0_name(provider)) != "ghostcard") return 1;
        auto& asked = *static_cast<Question*>(argument);
        OSSL_PARAM params[] = {OSSL_PARAM_construct_uint64(asked.name, &asked.answer),
                               OSSL_PARAM_construct_end()};
        // An unknown counter leaves `answer` at 0.
        if (OSSL_PROVIDER_get_params(provider, params) != 1) asked.answer = 0;
        return 1;
      },
      &question);
  return question.answer;
}

}  // namespace tools::tls
