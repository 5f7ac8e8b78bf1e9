// EngineUser: the ENGINE, with a key that it serves, and work for it.
//
// Threads: one; SignOnce and HashOnce: any.
#ifndef GHOSTCARD_TESTS_ENGINE_OPENSSL_ENGINE_FIXTURE_H_
#define GHOSTCARD_TESTS_ENGINE_OPENSSL_ENGINE_FIXTURE_H_

#include <stdlib.h>

#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "tests/engine/openssl/engine_module.h"
#include "tests/engine/openssl/pkeys.h"

namespace tests {

// Writes a file for GHOSTCARD_CONFIG or the command CONFIG. Returns its path.
inline std::string ConfigFile(const std::string& toml) {
  const std::string path = ::testing::TempDir() + "/engine_card.toml";
  std::ofstream(path) << toml;
  return path;
}

class EngineUser {
 public:
  EngineUser() : libcrypto_key_(MakeKey(nullptr, {"RSA", nullptr, 2048}, nullptr)) {}

  EngineModule& module() { return module_; }
  // Starts the engine and gives it the key.
  void Start() {
    ASSERT_TRUE(module_.Start()) << Errors();
    GiveKeyToEngine();
  }
  void GiveKeyToEngine() {
    ASSERT_EQ(ENGINE_set_default(module_.get(), ENGINE_METHOD_RSA), 1) << Errors();
    engine_key_ = MoveKey(nullptr, libcrypto_key_.get(), nullptr);
    ENGINE_unregister_RSA(module_.get());
    ASSERT_NE(engine_key_, nullptr) << Errors();
  }
  // Signs with the engine's key. Returns 1 when libcrypto verifies the signature.
  int SignOnce() const {
    const PkeyContext context(EVP_PKEY_CTX_new(engine_key_.get(), nullptr));
    unsigned char hash[32] = {1, 2, 3}, signature[256];
    size_t size = sizeof(signature);
    if (EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_sign(context.get(), signature, &size, hash, sizeof(hash)) != 1) {
      return 0;
    }
    const PkeyContext check(EVP_PKEY_CTX_new(libcrypto_key_.get(), nullptr));
    return EVP_PKEY_verify_init(check.get()) == 1 &&
           EVP_PKEY_verify(check.get(), signature, size, hash, sizeof(hash)) == 1;
  }
  std::function<int()> Signing() {
    return [this] { return SignOnce(); };
  }
  // Hashes `bytes` bytes with the engine's SHA-256. Returns 1 when the hash is libcrypto's.
  int HashOnce(size_t bytes) const {
    const Bytes data = Pattern(bytes);
    unsigned char by_engine[32], by_libcrypto[32];
    return EVP_Digest(data.data(), bytes, by_engine, nullptr, EVP_sha256(), module_.get()) == 1 &&
           EVP_Digest(data.data(), bytes, by_libcrypto, nullptr, EVP_sha256(), nullptr) == 1 &&
           Bytes(by_engine, by_engine + 32) == Bytes(by_libcrypto, by_libcrypto + 32);
  }
  // Whether the card does `work`, which must return 1.
  template <typename Work>
  static bool GoesToCard(Work work) {
    const uint64_t before = EngineModule::stats().requests;
    EXPECT_EQ(work(), 1) << Errors();
    return EngineModule::stats().requests > before;
  }

 private:
  EngineModule module_;
  Pkey libcrypto_key_, engine_key_;
};

}  // namespace tests

#endif  // GHOSTCARD_TESTS_ENGINE_OPENSSL_ENGINE_FIXTURE_H_
