// Each algorithm of the ENGINE, compared with libcrypto: both make equal bytes, or each accepts the
// other's results. In plain code, in jobs with a wait fd, and in jobs with a callback; with data
// below and above the thresholds.
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "tests/engine/openssl/engine_module.h"
#include "tests/engine/openssl/pkeys.h"

namespace tests {
namespace {

constexpr size_t kThreshold = 1024;
const size_t kSizes[] = {1, 100, kThreshold - 32, kThreshold, kThreshold + 16, 10'000};

class OpensslEngineTest : public ::testing::TestWithParam<Way> {
 protected:
  static void SetUpTestSuite() {
    for (const char* name : {"DIGEST", "CBC", "GCM", "CHACHA20_POLY1305"}) {
      ::setenv((std::string("GHOSTCARD_THRESHOLD_") + name).c_str(),
               std::to_string(kThreshold).c_str(), 1);
    }
    module_ = new EngineModule;
    ASSERT_TRUE(module_->Start()) << Errors();
  }
  static void TearDownTestSuite() {
    delete module_;
    module_ = nullptr;
  }
  void TearDown() override {
    for (long request_class = 1; request_class <= 3; ++request_class) {
      EXPECT_EQ(module_->InFlight(request_class), 0);
    }
    EXPECT_EQ(EngineModule::stats().in_flight, 0u);
    EXPECT_EQ(EngineModule::stats().software, 0u);
    EXPECT_EQ(Errors(), "");
  }
  static ENGINE* ghostcard() { return module_->get(); }
  // Runs `work` in the way of this test. Expects that it succeeds, and that it uses the card if
  // `by_card`.
  void Run(const std::string& what, bool by_card, const std::function<bool()>& work) {
    const uint64_t before = EngineModule::stats().requests;
    EXPECT_EQ(RunBy(GetParam(), [&] { return work() ? 1 : 0; }), 1) << what << ": " << Errors();
    EXPECT_EQ(EngineModule::stats().requests > before, by_card) << what;
  }

  static inline EngineModule* module_ = nullptr;
};

// --- digests ---

const char* const kDigests[] = {"SHA1",     "SHA224",   "SHA256",   "SHA384",  "SHA512",
                                "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"};

Bytes End(EVP_MD_CTX* context) {
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context, out.data(), &size) != 1) size = 0;
  out.resize(size);
  return out;
}

DigestContext Begin(const char* name, ENGINE* by) {
  DigestContext context(EVP_MD_CTX_new());
  if (EVP_DigestInit_ex(context.get(), EVP_get_digestbyname(name), by) != 1) context.reset();
  return context;
}

// Some bytes first, and then `data`.
Bytes Hash(const char* name, ENGINE* by, const Bytes& data) {
  const DigestContext context = Begin(name, by);
  if (context == nullptr || EVP_DigestUpdate(context.get(), "begin", 5) != 1 ||
      EVP_DigestUpdate(context.get(), data.data(), data.size()) != 1) {
    return {};
  }
  return End(context.get());
}

TEST_P(OpensslEngineTest, DigestsAreLibcryptos) {
  for (const char* name : kDigests) {
    for (const size_t size : kSizes) {
      Bytes hash;
      Run(name, size >= kThreshold,
          [&] { return !(hash = Hash(name, ghostcard(), Pattern(size))).empty(); });
      EXPECT_EQ(hash, Hash(name, nullptr, Pattern(size))) << name << " of " << size;
    }
  }
}

TEST_P(OpensslEngineTest, CopiedDigestsGoOnApart) {
  const Bytes head = Pattern(3000), tail = Pattern(2000);
  for (const char* name : {"SHA256", "SHA3-256"}) {
    Bytes whole, part;
    Run(name, true, [&] {
      const DigestContext one = Begin(name, ghostcard());
      // The target of the copy is already in use.
      const DigestContext other = Begin(name, ghostcard());
      if (one == nullptr || EVP_DigestUpdate(one.get(), head.data(), head.size()) != 1 ||
          EVP_DigestUpdate(other.get(), tail.data(), tail.size()) != 1 ||
          EVP_MD_CTX_copy_ex(other.get(), one.get()) != 1 ||
          EVP_DigestUpdate(one.get(), tail.data(), tail.size()) != 1) {
        return false;
      }
      whole = End(one.get());
      part = End(other.get());
      return true;
    });
    const DigestContext reference = Begin(name, nullptr);
    EVP_DigestUpdate(reference.get(), head.data(), head.size());
    const DigestContext copy(EVP_MD_CTX_new());
    EVP_MD_CTX_copy_ex(copy.get(), reference.get());
    EXPECT_EQ(part, End(copy.get()));
    EVP_DigestUpdate(reference.get(), tail.data(), tail.size());
    EXPECT_EQ(whole, End(reference.get()));
  }
}

TEST_P(OpensslEngineTest, OneDigestContextServesManyMessages) {
  const Bytes data = Pattern(4000);
  Run("again", true, [&] {
    const DigestContext context(EVP_MD_CTX_new());
    for (const char* name : {"SHA256", "SHA256", "SHA512"}) {
      Bytes hash;
      if (EVP_DigestInit_ex(context.get(), EVP_get_digestbyname(name), ghostcard()) != 1 ||
          EVP_DigestUpdate(context.get(), data.data(), data.size()) != 1) {
        return false;
      }
      // Copy a context that has ended, and leave a started one unfinished.
      const DigestContext copy(EVP_MD_CTX_new());
      hash = End(context.get());
      EVP_MD_CTX_copy_ex(copy.get(), context.get());
      EVP_DigestInit_ex(context.get(), EVP_get_digestbyname(name), ghostcard());
      EVP_DigestUpdate(context.get(), data.data(), data.size());
      const DigestContext reference = Begin(name, nullptr);
      EVP_DigestUpdate(reference.get(), data.data(), data.size());
      if (hash != End(reference.get())) return false;
    }
    return true;
  });
}

TEST_P(OpensslEngineTest, HmacRunsOnTheDigest) {
  const Bytes data = Pattern(4000);
  const auto hmac = [&](ENGINE* by) {
    Bytes out(EVP_MAX_MD_SIZE);
    unsigned int size = 0;
    HMAC_CTX* const context = HMAC_CTX_new();
    if (HMAC_Init_ex(context, "key", 3, EVP_sha256(), by) != 1 ||
        HMAC_Update(context, data.data(), data.size()) != 1 ||
        HMAC_Final(context, out.data(), &size) != 1) {
      size = 0;
    }
    HMAC_CTX_free(context);
    out.resize(size);
    return out;
  };
  Bytes made;
  Run("HMAC", true, [&] { return !(made = hmac(ghostcard())).empty(); });
  EXPECT_EQ(made, hmac(nullptr));
}

// --- ciphers ---

const char* const kCiphers[] = {"AES-128-CBC", "AES-256-CBC", "AES-128-GCM", "AES-256-GCM",
                                "ChaCha20-Poly1305"};
const char* const kAeads[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};

bool IsAead(const char* name) {
  return (EVP_CIPHER_get_flags(EVP_get_cipherbyname(name)) & EVP_CIPH_FLAG_AEAD_CIPHER) != 0;
}

CipherContext Begin(const char* name, ENGINE* by, bool encrypt) {
  CipherContext context(EVP_CIPHER_CTX_new());
  const Bytes aad = Pattern(13);
  int ignored = 0;
  if (EVP_CipherInit_ex(context.get(), EVP_get_cipherbyname(name), by, Pattern(32).data(),
                        Pattern(16).data(), encrypt) != 1 ||
      (IsAead(name) && EVP_CipherUpdate(context.get(), nullptr, &ignored, aad.data(), 13) != 1)) {
    context.reset();
  }
  return context;
}

bool Add(EVP_CIPHER_CTX* context, const Bytes& in, Bytes& out) {
  Bytes more(in.size() + 32);
  int size = 0;
  if (EVP_CipherUpdate(context, more.data(), &size, in.data(), static_cast<int>(in.size())) != 1) {
    return false;
  }
  out.insert(out.end(), more.begin(), more.begin() + size);
  return true;
}

bool End(EVP_CIPHER_CTX* context, Bytes& out) {
  Bytes more(32);
  int size = 0;
  if (EVP_CipherFinal_ex(context, more.data(), &size) != 1) return false;
  out.insert(out.end(), more.begin(), more.begin() + size);
  return true;
}

// Encrypts or decrypts `data`; for AEADs the tag follows the data.
Bytes Crypt(const char* name, ENGINE* by, bool encrypt, Bytes data) {
  const CipherContext context = Begin(name, by, encrypt);
  if (context == nullptr) return {};
  Bytes tag(16), out;
  if (IsAead(name) && !encrypt) {
    tag.assign(data.end() - 16, data.end());
    data.resize(data.size() - 16);
    if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) != 1) return {};
  }
  if (!Add(context.get(), data, out) || !End(context.get(), out)) return {};
  if (IsAead(name) && encrypt) {
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
    out.insert(out.end(), tag.begin(), tag.end());
  }
  return out;
}

