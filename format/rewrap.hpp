// SPDX-License-Identifier: Apache-2.0
// Copies of an encrypted session with another key box, and the end of a detached one. Seals do not
// cover where the boxes are, so every one of them still holds.
#pragma once

#include "base/file.hpp"
#include "format/key_box.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sworn::format {

// The session as it is, with `box` in the place of its key box; index and footer are made anew.
// Errc::bad_usage for a session in clear, or where the box belongs to a redaction note (form
// other_key), which would no longer fit.
Result<void> copy_with_key_box(const ReadFile& source, const KeyBox& box, AppendFile& out,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress);

// Names of the boxes in DIRECTORY, created O_EXCL, mode 0600, synced. `replace`: in one step over
// those that are there.
Result<void> store_key_boxes(const std::string& directory, const FileId& id,
                             const std::vector<Bytes>& boxes, bool replace = false);

// Overwrites, syncs and removes a box. What a disk or a file system keeps of it beyond that is out
// of reach.
Result<void> destroy_key_box(const std::string& path);

}  // namespace sworn::format
