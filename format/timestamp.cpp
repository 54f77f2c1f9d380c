// SPDX-License-Identifier: Apache-2.0
#include "format/timestamp.hpp"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>

namespace sworn::format {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

using Request = Owned<TS_REQ, ::TS_REQ_free>;
using Response = Owned<TS_RESP, ::TS_RESP_free>;
using Token = Owned<PKCS7, ::PKCS7_free>;
using Info = Owned<TS_TST_INFO, ::TS_TST_INFO_free>;
using Imprint = Owned<TS_MSG_IMPRINT, ::TS_MSG_IMPRINT_free>;
using Algorithm = Owned<X509_ALGOR, ::X509_ALGOR_free>;
using Integer = Owned<ASN1_INTEGER, ::ASN1_INTEGER_free>;
using VerifyContext = Owned<TS_VERIFY_CTX, ::TS_VERIFY_CTX_free>;
using Certificate = Owned<X509, ::X509_free>;
using Bio = Owned<BIO, ::BIO_free_all>;

constexpr std::size_t k_max_authorities = 64;

tl::unexpected<Error> no_memory() {
  return fail(Errc::io, "OpenSSL cannot handle a time stamp");
}
tl::unexpected<Error> refused(std::string_view what) {
  ::ERR_clear_error();
  return fail(Errc::bad_seal, "time stamp: " + std::string(what));
}

const unsigned char* raw(ByteView data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

// What d2i reads, with nothing behind it.
template <typename Object, typename Decode>
Object decode_all(Decode decode, ByteView der) {
  if (der.empty() || der.size() > k_max_timestamp_bytes) {
    return nullptr;
  }
  const unsigned char* at = raw(der);
  Object out(decode(nullptr, &at, static_cast<long>(der.size())));
  return at == raw(der) + der.size() ? std::move(out) : nullptr;
}

template <typename T, typename Encode>
Bytes der_of(const T* object, Encode encode) {
  unsigned char* data = nullptr;
  const int n = encode(object, &data);
  if (n <= 0) {
    return {};
  }
  const auto* first = reinterpret_cast<const std::byte*>(data);
  Bytes out(first, first + n);
  ::OPENSSL_free(data);
  return out;
}

Result<Timestamp> read_info(const TS_TST_INFO* info) {
  Timestamp out;
  std::tm parts{};
  const auto* when = ::TS_TST_INFO_get_time(info);
  if (when == nullptr || ::ASN1_TIME_to_tm(when, &parts) != 1) {
    return refused("it has no readable time");
  }
  out.when.us = static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000;
  const Owned<BIGNUM, ::BN_free> number(
      ::ASN1_INTEGER_to_BN(::TS_TST_INFO_get_serial(info), nullptr));
  char* hex = number ? ::BN_bn2hex(number.get()) : nullptr;
  if (hex == nullptr) {
    return refused("it has no serial number");
  }
  out.serial = hex;
  ::OPENSSL_free(hex);
  return out;
}

// The trusted certificates. The store belongs to the verify context from then on.
Result<X509_STORE*> make_store(std::string_view pem, WallTime as_of) {
  Owned<X509_STORE, ::X509_STORE_free> store(::X509_STORE_new());
  const Bio bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!store || !bio) {
    return no_memory();
  }
  std::size_t n = 0;
  while (n <= k_max_authorities) {
    const Certificate certificate(::PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) {
      break;
    }
    ++n;
    if (::X509_STORE_add_cert(store.get(), certificate.get()) != 1) {
      return no_memory();
    }
  }
  ::ERR_clear_error();  // "no more certificates" is how the loop ends
  if (n == 0 || n > k_max_authorities) {
    return fail(Errc::bad_usage, "1 to 64 PEM certificates of time stamp authorities are wanted");
  }
  ::X509_VERIFY_PARAM_set_time(::X509_STORE_get0_param(store.get()),
                               static_cast<std::time_t>(as_of.us / 1'000'000));
  return store.release();
}

Result<VerifyContext> make_context(const Digest& imprint, std::string_view authorities,
                                   WallTime as_of) {
  VerifyContext ctx(::TS_VERIFY_CTX_new());
  auto* copy = static_cast<unsigned char*>(::OPENSSL_malloc(imprint.size()));
  if (!ctx || copy == nullptr) {
    ::OPENSSL_free(copy);
    return no_memory();
  }
  std::memcpy(copy, imprint.data(), imprint.size());
  ::TS_VERIFY_CTX_set_imprint(ctx.get(), copy, static_cast<long>(imprint.size()));
  ::TS_VERIFY_CTX_set_flags(ctx.get(), TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_IMPRINT);
  TRY_ASSIGN(auto* store, make_store(authorities, as_of));
  ::TS_VERIFY_CTX_set_store(ctx.get(), store);
  return ctx;
}

bool imprint_is_sha256(TS_TST_INFO* info) {
  auto* imprint = ::TS_TST_INFO_get_msg_imprint(info);
  const ASN1_OBJECT* name = nullptr;
  ::X509_ALGOR_get0(&name, nullptr, nullptr, ::TS_MSG_IMPRINT_get_algo(imprint));
  return ::OBJ_obj2nid(name) == NID_sha256;
}

// What OpenSSL says about the failure, as " (certificate has expired)".
std::string reasons() {
  std::string out;
  const char* data = nullptr;
  int flags = 0;
  while (::ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags) != 0) {
    if (data != nullptr && *data != '\0' && (flags & ERR_TXT_STRING) != 0) {
      out += (out.empty() ? " (" : "; ") + std::string(data);
    }
  }
  return out.empty() ? out : out + ")";
}