TEST_P(OpensslEngineTest, CiphersAreLibcryptos) {
  for (const char* name : kCiphers) {
    for (const size_t size : kSizes) {
      const std::string what = name + (" of " + std::to_string(size));
      const Bytes data = Pattern(size);
      Bytes sealed, opened;
      Run(what, size >= kThreshold,
          [&] { return !(sealed = Crypt(name, ghostcard(), true, data)).empty(); });
      EXPECT_EQ(sealed, Crypt(name, nullptr, true, data)) << what;
      Run(what, size >= kThreshold,
          [&] { return !(opened = Crypt(name, ghostcard(), false, sealed)).empty(); });
      EXPECT_EQ(opened, data) << what;
    }
  }
}

TEST_P(OpensslEngineTest, ForgedMessagesAreRefused) {
  for (const char* name : kAeads) {
    Bytes sealed = Crypt(name, nullptr, true, Pattern(3000));
    sealed[17] ^= 1;
    Run(name, true, [&] { return Crypt(name, ghostcard(), false, sealed).empty(); });
  }
}

TEST_P(OpensslEngineTest, CopiedCiphersAreIndependent) {
  for (const char* name : kCiphers) {
    Bytes one, other;
    const auto both = [&](ENGINE* by, Bytes& whole, Bytes& part) {
      const CipherContext context = Begin(name, by, true);
      const CipherContext copy = Begin(name, by, true);
      return context != nullptr && Add(context.get(), Pattern(2048), whole) &&
             EVP_CIPHER_CTX_copy(copy.get(), context.get()) == 1 &&
             Add(context.get(), Pattern(4096), whole) && End(context.get(), whole) &&
             Add(copy.get(), Pattern(1600), part) && End(copy.get(), part);
    };
    Run(name, true, [&] { return both(ghostcard(), one, other); });
    Bytes libcrypto_one, libcrypto_other;
    ASSERT_TRUE(both(nullptr, libcrypto_one, libcrypto_other)) << name;
    EXPECT_EQ(one, libcrypto_one) << name;
    EXPECT_EQ(other, libcrypto_other) << name;
  }
}

