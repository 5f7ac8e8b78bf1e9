// Published answers: what the provider makes on the card is what the standards print.
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <stdlib.h>

#include <string_view>

#include "tests/openssl/module.h"

namespace tests {
namespace {

constexpr char kOurs[] = "provider=ghostcard";

Bytes Hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(digit(text[i]) * 16 + digit(text[i + 1])));
  }
  return bytes;
}
Bytes Text(std::string_view text) { return {text.begin(), text.end()}; }

class KnownAnswersTest : public ::testing::TestWithParam<Way> {
 protected:
  static void SetUpTestSuite() {
    for (const char* what : {"DIGEST", "MAC", "CBC", "CTR", "GCM", "CHACHA20_POLY1305", "KDF"}) {
      ::setenv((std::string("GHOSTCARD_THRESHOLD_") + what).c_str(), "0", 1);
    }
    loaded = new Module;
  }
  static void TearDownTestSuite() {
    delete loaded;
    loaded = nullptr;
  }
  static OSSL_LIB_CTX* library() { return loaded->context.get(); }
  // Runs `work` the way this test is about: on the card, with `answer` as its result.
  static void Expect(const std::string& what, const Bytes& answer,
                     const std::function<Bytes()>& work) {
    const uint64_t before = loaded->Counter("ghostcard-requests");
    Bytes result;
    RunBy(GetParam(), [&] {
      result = work();
      return 1;
    });
    EXPECT_EQ(result, answer) << what << ": " << Errors();
    EXPECT_GT(loaded->Counter("ghostcard-requests"), before) << what << " did not go to the card";
  }

  static Module* loaded;
};
Module* KnownAnswersTest::loaded = nullptr;

Bytes Digest(OSSL_LIB_CTX* library, const char* name, const Bytes& message) {
  Bytes out(EVP_MAX_MD_SIZE);
  size_t size = 0;
  if (EVP_Q_digest(library, name, kOurs, message.data(), message.size(), out.data(), &size) != 1) {
    size = 0;
  }
  out.resize(size);
  return out;
}