Result<Timestamp> verify_parsed(PKCS7* token, const Digest& imprint, std::string_view authorities) {
  const Info info(::PKCS7_to_TS_TST_INFO(token));
  if (!info || !imprint_is_sha256(info.get())) {
    return refused("the token has no readable content over SHA-256");
  }
  TRY_ASSIGN(auto out, read_info(info.get()));
  TRY_ASSIGN(const auto ctx, make_context(imprint, authorities, out.when));
  ::ERR_clear_error();
  if (::TS_RESP_verify_token(ctx.get(), token) != 1) {
    return refused("it is for something else, or no trusted authority signed it" + reasons());
  }
  out.token = der_of(token, ::i2d_PKCS7);
  return out;
}

}  // namespace

Result<Bytes> timestamp_request(const Digest& imprint, std::uint64_t nonce) {
  const Request request(::TS_REQ_new());
  const Imprint message(::TS_MSG_IMPRINT_new());
  const Algorithm algorithm(::X509_ALGOR_new());
  const Integer number(::ASN1_INTEGER_new());
  Bytes copy(imprint.begin(), imprint.end());
  const bool made =
      request && message && algorithm && number &&
      ::X509_ALGOR_set0(algorithm.get(), ::OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) == 1 &&
      ::TS_MSG_IMPRINT_set_algo(message.get(), algorithm.get()) == 1 &&
      ::TS_MSG_IMPRINT_set_msg(message.get(), reinterpret_cast<unsigned char*>(copy.data()),
                               static_cast<int>(copy.size())) == 1 &&
      ::ASN1_INTEGER_set_uint64(number.get(), nonce) == 1 &&
      ::TS_REQ_set_version(request.get(), 1) == 1 &&
      ::TS_REQ_set_msg_imprint(request.get(), message.get()) == 1 &&
      ::TS_REQ_set_nonce(request.get(), number.get()) == 1 &&
      ::TS_REQ_set_cert_req(request.get(), 1) == 1;
  Bytes out = made ? der_of(request.get(), ::i2d_TS_REQ) : Bytes();
  if (out.empty()) {
    return no_memory();
  }
  return out;
}

Result<Timestamp> open_timestamp_response(ByteView bytes, const Digest& imprint,
                                          std::uint64_t nonce, std::string_view authorities) {
  const auto response = decode_all<Response>(::d2i_TS_RESP, bytes);
  if (!response) {
    return refused("the answer is no time stamp response");
  }
  const auto* status = ::TS_STATUS_INFO_get0_status(::TS_RESP_get_status_info(response.get()));
  const long code = status != nullptr ? ::ASN1_INTEGER_get(status) : -1;
  auto* token = ::TS_RESP_get_token(response.get());
  auto* info = ::TS_RESP_get_tst_info(response.get());
  if ((code != TS_STATUS_GRANTED && code != TS_STATUS_GRANTED_WITH_MODS) || token == nullptr ||
      info == nullptr) {
    return refused("the authority did not grant it");
  }
  std::uint64_t theirs = 0;
  const auto* number = ::TS_TST_INFO_get_nonce(info);
  if (number == nullptr || ::ASN1_INTEGER_get_uint64(&theirs, number) != 1 || theirs != nonce) {
    return refused("it answers another request");
  }
  return verify_parsed(token, imprint, authorities);
}

Result<Timestamp> verify_timestamp(ByteView bytes, const Digest& imprint,
                                   std::string_view authorities) {
  const auto token = decode_all<Token>(::d2i_PKCS7, bytes);
  if (!token) {
    return refused("the token is malformed");
  }
  return verify_parsed(token.get(), imprint, authorities);
}

}  // namespace sworn::format