TEST_P(OpensslEngineTest, CbcUpdatesTheIv) {
  const auto iv_after = [](ENGINE* by) {
    Bytes out;
    const CipherContext context = Begin("AES-128-CBC", by, true);
    EXPECT_TRUE(Add(context.get(), Pattern(2048), out) && Add(context.get(), Pattern(32), out));
    const unsigned char* const iv = EVP_CIPHER_CTX_iv(context.get());
    return Bytes(iv, iv + 16);
  };
  Bytes by_engine;
  Run("CBC", true, [&] { return !(by_engine = iv_after(ghostcard())).empty(); });
  EXPECT_EQ(by_engine, iv_after(nullptr));
}

TEST_P(OpensslEngineTest, OneCipherContextServesManyMessages) {
  for (const char* name : kCiphers) {
    Run(name, true, [&] {
      const CipherContext context = Begin(name, ghostcard(), true);
      const CipherContext reference = Begin(name, nullptr, true);
      for (int i = 0; i < 4; ++i) {
        const size_t size = 1500 * static_cast<size_t>(i + 1);
        Bytes out, expected;
        // A new IV; the key stays.
        if (EVP_CipherInit_ex(context.get(), nullptr, nullptr, nullptr,
                              Pattern(16 + static_cast<size_t>(i)).data(), 1) != 1 ||
            EVP_CipherInit_ex(reference.get(), nullptr, nullptr, nullptr,
                              Pattern(16 + static_cast<size_t>(i)).data(), 1) != 1 ||
            !Add(context.get(), Pattern(size), out) || !End(context.get(), out) ||
            !Add(reference.get(), Pattern(size), expected) || !End(reference.get(), expected) ||
            out != expected) {
          return false;
        }
      }
      return true;
    });
  }
}

