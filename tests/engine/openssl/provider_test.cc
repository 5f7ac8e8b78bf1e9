// Each algorithm of the provider, compared with the default provider: both make equal bytes, or
// each accepts the other's results. In plain code, in jobs with a wait fd, and in jobs with a
// callback.
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "tests/engine/openssl/module.h"
#include "tests/engine/openssl/pkeys.h"

namespace tests {
namespace {

constexpr char kGhostcard[] = "?provider=ghostcard";
constexpr char kDefault[] = "provider=default";

class ProviderTest : public ::testing::TestWithParam<Way> {
 protected:
  static void SetUpTestSuite() {
    ::setenv("GHOSTCARD_THRESHOLD_DIGEST", "1024", 1);
    ::setenv("GHOSTCARD_THRESHOLD_MAC", "1024", 1);
    ::setenv("GHOSTCARD_THRESHOLD_CBC", "1024", 1);
    ::setenv("GHOSTCARD_THRESHOLD_CTR", "1024", 1);
    ::setenv("GHOSTCARD_THRESHOLD_GCM", "1024", 1);
    ::setenv("GHOSTCARD_THRESHOLD_CHACHA20_POLY1305", "1024", 1);
    ::setenv("GHOSTCARD_THRESHOLD_KDF", "32", 1);
    module_ = new Module;
  }
  static void TearDownTestSuite() {
    delete module_;
    module_ = nullptr;
  }
  void SetUp() override {
    ASSERT_NE(module_->provider, nullptr) << Errors();
    requests_before_ = module_->Counter("ghostcard-requests");
  }
  void TearDown() override {
    EXPECT_EQ(module_->Counter("ghostcard-in-flight"), 0u);
    EXPECT_EQ(module_->Counter("ghostcard-software"), 0u);
  }
  static OSSL_LIB_CTX* library() { return module_->context.get(); }
  uint64_t requests() const { return module_->Counter("ghostcard-requests") - requests_before_; }
  // Runs `work` in the way of this test. Expects that it succeeds and uses the card.
  void Run(const std::string& what, const std::function<bool()>& work) {
    const uint64_t before = module_->Counter("ghostcard-requests");
    EXPECT_EQ(RunBy(GetParam(), [&] { return work() ? 1 : 0; }), 1) << what << ": " << Errors();
    EXPECT_GT(module_->Counter("ghostcard-requests"), before) << what << " did not go to the card";
  }

