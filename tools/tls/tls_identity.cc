#include "tools/tls/tls_identity.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

namespace tools::tls {

using hwsim::Expected;
using hwsim::operations::Freer;
using hwsim::operations::PkeyPtr;

using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;

hwsim::Error OpensslError(std::string_view what) {
  std::string message(what);
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    std::array<char, 256> text;
    ERR_error_string_n(code, text.data(), text.size());
    message += ": ";
    message += text.data();
    if ((flags & ERR_TXT_STRING) != 0 && *data != '\0') message += std::string(": ") + data;
  }
  return {std::move(message)};
}

namespace {

PkeyPtr GenerateKey(OSSL_LIB_CTX* library, TlsKey key) {
  switch (key) {
    case TlsKey::kRsa2048:
      return PkeyPtr(EVP_PKEY_Q_keygen(library, nullptr, "RSA", size_t{2048}));
    case TlsKey::kRsa4096:
      return PkeyPtr(EVP_PKEY_Q_keygen(library, nullptr, "RSA", size_t{4096}));
    case TlsKey::kEcdsaP256:
      break;
  }
  return PkeyPtr(EVP_PKEY_Q_keygen(library, nullptr, "EC", "P-256"));
}

bool AddExtension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  const bool added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool FillCertificate(X509* certificate, EVP_PKEY* key) {
  constexpr long kDay = 24L * 60 * 60;
  X509_NAME* const name = X509_get_subject_name(certificate);
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kDay) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kDay) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                                    0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         AddExtension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

std::string ContentsOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size <= 0 ? std::string() : std::string(data, static_cast<size_t>(size));
}

BioPtr Reader(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

CertificatePtr ReadCertificate(OSSL_LIB_CTX* library, const std::string& properties,
                               const std::string& pem) {
  X509* certificate = X509_new_ex(library, properties.empty() ? nullptr : properties.c_str());
  const BioPtr bio = Reader(pem);
  if (certificate == nullptr || bio == nullptr) {
    X509_free(certificate);
    return nullptr;
  }
  if (PEM_read_bio_X509(bio.get(), &certificate, nullptr, nullptr) == nullptr) {
    X509_free(certificate);
    certificate = nullptr;
  }
  return CertificatePtr(certificate);
}

}  // namespace

Expected<TlsIdentity> TlsIdentity::Create(TlsKey key_type) {
  const LibraryPtr library(OSSL_LIB_CTX_new());
  if (library == nullptr) return hwsim::Unexpected(OpensslError("OSSL_LIB_CTX_new"));
  const PkeyPtr key = GenerateKey(library.get(), key_type);
  const CertificatePtr certificate(X509_new_ex(library.get(), nullptr));
  const BioPtr key_pem(BIO_new(BIO_s_mem()));
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  if (key == nullptr || certificate == nullptr || key_pem == nullptr ||
      certificate_pem == nullptr || !FillCertificate(certificate.get(), key.get()) ||
      PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1 ||
      PEM_write_bio_X509(certificate_pem.get(), certificate.get()) != 1) {
    return hwsim::Unexpected(OpensslError("a certificate could not be made"));
  }
  return TlsIdentity{ContentsOf(key_pem.get()), ContentsOf(certificate_pem.get())};
}

Expected<void> UseIdentity(SSL_CTX* context, OSSL_LIB_CTX* library, const std::string& properties,
                           const TlsIdentity& identity) {
  const BioPtr bio = Reader(identity.key_pem);
  if (bio == nullptr) return hwsim::Unexpected(OpensslError("BIO_new_mem_buf"));
  const PkeyPtr key(PEM_read_bio_PrivateKey_ex(bio.get(), nullptr, nullptr, nullptr, library,
                                               properties.empty() ? nullptr : properties.c_str()));
  const CertificatePtr certificate = ReadCertificate(library, properties, identity.certificate_pem);
  if (key == nullptr || certificate == nullptr ||
      SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return hwsim::Unexpected(OpensslError("a certificate and its key could not be used"));
  }
  return {};
}

Expected<void> DemandIdentity(SSL_CTX* context, OSSL_LIB_CTX* library, const TlsIdentity& peer) {
  const CertificatePtr certificate = ReadCertificate(library, {}, peer.certificate_pem);
  if (certificate == nullptr ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1) {
    return hwsim::Unexpected(OpensslError("a peer's certificate could not be trusted"));
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace tools::tls