// FIPS 180-4 and FIPS 202: NIST's examples for the message "abc".
TEST_P(KnownAnswersTest, Digests) {
  const struct {
    const char* name;
    const char* answer;
  } answers[] = {
      {"SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
      {"SHA224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
      {"SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"SHA384",
       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c"
       "8"
       "25a7"},
      {"SHA512",
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3f"
       "e"
       "ebbd454d4423643ce80e2a9ac94fa54ca49f"},
      {"SHA3-224", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"},
      {"SHA3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
      {"SHA3-384",
       "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf2283"
       "7"
       "6d25"},
      {"SHA3-512",
       "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e"
       "3"
       "934057340b4cf408d5a56592f8274eec53f0"},
  };
  for (const auto& known : answers) {
    Expect(known.name, Hex(known.answer),
           [&] { return Digest(library(), known.name, Text("abc")); });
  }
}

// RFC 4231, 4.3: test case 2.
TEST_P(KnownAnswersTest, Hmac) {
  Expect(
      "HMAC-SHA256", Hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), [] {
        const Bytes key = Text("Jefe");
        const Bytes message = Text("what do ya want for nothing?");
        Bytes out(EVP_MAX_MD_SIZE);
        size_t size = 0;
        if (EVP_Q_mac(library(), "HMAC", kOurs, "SHA256", nullptr, key.data(), key.size(),
                      message.data(), message.size(), out.data(), out.size(), &size) == nullptr) {
          size = 0;
        }
        out.resize(size);
        return out;
      });
}

struct CipherCase {
  const char* name;
  const char* source;
  Bytes key, iv, aad, plain, sealed;  // for an AEAD with the tag behind it
};

Bytes Seal(OSSL_LIB_CTX* library, const CipherCase& test) {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(library, test.name, kOurs);
  const CipherContext context(EVP_CIPHER_CTX_new());
  const bool aead = cipher != nullptr && (EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER);
  Bytes out(test.plain.size() + 32);
  Bytes tag(16);
  int size = 0, last = 0;
  bool good = cipher != nullptr && EVP_EncryptInit_ex2(context.get(), cipher, test.key.data(),
                                                       test.iv.data(), nullptr) == 1;
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  if (aead && !test.aad.empty()) {
    good = good && EVP_EncryptUpdate(context.get(), nullptr, &size, test.aad.data(),
                                     static_cast<int>(test.aad.size())) == 1;
  }
  good = good &&
         EVP_EncryptUpdate(context.get(), out.data(), &size, test.plain.data(),
                           static_cast<int>(test.plain.size())) == 1 &&
         EVP_EncryptFinal_ex(context.get(), out.data() + size, &last) == 1;
  out.resize(good ? static_cast<size_t>(size + last) : 0);
  if (good && aead &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1) {
    out.insert(out.end(), tag.begin(), tag.end());
  }
  EVP_CIPHER_free(cipher);
  return out;
}

TEST_P(KnownAnswersTest, Ciphers) {
  const Bytes block = Hex("6bc1bee22e409f96e93d7e117393172a");
  const Bytes key128 = Hex("2b7e151628aed2a6abf7158809cf4f3c");
  const Bytes key256 = Hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const Bytes iv = Hex("000102030405060708090a0b0c0d0e0f");
  const Bytes counter = Hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const Bytes zero16(16), zero12(12), zero32(32);
  Bytes chacha_key;
  for (unsigned char i = 0x80; i < 0xa0; ++i) chacha_key.push_back(i);
  const CipherCase cases[] = {
      {"AES-128-CBC",
       "SP 800-38A, F.2.1",
       key128,
       iv,
       {},
       block,
       Hex("7649abac8119b246cee98e9b12e9197d")},
      {"AES-256-CBC",
       "SP 800-38A, F.2.5",
       key256,
       iv,
       {},
       block,
       Hex("f58c4c04d6e5f1ba779eabfb5f7bfbd6")},
      {"AES-128-CTR",
       "SP 800-38A, F.5.1",
       key128,
       counter,
       {},
       block,
       Hex("874d6191b620e3261bef6864990db6ce")},
      {"AES-256-CTR",
       "SP 800-38A, F.5.5",
       key256,
       counter,
       {},
       block,
       Hex("601ec313775789a5b7a7f504bbf3d228")},
      {"AES-128-GCM",
       "the GCM specification, test case 2",
       zero16,
       zero12,
       {},
       zero16,
       Hex("0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf")},
      {"AES-256-GCM",
       "the GCM specification, test case 14",
       zero32,
       zero12,
       {},
       zero16,
       Hex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")},
      {"ChaCha20-Poly1305", "RFC 8439, 2.8.2", chacha_key, Hex("070000004041424344454647"),
       Hex("50515253c0c1c2c3c4c5c6c7"),
       Text("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
            "future, sunscreen would be it."),
       Hex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb6"
           "9"
           "da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad6759"
           "4"
           "5585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691")},
  };
  for (const CipherCase& known : cases) {
    Expect(std::string(known.name) + " (" + known.source + ")", known.sealed,
           [&] { return Seal(library(), known); });
  }
}

// RFC 5869, A.1.
TEST_P(KnownAnswersTest, Hkdf) {
  Expect(
      "HKDF",
      Hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
      [] {
        EVP_KDF* kdf = EVP_KDF_fetch(library(), "HKDF", kOurs);
        EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
        Bytes key(22, 0x0b), salt = Hex("000102030405060708090a0b0c");
        Bytes info = Hex("f0f1f2f3f4f5f6f7f8f9"), out(42);
        char digest[] = "SHA256";
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
            OSSL_PARAM_construct_end()};
        if (EVP_KDF_derive(context, out.data(), out.size(), params) != 1) out.clear();
        EVP_KDF_CTX_free(context);
        EVP_KDF_free(kdf);
        return out;
      });
}

// RFC 7748, 5.2: the first of the test vectors.
TEST_P(KnownAnswersTest, X25519) {
  const Bytes scalar = Hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
  const Bytes point = Hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
  const Pkey own(EVP_PKEY_new_raw_private_key_ex(library(), "X25519", kOurs, scalar.data(), 32));
  const Pkey peer(EVP_PKEY_new_raw_public_key_ex(library(), "X25519", kOurs, point.data(), 32));
  ASSERT_TRUE(own && peer) << Errors();
  Expect("X25519", Hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"), [&] {
    const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(library(), own.get(), kOurs));
    Bytes secret(32);
    size_t size = secret.size();
    if (EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
        EVP_PKEY_derive(context.get(), secret.data(), &size) != 1) {
      size = 0;
    }
    secret.resize(size);
    return secret;
  });
}

// RFC 8032, 7.1: test 2.
TEST_P(KnownAnswersTest, Ed25519) {
  const Bytes secret = Hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const Pkey key(EVP_PKEY_new_raw_private_key_ex(library(), "ED25519", kOurs, secret.data(), 32));
  ASSERT_NE(key, nullptr) << Errors();
  Expect(
      "Ed25519",
      Hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
          "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
      [&] {
        const DigestContext context(EVP_MD_CTX_new());
        const Bytes message = Hex("72");
        Bytes out(64);
        size_t size = out.size();
        if (EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, library(), kOurs, key.get(),
                                  nullptr) != 1 ||
            EVP_DigestSign(context.get(), out.data(), &size, message.data(), 1) != 1) {
          size = 0;
        }
        out.resize(size);
        return out;
      });
}

INSTANTIATE_TEST_SUITE_P(EveryWay, KnownAnswersTest,
                         ::testing::Values(Way::kPlain, Way::kFd, Way::kCallback), WayName);

}  // namespace
}  // namespace tests
