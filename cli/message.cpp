// SPDX-License-Identifier: Apache-2.0
#include "cli/message.hpp"

#include "base/printable.hpp"
#include "cli/command.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace sworn::cli {
namespace {

std::string system_text(int sys) {
  return std::generic_category().message(sys);
}

Message explain_system_error(const std::string& path, const Error& error) {
  const std::string what = path + ": cannot be read: " + system_text(error.sys);
  switch (error.sys) {
    case ENOENT:
    case ENOTDIR:
      return {path + ": there is no such file",
              "nothing has this name (" + system_text(error.sys) + ")",
              "sworn ls     (lists the recordings of this user)"};
    case EACCES:
    case EPERM:
      return {what, "a recording can be read by its owner and by root only",
              "run the command as the owner of the file, or ask for a copy"};
    default:
      return {what, describe(error), "check the disk and the mount, then try again"};
  }
}

}  // namespace

std::string render(std::string_view command, const Message& message) {
  std::string text = "sworn";
  if (!command.empty()) {
    text += ' ';
    text += command;
  }
  text += ": " + printable(message.what) + "\n";
  if (!message.why.empty()) {
    text += "  why:  " + printable(message.why) + "\n";
  }
  if (!message.todo.empty()) {
    text += "  do:   " + printable(message.todo) + "\n";
  }
  return text;
}

int complain(std::string_view command, const Message& message, int status) {
  std::fflush(stdout);
  const auto text = render(command, message);
  std::fwrite(text.data(), 1, text.size(), stderr);
  return status;
}

int complain_usage(std::string_view command, std::string_view what) {
  const auto help =
      command.empty() ? std::string("sworn help") : fmt::format("sworn help {}", command);
  return complain(command, {std::string(what), "the command line does not fit the command", help},
                  k_exit_failure);
}

Message explain_session_error(const std::string& path, const Error& error) {
  switch (error.code) {
    case Errc::io:
      return explain_system_error(path, error);
    case Errc::bad_usage:
      return {path + ": not a session file", describe(error),
              "name a .sworn file; sworn ls lists them"};
    case Errc::unsupported:
      return {path + ": made by another version of sworn", describe(error),
              "read it with the version of sworn that made it, or a newer one"};
    case Errc::truncated:
      return {path + ": ends too early to be a session file", describe(error),
              "sworn verify FILE     (says what of it is proven, if anything)"};
    case Errc::corrupt:
    case Errc::bad_seal:
      return {path + ": not a session file, or damaged", describe(error),
              "sworn verify FILE     (says what of it is proven, if anything)"};
    case Errc::not_found:
      return {path + ": does not hold what was asked for", describe(error),
              "sworn info FILE     (says what it holds)"};
    case Errc::exhausted:
      return {path + ": beyond what this program takes", describe(error),
              "the limits are in sworn-format(5)"};
    case Errc::locked:
      return {path + ": is encrypted, and no key at hand opens it", describe(error),
              "name the identity of one of its recipients: --identity FILE, or SWORN_IDENTITY"};
  }
  return {path, describe(error), ""};
}

Message explain_output_error(const std::string& path, const Error& error) {
  if (error.sys == EEXIST) {
    return {path + ": exists already", "sworn never overwrites a file",
            "name another file with -o"};
  }
  if (error.sys == ENOSPC || error.sys == EDQUOT) {
    return {path + ": cannot be written: " + system_text(error.sys), describe(error),
            "free some space or name a file on another disk with -o"};
  }
  return {path + ": cannot be written", describe(error),
          "check that the directory exists and that this user may write there"};
}

int exit_status_for(const Error& error) {
  return error.code == Errc::unsupported ? k_exit_unsupported : k_exit_failure;
}

}  // namespace sworn::cli