  static inline Module* module_ = nullptr;
  uint64_t requests_before_ = 0;
};

// --- digests, MACs, ciphers, key derivation ---

Bytes Hash(OSSL_LIB_CTX* library, const char* name, const char* properties, const Bytes& data) {
  EVP_MD* md = EVP_MD_fetch(library, name, properties);
  Bytes out(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  const DigestContext context(EVP_MD_CTX_new());
  const size_t half = data.size() / 2;
  if (md == nullptr || EVP_DigestInit_ex2(context.get(), md, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), data.data(), half) != 1 ||
      EVP_DigestUpdate(context.get(), data.data() + half, data.size() - half) != 1 ||
      EVP_DigestFinal_ex(context.get(), out.data(), &size) != 1) {
    size = 0;
  }
  out.resize(size);
  EVP_MD_free(md);
  return out;
}

TEST_P(ProviderTest, DigestsAreTheDefaultProviders) {
  for (const char* name : {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-224", "SHA3-256",
                           "SHA3-384", "SHA3-512"}) {
    const Bytes data = Pattern(10'000);
    Bytes by_ghostcard;
    Run(name, [&] { return !(by_ghostcard = Hash(library(), name, kGhostcard, data)).empty(); });
    EXPECT_EQ(by_ghostcard, Hash(library(), name, kDefault, data)) << name;
    // A short message stays in the caller.
    const uint64_t before = requests();
    EXPECT_EQ(Hash(library(), name, kGhostcard, Pattern(100)),
              Hash(library(), name, kDefault, Pattern(100)));
    EXPECT_EQ(requests(), before);
  }
}

Bytes Hmac(OSSL_LIB_CTX* library, const char* properties, const Bytes& data) {
  Bytes out(EVP_MAX_MD_SIZE);
  size_t size = 0;
  const unsigned char key[] = "a key";
  if (EVP_Q_mac(library, "HMAC", properties, "SHA256", nullptr, key, sizeof(key), data.data(),
                data.size(), out.data(), out.size(), &size) == nullptr) {
    size = 0;
  }
  out.resize(size);
  return out;
}

TEST_P(ProviderTest, HmacIsTheDefaultProviders) {
  const Bytes data = Pattern(5000);
  Bytes by_ghostcard;
  Run("HMAC", [&] { return !(by_ghostcard = Hmac(library(), kGhostcard, data)).empty(); });
  EXPECT_EQ(by_ghostcard, Hmac(library(), kDefault, data));
}

// Encrypts or decrypts `data` with the cipher `name`. For AEADs the tag follows the data, and there
// is additional data.
Bytes Crypt(OSSL_LIB_CTX* library, const char* name, const char* properties, bool encrypt,
            const Bytes& data) {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(library, name, properties);
  const CipherContext context(EVP_CIPHER_CTX_new());
  const Bytes key = Pattern(32), iv = Pattern(16), aad = Pattern(13);
  const bool aead = cipher != nullptr && (EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER);
  Bytes input = data, tag(16), out(data.size() + 32);
  if (aead && !encrypt) {
    tag.assign(input.end() - 16, input.end());
    input.resize(input.size() - 16);
  }
  int size = 0, more = 0, ignored = 0;
  bool good = cipher != nullptr && EVP_CipherInit_ex2(context.get(), cipher, key.data(), iv.data(),
                                                      encrypt, nullptr) == 1;
  if (aead) {
    good = good && EVP_CipherUpdate(context.get(), nullptr, &ignored, aad.data(), 13) == 1;
    if (!encrypt) {
      good = good && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1;
    }
  }
  good = good && EVP_CipherUpdate(context.get(), out.data(), &size, input.data(),
                                  static_cast<int>(input.size())) == 1;
  good = good && EVP_CipherFinal_ex(context.get(), out.data() + size, &more) == 1;
  out.resize(good ? static_cast<size_t>(size + more) : 0);
  if (good && aead && encrypt) {
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()), 1);
    out.insert(out.end(), tag.begin(), tag.end());
  }
  EVP_CIPHER_free(cipher);
  return out;
}

TEST_P(ProviderTest, CiphersAreTheDefaultProviders) {
  for (const char* name : {"AES-128-CBC", "AES-256-CBC", "AES-128-CTR", "AES-256-CTR",
                           "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"}) {
    const Bytes data = Pattern(4100);
    Bytes sealed, opened;
    Run(name, [&] { return !(sealed = Crypt(library(), name, kGhostcard, true, data)).empty(); });
    EXPECT_EQ(sealed, Crypt(library(), name, kDefault, true, data)) << name;
    Run(name,
        [&] { return !(opened = Crypt(library(), name, kGhostcard, false, sealed)).empty(); });
    EXPECT_EQ(opened, data) << name;
  }
}

TEST_P(ProviderTest, ForgedMessagesAreRefused) {
  for (const char* name : {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"}) {
    Bytes sealed = Crypt(library(), name, kDefault, true, Pattern(3000));
    sealed[17] ^= 1;
    EXPECT_EQ(
        RunBy(GetParam(),
              [&] { return Crypt(library(), name, kGhostcard, false, sealed).empty() ? 1 : 0; }),
        1)
        << name;
  }
  Errors();
}

Bytes Derive(OSSL_LIB_CTX* library, const char* name, const char* properties) {
  EVP_KDF* kdf = EVP_KDF_fetch(library, name, properties);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  Bytes secret = Pattern(48), seed = Pattern(32);
  char digest[] = "SHA256", label[] = "key", prefix[] = "tls13 ";
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  std::vector<OSSL_PARAM> params = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0)};
  if (std::strcmp(name, "TLS1-PRF") == 0) {
    params.push_back(
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(), secret.size()));
    params.push_back(
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()));
  } else {
    secret.resize(32);
    params.push_back(
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()));
    if (std::strcmp(name, "TLS13-KDF") == 0) {
      params.push_back(OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode));
      params.push_back(OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix, 6));
      params.push_back(OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, label, 3));
    } else {
      params.push_back(
          OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, seed.data(), seed.size()));
    }
  }
  params.push_back(OSSL_PARAM_construct_end());
  Bytes out(40);
  if (EVP_KDF_derive(context, out.data(), out.size(), params.data()) != 1) out.clear();
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

TEST_P(ProviderTest, KeyDerivationsAreTheDefaultProviders) {
  for (const char* name : {"HKDF", "TLS13-KDF", "TLS1-PRF"}) {
    Bytes by_ghostcard;
    Run(name, [&] { return !(by_ghostcard = Derive(library(), name, kGhostcard)).empty(); });
    EXPECT_EQ(by_ghostcard, Derive(library(), name, kDefault)) << name;
  }
}

// --- keys ---

const KeyForm kSigningKeys[] = {
    {"RSA", nullptr, 2048}, {"RSA-PSS", nullptr, 2048}, {"EC", "P-256", 0},   {"EC", "P-384", 0},
    {"EC", "P-521", 0},     {"ED25519", nullptr, 0},    {"ED448", nullptr, 0}};
const KeyForm kExchangeKeys[] = {{"EC", "P-256", 0},
                                 {"EC", "P-384", 0},
                                 {"EC", "P-521", 0},
                                 {"X25519", nullptr, 0},
                                 {"X448", nullptr, 0}};

