// SPDX-License-Identifier: Apache-2.0
// `sworn export --bundle CASE.tar.zst SESSION...`: everything that somebody without this program
// needs to check recordings, in one archive. docs/bundle.md.
#pragma once

#include <string>

namespace sworn::cli {

class Arguments;

int export_bundle(const Arguments& args, const std::string& out_path);

}  // namespace sworn::cli
