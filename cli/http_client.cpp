// SPDX-License-Identifier: Apache-2.0
#include "cli/http_client.hpp"

#include <array>
#include <memory>

#include <curl/curl.h>

namespace sworn::cli {
namespace {

constexpr std::size_t k_max_answer_bytes = 256U << 10U;

struct Sink {
  Bytes body;
  bool too_large = false;
};

std::size_t take(char* data, std::size_t size, std::size_t count, void* user) {
  auto& sink = *static_cast<Sink*>(user);
  const std::size_t bytes = size * count;
  if (sink.body.size() + bytes > k_max_answer_bytes) {
    sink.too_large = true;
    return 0;
  }
  const auto view = std::as_bytes(std::span(data, bytes));
  sink.body.insert(sink.body.end(), view.begin(), view.end());
  return bytes;
}

struct Global {
  Global() : ready(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {}
  ~Global() { curl_global_cleanup(); }
  Global(const Global&) = delete;
  Global& operator=(const Global&) = delete;
  bool ready;
};

}  // namespace

Result<HttpReply> http_post(const std::string& url, const std::string& content_type, ByteView body,
                            int timeout_s) {
  static const Global global;
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  if (!global.ready || !handle) {
    return fail(Errc::io, "libcurl cannot be used");
  }
  const std::string header = "Content-Type: " + content_type;
  const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
      curl_slist_append(nullptr, header.c_str()), curl_slist_free_all);
  std::array<char, CURL_ERROR_SIZE> why{};
  Sink sink;
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(timeout_s));
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "sworn");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
  const CURLcode code = curl_easy_perform(curl);
  if (sink.too_large) {
    return fail(Errc::corrupt, "an answer of more than 256 KiB");
  }
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return fail(Errc::bad_usage, "not an http or https address: " + url);
  }
  if (code != CURLE_OK) {
    return fail(Errc::io,
                why[0] != '\0' ? std::string(why.data()) : std::string(curl_easy_strerror(code)));
  }
  HttpReply out;
  long status = 0;
  const char* type = nullptr;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
  out.status = static_cast<int>(status);
  out.content_type = type == nullptr ? "" : type;
  out.body = std::move(sink.body);
  return out;
}

}  // namespace sworn::cli
