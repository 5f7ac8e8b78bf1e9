// Copies, checksums, ciphers and compression against the standards' vectors.
#include "hwsim/operations/operations.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <zlib.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/hwsim/operations/hex.h"

namespace hwsim::operations {
namespace {

static_assert(Workload<Null>);
static_assert(Workload<Copy>);
static_assert(Workload<Crc32c>);
static_assert(Workload<Sha256>);
static_assert(Workload<Aes128Gcm>);
static_assert(Workload<Aes256Gcm>);
static_assert(Workload<Rsa2048Sign>);
static_assert(Workload<Rsa4096Sign>);
static_assert(Workload<EcdsaP256Sign>);
static_assert(Workload<X25519>);
static_assert(Workload<Deflate>);
static_assert(Aes128Gcm::kKind == OperationKind::kAes128Gcm);
static_assert(Aes256Gcm::kKind == OperationKind::kAes256Gcm);

std::vector<std::byte> RandomBytes(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

bool SameBytes(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

TEST(NullTest, DoesNothingAndSucceeds) {
  Null work;
  EXPECT_TRUE(work.Execute());
  EXPECT_EQ(work.size_bytes(), 0u);
  EXPECT_TRUE(work.output().empty());
}

TEST(CopyTest, OutputIsTheInput) {
  for (const size_t size : {0, 1, 4096, 100'001}) {
    const std::vector<std::byte> input = RandomBytes(size, 1);
    Copy copy(input);
    EXPECT_EQ(copy.size_bytes(), size);
    EXPECT_TRUE(copy.Execute());
    EXPECT_TRUE(copy.Execute());
    EXPECT_TRUE(SameBytes(copy.result(), input));
  }
}

TEST(CopyTest, OperationCopiesItsInput) {
  std::vector<std::byte> input = RandomBytes(64, 1);
  Copy copy(input);
  const std::vector<std::byte> before = std::exchange(input, {});
  EXPECT_TRUE(copy.Execute());
  EXPECT_TRUE(SameBytes(copy.result(), before));
}

// --- CRC-32C ---

// From RFC 3720, B.4, and the check value of Castagnoli's polynomial ("123456789").
struct CrcVector {
  std::vector<std::byte> input;
  uint32_t crc;
};

std::vector<CrcVector> CrcVectors() {
  std::vector<std::byte> rising(32);
  for (size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<std::byte>(i);
  const std::vector<std::byte> falling(rising.rbegin(), rising.rend());
  const Bytes check = AsBytes("123456789");
  return {{{}, 0},
          {{check.begin(), check.end()}, 0xe3069283},
          {std::vector<std::byte>(32, std::byte{0}), 0x8a9136aa},
          {std::vector<std::byte>(32, std::byte{0xff}), 0x62a8ab43},
          {rising, 0x46dd794e},
          {falling, 0x113fdb5c}};
}

TEST(Crc32cTest, AgreesWithThePublishedVectors) {
  for (const CrcVector& vector : CrcVectors()) {
    Crc32c crc(vector.input);
    EXPECT_TRUE(crc.Execute());
    EXPECT_TRUE(crc.Execute());
    EXPECT_EQ(crc.result(), vector.crc);
    EXPECT_EQ(crc.output().size(), 4u);
    EXPECT_EQ(Crc32c::ByTable(vector.input), vector.crc);
  }
}

TEST(Crc32cTest, InstructionAndTableAgree) {
  if (!Crc32c::HasInstruction()) GTEST_SKIP() << "this processor has no CRC-32C instruction";
  for (unsigned seed = 0; seed < 300; ++seed) {
    const std::vector<std::byte> input = RandomBytes(seed + seed % 7, seed);
    const Bytes shifted = Bytes(input).subspan(std::min<size_t>(seed % 8, input.size()));
    ASSERT_EQ(Crc32c::ByInstruction(shifted, seed), Crc32c::ByTable(shifted, seed))
        << "seed " << seed;
  }
}

TEST(Crc32cTest, SeedContinuesAnEarlierSum) {
  const std::vector<std::byte> input = RandomBytes(1000, 3);
  Crc32c whole(input);
  Crc32c first(Bytes(input).first(333));
  ASSERT_TRUE(whole.Execute() && first.Execute());
  Crc32c second(Bytes(input).subspan(333), first.result());
  ASSERT_TRUE(second.Execute());
  EXPECT_EQ(second.result(), whole.result());
}

// --- SHA-256 ---

// FIPS 180-4's examples.
TEST(Sha256Test, AgreesWithFips180) {
  const std::pair<std::string, std::string> vectors[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1'000'000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}};
  for (const auto& [message, digest] : vectors) {
    Sha256 hash(AsBytes(message));
    EXPECT_EQ(hash.size_bytes(), message.size());
    EXPECT_TRUE(hash.Execute());
    EXPECT_TRUE(hash.Execute());
    EXPECT_EQ(ToHex(hash.digest()), digest);
    EXPECT_EQ(ToHex(hash.output()), digest);
  }
}

// --- AES-GCM ---

// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: cases 1, 2, 3, 4 for 128
// bits and 13, 14, 15, 16 for 256.
struct GcmVector {
  std::string key, iv, aad, text, sealed;
};

const char* const kGcmIv = "cafebabefacedbaddecaf888";
const char* const kGcmAad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const std::string kGcmText =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";

std::vector<GcmVector> Gcm128Vectors() {
  const std::string zeros(32, '0');
  const std::string key = "feffe9928665731c6d6a8f9467308308";
  const std::string sealed =
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985";
  return {
      {zeros, std::string(24, '0'), "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
      {zeros, std::string(24, '0'), "", zeros,
       "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
      {key, kGcmIv, "", kGcmText, sealed + "4d5c2af327cd64a62cf35abd2ba6fab4"},
      {key, kGcmIv, kGcmAad, kGcmText.substr(0, 120),
       sealed.substr(0, 120) + "5bc94fbc3221a5db94fae95ae7121a47"},
  };
}

std::vector<GcmVector> Gcm256Vectors() {
  const std::string zeros(64, '0');
  const std::string key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
  const std::string sealed =
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
  return {
      {zeros, std::string(24, '0'), "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      {zeros, std::string(24, '0'), "", std::string(32, '0'),
       "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
      {key, kGcmIv, "", kGcmText, sealed + "b094dac5d93471bdec1a502270e3cc6c"},
      {key, kGcmIv, kGcmAad, kGcmText.substr(0, 120),
       sealed.substr(0, 120) + "76fc6ece0f4e1768cddf8853bb2d551b"},
  };
}

template <size_t kKeyBytes>
AesGcm<kKeyBytes> Gcm(Direction direction, const GcmVector& vector) {
  return AesGcm<kKeyBytes>(direction, ArrayFromHex<kKeyBytes>(vector.key),
                           ArrayFromHex<12>(vector.iv), FromHex(vector.aad),
                           FromHex(direction == Direction::kEncrypt ? vector.text : vector.sealed));
}

template <typename Cipher>
class AesGcmTest : public ::testing::Test {
 public:
  static constexpr size_t kKeyBytes = Cipher::kKind == OperationKind::kAes128Gcm ? 16 : 32;
  static std::vector<GcmVector> Vectors() {
    return kKeyBytes == 16 ? Gcm128Vectors() : Gcm256Vectors();
  }
  static Cipher Make(Direction direction, const GcmVector& vector) {
    return Gcm<kKeyBytes>(direction, vector);
  }
};

class CipherNames {
 public:
  template <typename Cipher>
  static std::string GetName(int) {
    return Cipher::kKind == OperationKind::kAes128Gcm ? "Aes128" : "Aes256";
  }
};
using Ciphers = ::testing::Types<Aes128Gcm, Aes256Gcm>;
TYPED_TEST_SUITE(AesGcmTest, Ciphers, CipherNames);

TYPED_TEST(AesGcmTest, EncryptsToThePublishedVectors) {
  for (const GcmVector& vector : this->Vectors()) {
    TypeParam cipher = this->Make(Direction::kEncrypt, vector);
    EXPECT_TRUE(cipher.Execute());
    EXPECT_EQ(ToHex(cipher.result()), vector.sealed);
    EXPECT_TRUE(cipher.Execute());
    EXPECT_EQ(ToHex(cipher.result()), vector.sealed);
    EXPECT_EQ(cipher.size_bytes(), vector.text.size() / 2);
  }
}

TYPED_TEST(AesGcmTest, DecryptsThePublishedVectors) {
  for (const GcmVector& vector : this->Vectors()) {
    TypeParam cipher = this->Make(Direction::kDecrypt, vector);
    EXPECT_TRUE(cipher.Execute());
    EXPECT_EQ(ToHex(cipher.result()), vector.text);
    EXPECT_TRUE(cipher.Execute());
    EXPECT_EQ(ToHex(cipher.result()), vector.text);
  }
}

TYPED_TEST(AesGcmTest, AnyChangeFailsAndLeavesZeros) {
  const GcmVector good = this->Vectors().back();
  const auto flip = [](std::string& hex, size_t at) { hex[at] = hex[at] == '0' ? '1' : '0'; };
  std::vector<GcmVector> damaged(5, good);
  flip(damaged[0].sealed, good.sealed.size() - 1);  // tag
  flip(damaged[1].sealed, 0);                       // ciphertext
  flip(damaged[2].aad, 3);
  flip(damaged[3].iv, 3);
  flip(damaged[4].key, 3);
  for (const GcmVector& vector : damaged) {
    TypeParam cipher = this->Make(Direction::kDecrypt, vector);
    EXPECT_FALSE(cipher.Execute());
    EXPECT_EQ(ToHex(cipher.result()), std::string(good.text.size(), '0'));
  }
}

TYPED_TEST(AesGcmTest, MessageTooShortForATagFails) {
  GcmVector vector = this->Vectors()[0];
  for (const size_t size : {0u, 1u, 15u}) {
    vector.sealed.resize(2 * size, '0');
    TypeParam cipher = this->Make(Direction::kDecrypt, vector);
    EXPECT_FALSE(cipher.Execute());
    EXPECT_TRUE(cipher.result().empty());
  }
}

TYPED_TEST(AesGcmTest, DecryptsWhatItEncrypts) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const std::string text = ToHex(RandomBytes(seed * 5, seed));
    GcmVector vector = this->Vectors().back();
    vector.text = text;
    vector.aad = ToHex(RandomBytes(seed % 40, seed + 1));
    TypeParam sealing = this->Make(Direction::kEncrypt, vector);
    ASSERT_TRUE(sealing.Execute()) << "seed " << seed;
    vector.sealed = ToHex(sealing.result());
    TypeParam opening = this->Make(Direction::kDecrypt, vector);
    ASSERT_TRUE(opening.Execute()) << "seed " << seed;
    ASSERT_EQ(ToHex(opening.result()), text) << "seed " << seed;
  }
}

TYPED_TEST(AesGcmTest, FailureLeavesTheThreadsErrorQueueAsItWas) {
  GcmVector vector = this->Vectors().back();
  vector.sealed[0] = vector.sealed[0] == '0' ? '1' : '0';
  ERR_clear_error();
  TypeParam cipher = this->Make(Direction::kDecrypt, vector);
  EXPECT_FALSE(cipher.Execute());
  EXPECT_EQ(ERR_peek_error(), 0u);
  ERR_raise(ERR_LIB_USER, 42);
  const unsigned long before = ERR_peek_last_error();
  EXPECT_FALSE(cipher.Execute());
  EXPECT_EQ(ERR_get_error(), before);
  EXPECT_EQ(ERR_get_error(), 0u);
}

// --- deflate ---

std::vector<std::byte> Inflate(Bytes packed, size_t size) {
  std::vector<std::byte> input(packed.begin(), packed.end());
  std::vector<std::byte> output(size + 1);  // one byte more, which must stay unused
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, -15), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(output.data());
  stream.avail_out = static_cast<uInt>(output.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0u);
  output.resize(stream.total_out);
  ::inflateEnd(&stream);
  return output;
}

TEST(DeflateTest, InflatesBackAtEachLevel) {
  std::vector<std::byte> input = RandomBytes(5000, 1);  // cannot be compressed
  input.resize(200'000);                                // zeros, which can
  for (int level = 1; level <= 9; ++level) {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, input.size()}) {
      Deflate deflate(Bytes(input).first(size), level);
      EXPECT_EQ(deflate.size_bytes(), size);
      ASSERT_TRUE(deflate.Execute());
      EXPECT_TRUE(SameBytes(Inflate(deflate.result(), size), Bytes(input).first(size)))
          << "level " << level << ", " << size << " bytes";
    }
  }
}

TEST(DeflateTest, SecondExecuteGivesTheSameOutput) {
  const std::vector<std::byte> input(10'000, std::byte{7});
  Deflate deflate(input);
  ASSERT_TRUE(deflate.Execute());
  const std::vector<std::byte> first(deflate.result().begin(), deflate.result().end());
  EXPECT_LT(first.size(), 200u);
  ASSERT_TRUE(deflate.Execute());
  EXPECT_TRUE(SameBytes(deflate.result(), first));
}

TEST(DeflateTest, EmptyInputIsTheEmptyFixedBlock) {
  Deflate deflate({});  // RFC 1951: final, fixed codes, end of block
  ASSERT_TRUE(deflate.Execute());
  EXPECT_EQ(ToHex(deflate.result()), "0300");
}

TEST(DeflateDeathTest, LevelIsOneToNine) {
  EXPECT_DEATH(Deflate({}, 0), "a deflate level is 1 to 9");
  EXPECT_DEATH(Deflate({}, 10), "a deflate level is 1 to 9");
}

// --- limits ---

// A size over 4 GiB once wrapped around: the operation took and deflated only the remainder. The
// span's bytes are never read, because the check comes before the copy.
TEST(OperationsDeathTest, InputOverTheLimitIsRefusedAndNotCutShort) {
  const std::byte byte{};
  for (const size_t size : {kInputBytesMax + 1, (size_t{1} << 32) + 1}) {
    const Bytes large(&byte, size);
    EXPECT_DEATH(Copy{large}, "an input is at most 1 GiB");
    EXPECT_DEATH(Crc32c{large}, "an input is at most 1 GiB");
    EXPECT_DEATH(Sha256{large}, "an input is at most 1 GiB");
    EXPECT_DEATH(Deflate{large}, "an input is at most 1 GiB");
    EXPECT_DEATH(Aes128Gcm(Direction::kEncrypt, std::array<std::byte, 16>{},
                           std::array<std::byte, 12>{}, {}, large),
                 "an input is at most 1 GiB");
    EXPECT_DEATH(Aes256Gcm(Direction::kDecrypt, std::array<std::byte, 32>{},
                           std::array<std::byte, 12>{}, large, {}),
                 "an input is at most 1 GiB");
  }
}

// --- threads ---

TEST(OperationsTest, ExecuteRunsOnManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 50; ++i) {
        Sha256 hash(AsBytes("abc"));
        EXPECT_TRUE(hash.Execute());
        EXPECT_EQ(ToHex(hash.digest()).substr(0, 8), "ba7816bf");
        Aes256Gcm sealing = Gcm<32>(Direction::kEncrypt, Gcm256Vectors().back());
        EXPECT_TRUE(sealing.Execute());
        EXPECT_EQ(ToHex(sealing.result()), Gcm256Vectors().back().sealed);
        const std::vector<std::byte> input(1000, static_cast<std::byte>(t));
        Deflate deflate(input);
        EXPECT_TRUE(deflate.Execute());
        EXPECT_TRUE(SameBytes(Inflate(deflate.result(), input.size()), input));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hwsim::operations
