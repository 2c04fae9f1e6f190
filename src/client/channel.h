// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/handle.h"
#include "base/secret.h"

/// \file
/// One question and one answer between the askpass program and the process that holds the tokens,
/// each a single packet of a SOCK_SEQPACKET connection.  Both are installed together: a packet
/// begins with a version that must be equal.

namespace client {

struct Question {
  pid_t asker = 0;  ///< the ssh or sudo that started the askpass program
  std::string prompt;
};

struct Reply {
  bool is_part = false;
  base::Secret text;  ///< the part, or why there is none
};

/// Whether the other end belongs to this user, who alone may ask and be asked.
bool is_own_peer(int connection);

/// Errors of these four: sys.error · broker.proto.
base::Result<> send_question(int connection, const Question& question);
base::Result<Question> receive_question(int connection);
base::Result<> send_reply(int connection, bool is_part, std::string_view text);
base::Result<Reply> receive_reply(int connection);

/// Connects to the holder's socket; each later call waits at most this long.
base::Result<base::UniqueFd> connect_to(const std::string& path, std::chrono::seconds patience);
void set_patience(int connection, std::chrono::seconds patience);

}  // namespace client