// As in libssl: the record header is additional data, and one call processes the record in place.
TEST_P(OpensslEngineTest, TlsRecordsAreSealedAndOpenedInPlace) {
  constexpr size_t kPayload = 2000;
  for (const char* name : kAeads) {
    const bool gcm = std::string(name) != "ChaCha20-Poly1305";
    const size_t explicit_iv = gcm ? 8 : 0, size = explicit_iv + kPayload + 16;
    const auto crypt = [&](ENGINE* by, bool encrypt, Bytes& record) {
      const CipherContext context(EVP_CIPHER_CTX_new());
      if (EVP_CipherInit_ex(context.get(), EVP_get_cipherbyname(name), by, Pattern(32).data(),
                            gcm ? nullptr : Pattern(12).data(), encrypt) != 1 ||
          (gcm && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_IV_FIXED, 4,
                                      Pattern(4).data()) != 1)) {
        return -1;
      }
      if (gcm && encrypt) {
        Bytes iv = Pattern(4);
        iv.resize(12, 7);  // instead of a random IV
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_IV_FIXED, -1, iv.data());
      }
      const size_t length = encrypt ? explicit_iv + kPayload : size;
      unsigned char header[13] = {0, 0, 0, 0, 0, 0, 0, 1, 23, 3, 3};
      header[11] = static_cast<unsigned char>(length >> 8);
      header[12] = static_cast<unsigned char>(length);
      if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_TLS1_AAD, 13, header) != 16) return -1;
      return EVP_Cipher(context.get(), record.data(), record.data(),
                        static_cast<unsigned int>(size));
    };
    Bytes record(size), reference(size);
    for (size_t i = 0; i < kPayload; ++i) record[explicit_iv + i] = static_cast<unsigned char>(i);
    const Bytes plain = record;
    reference = record;
    Run(name, true, [&] { return crypt(ghostcard(), true, record) == static_cast<int>(size); });
    ASSERT_EQ(crypt(nullptr, true, reference), static_cast<int>(size)) << name;
    EXPECT_EQ(record, reference) << name;
    Bytes forged = record;
    forged[100] ^= 1;
    Run(name, true, [&] { return crypt(ghostcard(), false, forged) < 0; });
    // The size that libcrypto's own methods return; providers return another size.
    const int opened = static_cast<int>(gcm ? kPayload : size);
    Run(name, true, [&] { return crypt(ghostcard(), false, record) == opened; });
    const auto from = static_cast<long>(explicit_iv), to = from + static_cast<long>(kPayload);
    EXPECT_EQ(Bytes(record.begin() + from, record.begin() + to),
              Bytes(plain.begin() + from, plain.begin() + to))
        << name;
  }
}

// --- keys: libcrypto gives a new key to the default engine ---

class DefaultEngine {
 public:
  explicit DefaultEngine(ENGINE* engine) : engine_(engine) {
    EXPECT_EQ(ENGINE_set_default(engine_, ENGINE_METHOD_RSA | ENGINE_METHOD_EC), 1) << Errors();
  }
  ~DefaultEngine() {
    ENGINE_unregister_RSA(engine_);
    ENGINE_unregister_EC(engine_);
  }
  DefaultEngine(const DefaultEngine&) = delete;
  DefaultEngine& operator=(const DefaultEngine&) = delete;

 private:
  ENGINE* const engine_;
};

// A copy of `key` that the engine serves.
Pkey GiveToEngine(ENGINE* engine, EVP_PKEY* key) {
  const DefaultEngine scope(engine);
  return MoveKey(nullptr, key, nullptr);
}

const KeyForm kSigningKeys[] = {{"RSA", nullptr, 2048},     {"RSA", nullptr, 3072},
                                {"RSA-PSS", nullptr, 2048}, {"EC", "P-256", 0},
                                {"EC", "P-384", 0},         {"EC", "P-521", 0}};

