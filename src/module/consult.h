// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string_view>

#include "ipc/message.h"
#include "module/account_facts.h"
#include "module/conversation.h"
#include "module/dialogue.h"
#include "module/failure.h"
#include "module/kernel_session.h"
#include "module/login.h"
#include "module/packet.h"

/// \file
/// Asking the broker outside an authentication, when nobody can be asked anything.

namespace module {

/// A begin with what is said in every phase; flags beyond the account's are the caller's to add.
/// It points into its arguments.
ipc::Begin begin_of(ipc::Phase phase, const Login& login, const AccountFacts& account,
                    const KernelSession& session, std::chrono::seconds patience);

/// What a conversation outside the authentication is about.
struct Question {
  ipc::Phase phase;
  const Login& login;
  const AccountFacts& account;
  std::string_view provider;
  std::chrono::seconds patience;
};

/// A whole conversation with a broker of its own.  In phase close_session the broker is left to go
/// on by itself, in every other it is gone when this returns.
/// Errors: those of Broker::start and converse.
Result<Decision> consult(const Question& question, const Conversation& conversation,
                         const Packet& packet);

}  // namespace module
