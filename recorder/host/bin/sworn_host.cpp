// SPDX-License-Identifier: Apache-2.0
// sworn-host: what `sworn config`, `who`, `status`, `doctor` and `retention` are. A program of its
// own, because the front end carries nothing of the recorder.
#include "recorder/host/admin/admin.hpp"

#include <string>

int main(int argc, char** argv) {
  namespace admin = sworn::recorder::host::admin;
  const std::string what = argc > 1 ? argv[1] : "";
  const admin::Words words(argv + (argc > 1 ? 2 : argc), argv + argc);
  if (what == "config") {
    return admin::run_config(words);
  }
  if (what == "who") {
    return admin::run_who(words);
  }
  if (what == "status") {
    return admin::run_status(words);
  }
  if (what == "doctor") {
    return admin::run_doctor(words);
  }
  if (what == "retention") {
    return admin::run_retention(words);
  }
  return admin::complain("this program is started by sworn", "there is no command " + what,
                         "sworn help");
}
