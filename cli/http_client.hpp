// SPDX-License-Identifier: Apache-2.0
// One HTTP POST, for witnesses and time stamp authorities. Bounded in time and size; no redirects,
// no other protocols than http and https. Only the command line maps the library behind it.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>

namespace sworn::cli {

struct HttpReply {
  int status = 0;
  std::string content_type;
  Bytes body;
};

// Errc::io: no answer within the time, or none at all; corrupt: more than 256 KiB; bad_usage: not a
// URL that it takes.
Result<HttpReply> http_post(const std::string& url, const std::string& content_type, ByteView body,
                            int timeout_s);

}  // namespace sworn::cli
