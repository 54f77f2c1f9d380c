// SPDX-License-Identifier: Apache-2.0
// pty_script FILE: a person at a terminal, as a script; one step a line, '#' begins a comment:
//   spawn 80x24 COMMAND      run by sh with exec on a fresh terminal
//   type TEXT                \r \n \t \e \\ \xNN; everything behind the blank counts
//   wait TEXT                until the rendered screen shows TEXT (escapes as above; \n is the end
//   of a row) gone TEXT                until it does not resize 100x30            signal NAME (HUP
//   INT TERM KILL WINCH STOP CONT QUIT USR1 TSTP) shell COMMAND            something beside the
//   terminal; must succeed until COMMAND            repeated until it succeeds screen print the
//   rendered screen exit N                   the program ends with status N (128+signal) within the
//   deadline patience SECONDS         deadline of the following steps (default 10)
// ${NAME} is replaced from the environment. Exit status: 0 all steps done, 1 a step failed (said on
// stderr, with the screen), 2 the script is wrong.
#include "base/printable.hpp"
#include "tests/support/pty_driver.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>

#include <sys/wait.h>

namespace {

using sworn::test::PtyDriver;

struct BadScript {
  std::string why;
};

std::string expand(const std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    const auto end = line.compare(i, 2, "${") == 0 ? line.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      out += line[i++];
      continue;
    }
    const auto name = line.substr(i + 2, end - i - 2);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
      throw BadScript{"no variable " + name};
    }
    out += value;
    i = end + 1;
  }
  return out;
}

std::string unescape(const std::string& text) {
  static const std::map<char, char> k_escapes = {
      {'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'e', '\x1b'}, {'\\', '\\'}};
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
    } else if (text[i + 1] == 'x' && i + 3 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else if (const auto it = k_escapes.find(text[i + 1]); it != k_escapes.end()) {
      out += it->second;
      ++i;
    } else {
      throw BadScript{"unknown escape in: " + text};
    }
  }
  return out;
}

sworn::TermSize parse_size(const std::string& text) {
  unsigned cols = 0;
  unsigned rows = 0;
  if (std::sscanf(text.c_str(), "%ux%u", &cols, &rows) != 2 || cols == 0 || cols > 4096 ||
      rows == 0 || rows > 4096) {
    throw BadScript{"not a size: " + text};
  }
  return {static_cast<std::uint16_t>(cols), static_cast<std::uint16_t>(rows)};
}

int parse_signal(const std::string& name) {
  static const std::map<std::string, int> k_signals = {
      {"HUP", SIGHUP},     {"INT", SIGINT},   {"TERM", SIGTERM}, {"KILL", SIGKILL},
      {"WINCH", SIGWINCH}, {"STOP", SIGSTOP}, {"CONT", SIGCONT}, {"QUIT", SIGQUIT},
      {"USR1", SIGUSR1},   {"TSTP", SIGTSTP}};
  const auto it = k_signals.find(name);
  if (it == k_signals.end()) {
    throw BadScript{"no signal " + name};
  }
  return it->second;
}

bool shell(const std::string& command) {
  return std::system(command.c_str()) == 0;
}

class Runner {
 public:
  // False: the step failed.
  bool step(const std::string& verb, const std::string& rest) {
    if (verb == "spawn") {
      return spawn(rest);
    }
    if (verb == "patience") {
      patience_ = PtyDriver::Seconds(std::stod(rest));
      return true;
    }
    if (verb == "shell") {
      return shell(rest);
    }
    if (driver_ == nullptr) {
      throw BadScript{"no program was spawned before: " + verb};
    }
    return driven_step(verb, rest);
  }

  void show_screen(std::ostream& out) const {
    if (driver_ != nullptr) {
      out << driver_->screen();
    }
  }

 private:
  bool spawn(const std::string& rest) {
    const auto blank = rest.find(' ');
    if (blank == std::string::npos) {
      throw BadScript{"spawn needs a size and a command"};
    }
    sworn::test::SpawnOptions options;
    options.argv = {"/bin/sh", "-c", "exec " + rest.substr(blank + 1)};
    options.size = parse_size(rest.substr(0, blank));
    auto driver = PtyDriver::spawn(options);
    if (!driver) {
      std::cerr << sworn::describe(driver.error()) << "\n";
      return false;
    }
    driver_ = std::move(*driver);
    return true;
  }

  bool driven_step(const std::string& verb, const std::string& rest) {
    if (verb == "type") {
      return driver_->type(unescape(rest)).has_value();
    }
    if (verb == "wait") {
      return driver_->wait_text(unescape(rest), patience_);
    }
    if (verb == "gone") {
      return driver_->wait_gone(unescape(rest), patience_);
    }
    if (verb == "until") {
      return driver_->wait_until([&] { return shell(rest); }, patience_);
    }
    if (verb == "resize") {
      return driver_->resize(parse_size(rest)).has_value();
    }
    if (verb == "signal") {
      return driver_->signal(parse_signal(rest)).has_value();
    }
    if (verb == "screen") {
      driver_->pump();
      show_screen(std::cout);
      return true;
    }
    if (verb == "exit") {
      return exits_with(std::stoi(rest));
    }
    throw BadScript{"unknown step: " + verb};
  }

  bool exits_with(int wanted) {
    const auto status = driver_->wait_exit(patience_);
    if (!status) {
      std::cerr << "still running\n";
      return false;
    }
    const int got = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
    if (got != wanted) {
      std::cerr << "exit status " << got << "\n";
    }
    return got == wanted;
  }

  std::unique_ptr<PtyDriver> driver_;
  PtyDriver::Seconds patience_ = PtyDriver::k_patience;
};

int run(std::istream& script, const std::string& name) {
  Runner runner;
  std::string line;
  int number = 0;
  while (std::getline(script, line)) {
    ++number;
    if (line.empty() || line[0] == '#') {
      continue;
    }
    const auto blank = line.find(' ');
    const auto rest = blank == std::string::npos ? std::string() : expand(line.substr(blank + 1));
    if (!runner.step(line.substr(0, blank), rest)) {
      std::cerr << name << ":" << number << ": failed: " << line << "\n--- screen\n";
      runner.show_screen(std::cerr);
      std::cerr << "---\n";
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: pty_script FILE\n";
    return 2;
  }
  std::ifstream script(argv[1]);
  if (!script) {
    std::cerr << "pty_script: cannot read " << argv[1] << "\n";
    return 2;
  }
  try {
    return run(script, argv[1]);
  } catch (const BadScript& bad) {
    std::cerr << argv[1] << ": " << bad.why << "\n";
  } catch (const std::exception& error) {
    std::cerr << argv[1] << ": " << error.what() << "\n";
  }
  return 2;
}
