// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "config/config.h"
#include "http/client.h"
#include "oauth/device_authorization.h"
#include "oauth/limits.h"
#include "oauth/token_response.h"

/// \file
/// OAuth 2.0 Device Authorization Grant, asking whether the person has approved (RFC 8628 §3.4,
/// §3.5).  One call is one request; waiting until `next_at` is the caller's, who has a client to
/// watch meanwhile.

namespace oauth {

/// Where a polled grant stands.
struct PollState {
  std::chrono::seconds interval{};            ///< grows by 5 s with each slow_down, for good
  base::Steady::time_point next_at;           ///< not before
  base::Steady::time_point expires_at;        ///< the code is worth nothing from here on
  int failures = 0;                           ///< in a row: no answer, 5xx, 429
  int strange_answers = 0;                    ///< in a row: not from an OAuth endpoint
  std::optional<base::Error> last_failure{};  ///< of the present row; none after a proper answer
};

/// The first poll comes one full interval after the answer (Q10).
PollState begin_polling(const DeviceAuthorization& grant, const Limits& limits,
                        base::Steady::time_point received_at = base::Steady::now());

/// Nobody has decided yet, or the provider could not say: go on at `next_at`.
struct Pending {
  std::string note;  ///< for the debug log when it is more than authorization_pending, else empty
};

using PollOutcome = std::variant<Pending, TokenResponse>;

/// Asks once.  A call before `next_at` sends nothing and is Pending, so polls are never closer than
/// the interval, whatever the caller does.
/// Errors (all of them final): device.denied · device.expired (or, when the provider failed to the
/// end, that failure) · device.used · idp.client_rejected · device.response (refused: an unknown
/// error code, an error beside a token; see also parse_token_response) · idp.status (a token under
/// a status that is not 200) · idp.content_type and idp.json (three strange answers in a row) ·
/// conv.closed and every other error of http::Client that waiting does not cure.
base::Result<PollOutcome> poll_once(http::Client& client, const config::Provider& provider,
                                    const std::string& token_endpoint,
                                    const base::Secret& device_code, const Limits& limits,
                                    PollState& state, base::Deadline deadline);

}  // namespace oauth
