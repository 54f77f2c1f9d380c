// SPDX-License-Identifier: Apache-2.0
// exec_load COUNT LOOPS PROGRAM: executes PROGRAM COUNT times in each of LOOPS processes, one after
// the other, with two words of its own (loop, number); prints the microseconds of one, by the clock
// on the wall, of the slowest loop.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

extern "C" char** environ;

bool run_one(const char* program, const std::string& loop, const std::string& number) {
  std::string words[3] = {program, loop, number};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t pid = -1;
  int status = 0;
  return ::posix_spawn(&pid, program, nullptr, nullptr, argv, environ) == 0 &&
         ::waitpid(pid, &status, 0) == pid && status == 0;
}

double run_loop(int loop, int count, const char* program) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    if (!run_one(program, std::to_string(loop), std::to_string(i))) {
      std::exit(1);
    }
  }
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begin;
  return spent.count() / count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    return 2;
  }
  const int count = std::atoi(argv[1]);
  const int loops = std::atoi(argv[2]);
  double slowest = 0;
  std::vector<int> results;
  for (int loop = 0; loop < loops; ++loop) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) {
      return 1;
    }
    if (::fork() == 0) {
      const double spent = run_loop(loop, count, argv[3]);
      ::_exit(::write(ends[1], &spent, sizeof spent) == sizeof spent ? 0 : 1);
    }
    ::close(ends[1]);
    results.push_back(ends[0]);
  }
  for (const int result : results) {
    double spent = 0;
    if (::read(result, &spent, sizeof spent) != sizeof spent) {
      return 1;
    }
    slowest = spent > slowest ? spent : slowest;
  }
  while (::wait(nullptr) > 0) {
  }
  std::printf("%.3f\n", slowest);
  return 0;
}