TEST_P(ProviderTest, SignaturesAreGoodForTheDefaultProviderAndTheReverse) {
  const Bytes message = Pattern(300);
  for (const KeyForm& form : kSigningKeys) {
    const std::string name = Name(form);
    const Pkey ghostcard_key = MakeKey(library(), form, kGhostcard);
    ASSERT_NE(ghostcard_key, nullptr) << name << ": " << Errors();
    ASSERT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(ghostcard_key.get())), "ghostcard");
    const Pkey default_key = MoveKey(library(), ghostcard_key.get(), kDefault);
    ASSERT_NE(default_key, nullptr) << name << ": " << Errors();
    Bytes by_ghostcard;
    Run(name + " sign", [&] {
      return !(by_ghostcard = Sign(library(), form, ghostcard_key.get(), kGhostcard, message))
                  .empty();
    });
    EXPECT_TRUE(Verify(library(), form, default_key.get(), kDefault, by_ghostcard, message))
        << name;
    Bytes by_default = Sign(library(), form, default_key.get(), kDefault, message);
    Run(name + " verify", [&] {
      return Verify(library(), form, ghostcard_key.get(), kGhostcard, by_default, message);
    });
    if (std::strcmp(form.type, "RSA") == 0 || IsPure(form)) {
      EXPECT_EQ(by_ghostcard, by_default) << name;
    }
    by_default[by_default.size() / 2] ^= 1;
    EXPECT_EQ(RunBy(GetParam(),
                    [&] {
                      return Verify(library(), form, ghostcard_key.get(), kGhostcard, by_default,
                                    message)
                                 ? 1
                                 : 0;
                    }),
              0)
        << name << " accepted a forged signature";
    Errors();
  }
}

// Makes a peer's key as libssl does: from the parameters of its own key, and the peer's point.
TEST_P(ProviderTest, APeersKeyHasTheSizesOfTheDefaultProviders) {
  for (const KeyForm& form : kExchangeKeys) {
    const auto peers_key = [&](const char* properties) -> Pkey {
      const Pkey own = MakeKey(library(), form, properties);
      unsigned char* point = nullptr;
      const size_t size = EVP_PKEY_get1_encoded_public_key(own.get(), &point);
      Pkey peer(EVP_PKEY_new());
      const bool made = size != 0 && EVP_PKEY_copy_parameters(peer.get(), own.get()) == 1 &&
                        EVP_PKEY_set1_encoded_public_key(peer.get(), point, size) == 1;
      OPENSSL_free(point);
      return made ? std::move(peer) : nullptr;
    };
    const Pkey ghostcard_key = peers_key(kGhostcard);
    const Pkey default_key = peers_key(kDefault);
    ASSERT_TRUE(ghostcard_key && default_key) << Name(form) << ": " << Errors();
    EXPECT_EQ(EVP_PKEY_get_bits(ghostcard_key.get()), EVP_PKEY_get_bits(default_key.get()))
        << Name(form);
    EXPECT_EQ(EVP_PKEY_get_security_bits(ghostcard_key.get()),
              EVP_PKEY_get_security_bits(default_key.get()));
    EXPECT_EQ(EVP_PKEY_get_size(ghostcard_key.get()), EVP_PKEY_get_size(default_key.get()))
        << Name(form);
  }
}

TEST_P(ProviderTest, SecretsAreAgreedWithTheDefaultProvider) {
  for (const KeyForm& form : kExchangeKeys) {
    const std::string name = Name(form);
    Pkey alice;
    Run(name + " keygen",
        [&] { return (alice = MakeKey(library(), form, kGhostcard)) != nullptr; });
    const Pkey bob = MakeKey(library(), form, kDefault);
    ASSERT_TRUE(alice && bob) << name << ": " << Errors();
    const Pkey alice_default = MoveKey(library(), alice.get(), kDefault);
    const Pkey bob_ghostcard = MoveKey(library(), bob.get(), kGhostcard);
    ASSERT_TRUE(alice_default && bob_ghostcard) << name << ": " << Errors();
    Bytes by_ghostcard;
    Run(name + " derive", [&] {
      return !(by_ghostcard = Agree(library(), alice.get(), bob_ghostcard.get(), kGhostcard))
                  .empty();
    });
    EXPECT_EQ(by_ghostcard, Agree(library(), bob.get(), alice_default.get(), kDefault)) << name;
  }
}

TEST_P(ProviderTest, RsaEncryptsForTheDefaultProviderAndTheReverse) {
  const Pkey ghostcard_key = MakeKey(library(), {"RSA", nullptr, 2048}, kGhostcard);
  ASSERT_NE(ghostcard_key, nullptr) << Errors();
  const Pkey default_key = MoveKey(library(), ghostcard_key.get(), kDefault);
  const Bytes secret = Pattern(48);
  Bytes sealed, opened;
  Run("encrypt", [&] {
    return !(sealed = RsaCrypt(library(), ghostcard_key.get(), kGhostcard, true, secret)).empty();
  });
  EXPECT_EQ(RsaCrypt(library(), default_key.get(), kDefault, false, sealed), secret);
  sealed = RsaCrypt(library(), default_key.get(), kDefault, true, secret);
  Run("decrypt", [&] {
    return !(opened = RsaCrypt(library(), ghostcard_key.get(), kGhostcard, false, sealed)).empty();
  });
  EXPECT_EQ(opened, secret);
}

INSTANTIATE_TEST_SUITE_P(EveryWay, ProviderTest,
                         ::testing::Values(Way::kPlain, Way::kFd, Way::kCallback), WayName);

}  // namespace
}  // namespace tests
