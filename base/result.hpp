// SPDX-License-Identifier: Apache-2.0
// Errors are values: every function that can fail returns Result<T>. Callers branch on Error::code,
// never on the text. `context` is for people and may hold untrusted bytes: print it through
// printable().
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace sworn {

enum class Errc : std::uint8_t {
  io,           // the operating system said no; Error::sys holds errno
  truncated,    // the data ends before what it announces
  corrupt,      // the data contradicts itself or breaks a limit
  bad_seal,     // a signature or hash does not hold
  unsupported,  // a version or feature this build does not know
  not_found,    // the named thing does not exist
  bad_usage,    // the caller asked for something that makes no sense
  exhausted,    // a bounded resource is full
  locked,       // encrypted, and none of the keys at hand opens it
};

struct [[nodiscard]] Error {
  Errc code = Errc::io;
  int sys = 0;
  std::string context;
};

template <typename T>
using Result = tl::expected<T, Error>;

// NOLINTBEGIN(performance-unnecessary-value-param): the check does not see the move into the
// aggregate.
inline tl::unexpected<Error> fail(Errc code, std::string context) {
  return tl::make_unexpected(Error{code, 0, std::move(context)});
}

// errno travels as a parameter because anything called in between may overwrite it.
inline tl::unexpected<Error> fail_sys(int sys, std::string context) {
  return tl::make_unexpected(Error{Errc::io, sys, std::move(context)});
}
// NOLINTEND(performance-unnecessary-value-param)

// One line: "context: strerror". Untrusted bytes are escaped.
std::string describe(const Error& error);

// NOLINTBEGIN(bugprone-macro-parentheses,readability-identifier-naming): the first argument of
// TRY_ASSIGN is a declaration; a trailing _ marks the helpers of a macro.
#define SWORN_CONCAT_(a, b) a##b
#define SWORN_CONCAT(a, b) SWORN_CONCAT_(a, b)
#define TRY_ASSIGN_(tmp, decl, expr)                    \
  auto tmp = (expr);                                    \
  if (!tmp) {                                           \
    return tl::make_unexpected(std::move(tmp).error()); \
  }                                                     \
  decl = std::move(tmp).value()
#define TRY_ASSIGN(decl, expr) TRY_ASSIGN_(SWORN_CONCAT(try_result_, __LINE__), decl, expr)
#define TRY(expr)                                                \
  do {                                                           \
    auto try_result = (expr);                                    \
    if (!try_result) {                                           \
      return tl::make_unexpected(std::move(try_result).error()); \
    }                                                            \
  } while (false)
// NOLINTEND(bugprone-macro-parentheses,readability-identifier-naming)

}  // namespace sworn
