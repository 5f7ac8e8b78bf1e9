#include "hwsim/operations/operations.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>

#include "hwsim/base/check.h"
#include "hwsim/operations/libcrypto.h"

namespace hwsim::operations {

Copy::Copy(Bytes input) : input_(CopyInput(input)), output_(input.size()) {}

bool Copy::Execute() noexcept {
  std::copy(input_.begin(), input_.end(), output_.begin());
  return true;
}

// --- CRC-32C ---

namespace {

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
    table[i] = crc;
  }
  return table;
}

uint32_t Crc32cByTable(uint32_t crc, Bytes bytes) {
  static constexpr std::array<uint32_t, 256> kTable = MakeCrc32cTable();
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ std::to_integer<uint32_t>(byte)) & 0xff];
  }
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t Crc32cBySse42(uint32_t crc, Bytes bytes) {
  uint64_t wide = crc;
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word = 0;
    __builtin_memcpy(&word, &bytes[i], sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
  for (; i < bytes.size(); ++i) {
    crc = __builtin_ia32_crc32qi(crc, std::to_integer<unsigned char>(bytes[i]));
  }
  return crc;
}
#endif

}  // namespace

uint32_t Crc32c::ByTable(Bytes input, uint32_t seed) { return ~Crc32cByTable(~seed, input); }

bool Crc32c::HasInstruction() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2") != 0;
#else
  return false;
#endif
}

uint32_t Crc32c::ByInstruction(Bytes input, uint32_t seed) {
  GHOSTCARD_CHECK(HasInstruction(), "the processor computes CRC-32C");
#if defined(__x86_64__)
  return ~Crc32cBySse42(~seed, input);
#else
  return ByTable(input, seed);
#endif
}

Crc32c::Crc32c(Bytes input, uint32_t seed) : input_(CopyInput(input)), seed_(seed) {}

bool Crc32c::Execute() noexcept {
  result_ = HasInstruction() ? ByInstruction(input_, seed_) : ByTable(input_, seed_);
  return true;
}

// --- SHA-256 ---

Sha256::Sha256(Bytes input) : input_(CopyInput(input)) {}

bool Sha256::Execute() noexcept {
  const ErrorMark mark;
  return EVP_Digest(input_.data(), input_.size(), U8(digest_.data()), nullptr,
                    CardLibrary::Get().sha256, nullptr) == 1;
}

// --- AES-GCM ---

template <size_t kKeyBytes>
AesGcm<kKeyBytes>::AesGcm(Direction direction, std::span<const std::byte, kKeyBytes> key,
                          std::span<const std::byte, 12> iv, Bytes aad, Bytes input)
    : direction_(direction), key_(key), aad_(CopyInput(aad)), input_(CopyInput(input)) {
  std::copy(iv.begin(), iv.end(), iv_.begin());
  // A decryption's input that is too short to hold a tag has no output.
  output_.resize(direction == Direction::kEncrypt
                     ? input.size() + kTagBytes
                     : input.size() - std::min(input.size(), kTagBytes));
}

template <size_t kKeyBytes>
bool AesGcm<kKeyBytes>::Execute() noexcept {
  const ErrorMark mark;
  const bool encrypt = direction_ == Direction::kEncrypt;
  if (!encrypt && input_.size() < kTagBytes) return false;
  const CardLibrary& library = CardLibrary::Get();
  const EVP_CIPHER* cipher = kKeyBytes == 16 ? library.aes128_gcm : library.aes256_gcm;
  const CipherContext context(EVP_CIPHER_CTX_new());
  const size_t text_size = encrypt ? input_.size() : input_.size() - kTagBytes;
  int length = 0;
  bool good = context != nullptr &&
              EVP_CipherInit_ex2(context.get(), cipher, U8(key_.view().data()), U8(iv_.data()),
                                 encrypt ? 1 : 0, nullptr) == 1 &&
              EVP_CipherUpdate(context.get(), nullptr, &length, U8(aad_.data()),
                               static_cast<int>(aad_.size())) == 1 &&
              EVP_CipherUpdate(context.get(), U8(output_.data()), &length, U8(input_.data()),
                               static_cast<int>(text_size)) == 1;
  if (good && !encrypt) {
    good = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes,
                               input_.data() + text_size) == 1;
  }
  std::array<unsigned char, 16> nothing{};
  good = good && EVP_CipherFinal_ex(context.get(), nothing.data(), &length) == 1;
  if (good && encrypt) {
    good = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                               output_.data() + text_size) == 1;
  }
  // Text that failed authentication must not be read.
  if (!good) std::fill(output_.begin(), output_.end(), std::byte{0});
  return good;
}

template class AesGcm<16>;
template class AesGcm<32>;

// --- deflate ---

Deflate::Deflate(Bytes input, int level) : input_(CopyInput(input)), level_(level) {
  GHOSTCARD_CHECK(level >= 1 && level <= 9, "a deflate level is 1 to 9");
  output_.resize(::compressBound(input.size()));
}

bool Deflate::Execute() noexcept {
  constexpr int kRawDeflate = -15;  // a 32 KiB window, no header
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (::deflateInit2(&stream, level_, Z_DEFLATED, kRawDeflate, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return false;
  }
  output_.resize(::deflateBound(&stream, input_.size()));
  stream.next_in = reinterpret_cast<Bytef*>(input_.data());
  stream.avail_in = static_cast<uInt>(input_.size());
  stream.next_out = reinterpret_cast<Bytef*>(output_.data());
  stream.avail_out = static_cast<uInt>(output_.size());
  const bool good = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
  output_.resize(good ? stream.total_out : 0);
  ::deflateEnd(&stream);
  return good;
}

}  // namespace hwsim::operations
