// SPDX-License-Identifier: Apache-2.0
// When recording fails, somebody must hear of it who is not looking at this terminal.
#pragma once

#include "recorder/message.hpp"

#include <string>

namespace sworn::recorder {

// One line to the system log (authpriv, alert), and a note beside the recording: PATH.note,
// appended. Neither can fail loudly; the terminal is the caller's business.
void raise_alert(const Message& message, const std::string& recording_path);

}  // namespace sworn::recorder
