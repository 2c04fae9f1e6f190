// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"
#include "http/client.h"
#include "json/json.h"

/// \file
/// What an endpoint answered, sorted before anything in it is believed.  Servers disagree about the
/// status that goes with an error (Q7: 400, 401, 403, 428, even 200), so the `error` member of the
/// JSON decides first, the status second, the media type third.

namespace oauth {

struct Answer {
  long status = 0;
  std::string media_type;
  json::Json object;                 ///< null when the body is not a JSON object
  std::string no_object_because;     ///< why; never the body itself (attack catalogue O02)
  std::optional<std::string> error;  ///< RFC 6749 §5.2; printable, at most 64 bytes
  std::string error_description;     ///< printable, at most 256 bytes; for the log only
  std::optional<std::chrono::seconds> retry_after;

  /// Status 200, application/json or no media type at all (Q12), a JSON object, no `error`.
  bool is_success() const;
  /// The provider asks for fewer requests.
  bool is_rate_limit() const;
  /// For a detail: status, media type and the error in the provider's words.
  std::string said() const;
};

/// Reads an answer and wipes its body.
Answer read_answer(http::Response response);

/// What an answer that is not a success means for a request that is not a poll.  `what` names the
/// request in the detail.  idp.client_rejected · idp.rate · idp.status · idp.content_type ·
/// idp.json
base::Unexpected<base::Error> refusal(const Answer& answer, std::string_view what);

/// The error codes by which a provider says that it does not accept this client or what it asks
/// for: the administrator must act.
bool is_client_error(std::string_view code);

/// A string member as a Secret: of 1…`max_bytes` graphic ASCII bytes.  Nothing when absent.
base::Result<std::optional<base::Secret>> secret_member(const json_t* object, const char* name,
                                                        std::size_t max_bytes, base::Reason reason);

}  // namespace oauth