TEST_P(OpensslEngineTest, SignaturesAreGoodForLibcryptoAndTheReverse) {
  const Bytes message = Pattern(300);
  for (const KeyForm& form : kSigningKeys) {
    const std::string name = Name(form);
    const Pkey libcrypto_key = MakeKey(nullptr, form, nullptr);
    ASSERT_NE(libcrypto_key, nullptr) << Errors();
    const Pkey engine_key = GiveToEngine(ghostcard(), libcrypto_key.get());
    ASSERT_NE(engine_key, nullptr) << Errors();
    Bytes by_engine;
    Run(name, true, [&] {
      return !(by_engine = Sign(nullptr, form, engine_key.get(), nullptr, message)).empty();
    });
    EXPECT_TRUE(Verify(nullptr, form, libcrypto_key.get(), nullptr, by_engine, message)) << name;
    Bytes by_libcrypto = Sign(nullptr, form, libcrypto_key.get(), nullptr, message);
    Run(name, true,
        [&] { return Verify(nullptr, form, engine_key.get(), nullptr, by_libcrypto, message); });
    by_libcrypto[by_libcrypto.size() / 2] ^= 1;
    EXPECT_EQ(RunBy(GetParam(),
                    [&] {
                      return Verify(nullptr, form, engine_key.get(), nullptr, by_libcrypto,
                                    message);
                    }),
              0)
        << name << " accepted a forged signature";
    Errors();
  }
}

TEST_P(OpensslEngineTest, KeysAreMadeAndSecretsAgreedWithLibcrypto) {
  for (const char* curve : {"P-256", "P-384", "P-521"}) {
    const KeyForm form{"EC", curve, 0};
    Pkey alice;
    Run(curve, true, [&] {
      const DefaultEngine scope(ghostcard());
      return (alice = MakeKey(nullptr, form, nullptr)) != nullptr;
    });
    const Pkey bob = MakeKey(nullptr, form, nullptr);
    Bytes secret;
    Run(curve, true,
        [&] { return !(secret = Agree(nullptr, alice.get(), bob.get(), nullptr)).empty(); });
    EXPECT_EQ(secret, Agree(nullptr, bob.get(), alice.get(), nullptr)) << curve;
  }
}

TEST_P(OpensslEngineTest, RsaEncryptsForLibcryptoAndTheReverse) {
  const Pkey libcrypto_key = MakeKey(nullptr, {"RSA", nullptr, 2048}, nullptr);
  const Pkey engine_key = GiveToEngine(ghostcard(), libcrypto_key.get());
  const Bytes secret = Pattern(48);
  Bytes sealed, opened;
  Run("encrypt", true, [&] {
    return !(sealed = RsaCrypt(nullptr, engine_key.get(), nullptr, true, secret)).empty();
  });
  EXPECT_EQ(RsaCrypt(nullptr, libcrypto_key.get(), nullptr, false, sealed), secret);
  sealed = RsaCrypt(nullptr, libcrypto_key.get(), nullptr, true, secret);
  Run("decrypt", true, [&] {
    return !(opened = RsaCrypt(nullptr, engine_key.get(), nullptr, false, sealed)).empty();
  });
  EXPECT_EQ(opened, secret);
  sealed[20] ^= 1;
  EXPECT_TRUE(RsaCrypt(nullptr, engine_key.get(), nullptr, false, sealed).empty());
  EXPECT_NE(Errors(), "") << "libcrypto's error must be on the error queue";
}

// The interface of keys from before providers existed.
TEST_P(OpensslEngineTest, LegacyRsaKeysDoEveryPadding) {
  RSA* const rsa = RSA_new_method(ghostcard());
  BIGNUM* const e = BN_new();
  ASSERT_EQ(BN_set_word(e, RSA_F4), 1);
  ASSERT_EQ(RSA_generate_key_ex(rsa, 2048, e, nullptr), 1) << Errors();
  for (const int padding : {RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING, RSA_NO_PADDING}) {
    const Bytes plain = Pattern(padding == RSA_NO_PADDING ? 256 : 64);
    Bytes sealed(256), opened(256);
    int size = -1;
    Run("RSA", true, [&] {
      return RSA_public_encrypt(static_cast<int>(plain.size()), plain.data(), sealed.data(), rsa,
                                padding) == 256 &&
             (size = RSA_private_decrypt(256, sealed.data(), opened.data(), rsa, padding)) > 0;
    });
    ASSERT_EQ(size, static_cast<int>(plain.size())) << Errors();
    opened.resize(static_cast<size_t>(size));
    EXPECT_EQ(opened, plain);
  }
  BN_free(e);
  RSA_free(rsa);
}

INSTANTIATE_TEST_SUITE_P(EveryWay, OpensslEngineTest,
                         ::testing::Values(Way::kPlain, Way::kFd, Way::kCallback), WayName);

}  // namespace
}  // namespace tests
