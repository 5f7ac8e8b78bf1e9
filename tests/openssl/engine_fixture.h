// The ENGINE in processes of its own: a key that is the engine's, and work with it.
#ifndef GHOSTCARD_TESTS_OPENSSL_ENGINE_FIXTURE_H_
#define GHOSTCARD_TESTS_OPENSSL_ENGINE_FIXTURE_H_

#include <stdlib.h>

#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "tests/openssl/engine_module.h"
#include "tests/openssl/pkeys.h"

namespace tests {

// A file for GHOSTCARD_CONFIG or the command CONFIG; its name.
inline std::string ConfigFile(const std::string& toml) {
  const std::string path = ::testing::TempDir() + "/engine_card.toml";
  std::ofstream(path) << toml;
  return path;
}

class EngineUser {
 public:
  EngineUser() : theirs_(MakeKey(nullptr, {"RSA", nullptr, 2048}, nullptr)) {}

  EngineModule& module() { return module_; }
  // Starts the engine, and makes the key its own.
  void Start() {
    ASSERT_TRUE(module_.Start()) << Errors();
    MakeKeyOurs();
  }
  void MakeKeyOurs() {
    ASSERT_EQ(ENGINE_set_default(module_.get(), ENGINE_METHOD_RSA), 1) << Errors();
    ours_ = MoveKey(nullptr, theirs_.get(), nullptr);
    ENGINE_unregister_RSA(module_.get());
    ASSERT_NE(ours_, nullptr) << Errors();
  }
  // A signature by the card; 1 if it is good.
  int SignOnce() const {
    const PkeyContext context(EVP_PKEY_CTX_new(ours_.get(), nullptr));
    unsigned char hash[32] = {1, 2, 3}, signature[256];
    size_t size = sizeof(signature);
    if (EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_sign(context.get(), signature, &size, hash, sizeof(hash)) != 1) {
      return 0;
    }
    const PkeyContext check(EVP_PKEY_CTX_new(theirs_.get(), nullptr));
    return EVP_PKEY_verify_init(check.get()) == 1 &&
           EVP_PKEY_verify(check.get(), signature, size, hash, sizeof(hash)) == 1;
  }
  std::function<int()> Signing() {
    return [this] { return SignOnce(); };
  }
  // SHA-256 of so many bytes, by the engine; 1 if it is right.
  int HashOnce(size_t bytes) const {
    const Bytes data = Pattern(bytes);
    unsigned char mine[32], theirs[32];
    return EVP_Digest(data.data(), bytes, mine, nullptr, EVP_sha256(), module_.get()) == 1 &&
           EVP_Digest(data.data(), bytes, theirs, nullptr, EVP_sha256(), nullptr) == 1 &&
           Bytes(mine, mine + 32) == Bytes(theirs, theirs + 32);
  }
  // Whether `work` is done by the card.
  template <typename Work>
  static bool GoesToCard(Work work) {
    const uint64_t before = EngineModule::stats().requests;
    EXPECT_EQ(work(), 1) << Errors();
    return EngineModule::stats().requests > before;
  }

 private:
  EngineModule module_;
  Pkey theirs_, ours_;
};

}  // namespace tests

#endif  // GHOSTCARD_TESTS_OPENSSL_ENGINE_FIXTURE_H_
