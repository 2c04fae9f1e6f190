// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "module/failure.h"
#include "module/limits.h"

/// \file
/// The module's arguments, as pam_oidc(8) lists them.

namespace module {

using Arguments = std::span<const char* const>;

/// The module type ("auth", "account" …) of the line the arguments stand in.
enum class Line { auth, account, session, password };

/// How text becomes visible in the application.
enum class TextMode {
  automatic,  ///< by the service's name
  prompt,     ///< held back until the next prompt (sshd)
  direct,     ///< at once (sudo, su, login)
};

/// What the account phase says about a login that we did not authenticate.
enum class OtherLogins {
  ignore,  ///< left to the rest of the stack
  deny,
  recent,  ///< the account's last verified login on this host must be recent: the broker knows
};

/// What is done with PAM_AUTHTOK, the answer to an earlier module's prompt.
enum class FirstPass {
  ignored,
  tried,  ///< try_first_pass: taken where it is an access token
  only,   ///< use_first_pass: and nobody is ever asked
};

struct Options {
  std::string_view provider;  ///< empty: the broker's default
  std::chrono::seconds timeout = limits::default_timeout;
  TextMode text = TextMode::automatic;
  OtherLogins other_logins = OtherLogins::ignore;
  FirstPass first_pass = FirstPass::ignored;
  bool debug = false;
};

/// Reads the arguments.  One that is unknown, empty, twice there, out of range or of another line
/// fails with cfg.arg: a typing mistake must not switch a check off.
Result<Options> parse_options(Arguments arguments, Line line);

/// Whether PAM_SILENT means nothing in this service.  sudo passes it at every authentication, to
/// keep other modules from talking, and shows whatever it is given all the same (measured, 1.9.13).
bool is_never_silent(std::string_view service);

/// Whether text is visible at once in this service.
bool shows_text_at_once(const Options& options, std::string_view service);

}  // namespace module
