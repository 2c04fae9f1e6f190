// SPDX-License-Identifier: Apache-2.0
#include "oauth/device_poll.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "oauth/answer.h"
#include "oauth/client_authentication.h"

namespace oauth {
namespace {

using base::Error;
using base::fail;
using base::Outcome;
using base::Reason;
using base::Steady;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view grant_type = "urn:ietf:params:oauth:grant-type:device_code";
constexpr seconds slow_down_step{5};  // RFC 8628 §3.5
// A proxy's error page can stand in for one answer or two; a third time it is the provider.
constexpr int max_strange_answers = 3;

enum class Word { none, pending, slow_down, denied, expired, used, client, other };

Word word_of(const std::optional<std::string>& error) {
  if (!error) return Word::none;
  if (*error == "authorization_pending") return Word::pending;
  if (*error == "slow_down") return Word::slow_down;
  if (*error == "access_denied" || *error == "authorization_declined") return Word::denied;  // Q8
  if (*error == "expired_token") return Word::expired;
  if (*error == "invalid_grant" || *error == "bad_verification_code") return Word::used;  // Q8, Q9
  return is_client_error(*error) ? Word::client : Word::other;
}

// No answer: waiting may cure it (F06).  TLS, redirects and size limits are not of this kind:
// whoever answers so is not the provider that was configured, or needs the administrator.
bool is_passing(Reason reason) {
  switch (reason) {
    case Reason::idp_dns:
    case Reason::idp_connect:
    case Reason::idp_timeout:
    case Reason::http_proto: return true;
    default: return false;
  }
}

// One poll, from what is known about the grant to what is known after it.
class Poll {
 public:
  Poll(const Limits& limits, PollState& state) : limits_(limits), state_(state) {}

  base::Result<PollOutcome> decide(const Answer& answer);
  // The provider gave no usable answer: ask again, each time after twice the pause.
  PollOutcome back_off(Error why, std::optional<seconds> retry_after = {});

 private:
  PollOutcome go_on(std::string note) {
    state_.failures = 0;
    state_.strange_answers = 0;
    state_.last_failure.reset();
    state_.next_at = Steady::now() + state_.interval + limits_.poll_margin;
    return Pending{std::move(note)};
  }
  base::Result<PollOutcome> decide_without_error(const Answer& answer);

  const Limits& limits_;
  PollState& state_;
};

PollOutcome Poll::back_off(Error why, std::optional<seconds> retry_after) {
  state_.failures = std::min(state_.failures + 1, 16);
  const seconds doubled = state_.interval * (1 << state_.failures);
  const seconds asked = std::max(doubled, retry_after.value_or(seconds{0}));
  // Never sooner than the interval, which slow_down may have brought above the limit.
  const seconds pause = std::max(std::min(asked, limits_.max_backoff), state_.interval);
  state_.next_at = Steady::now() + pause + limits_.poll_margin;
  Pending pending{"device.poll_retry in " + std::to_string(pause.count()) + " s: " + why.detail};
  state_.last_failure = std::move(why);
  return pending;
}

base::Result<PollOutcome> Poll::decide(const Answer& answer) {
  // Never a success, and not pending either: no honest provider says both (F07).
  if (answer.error && json::member(answer.object.get(), "access_token") != nullptr)
    return fail_as(Outcome::refused, Reason::device_response,
                   "token answer with both a token and error " + *answer.error);
  const std::string detail = "token request: " + answer.said();
  switch (word_of(answer.error)) {
    case Word::none: return decide_without_error(answer);
    case Word::pending: return go_on("");
    case Word::slow_down:
      // The cap only keeps the arithmetic in bounds: no code lives that long.
      state_.interval = std::min(state_.interval + slow_down_step, limits_.max_lifetime);
      return go_on("device.interval: slow_down, now " + std::to_string(state_.interval.count()) +
                   " s");
    case Word::denied: return fail(Reason::device_denied, detail);
    case Word::expired: return fail(Reason::device_expired, detail);
    case Word::used: return fail(Reason::device_used, detail);
    case Word::client: return fail(Reason::idp_client_rejected, detail);
    case Word::other: break;
  }
  if (answer.is_rate_limit())
    return back_off(fail(Reason::idp_rate, detail).error(), answer.retry_after);
  // server_error is a failure of the provider's under whatever status it comes.
  if (answer.status >= 500 || *answer.error == "server_error")
    return back_off(fail(Reason::idp_status, detail).error());
  // RFC 8628 §3.5: any other error code ends the polling.
  return fail_as(Outcome::refused, Reason::device_response, detail);
}

base::Result<PollOutcome> Poll::decide_without_error(const Answer& answer) {
  const json_t* object = answer.object.get();
  if (answer.is_success()) {
    ASSIGN_OR_RETURN(auto tokens, parse_token_response(object));
    return PollOutcome(std::move(tokens));
  }
  const auto refused = refusal(answer, "token request");
  // A token under any other status or media type is not believed (E15).
  if (object != nullptr && json::member(object, "access_token") != nullptr) {
    if (answer.status == 200) return refused;
    return fail(Reason::idp_status, refused.error().detail);
  }
  if (answer.status == 401) return refused;
  if (answer.is_rate_limit() || answer.status >= 500)
    return back_off(refused.error(), answer.retry_after);
  if (++state_.strange_answers >= max_strange_answers) return refused;
  return back_off(refused.error());
}

}  // namespace

PollState begin_polling(const DeviceAuthorization& grant, const Limits& limits,
                        Steady::time_point received_at) {
  PollState state;
  state.interval = grant.interval;
  state.next_at = received_at + grant.interval + limits.poll_margin;
  state.expires_at = received_at + grant.expires_in;
  return state;
}

base::Result<PollOutcome> poll_once(http::Client& client, const config::Provider& provider,
                                    const std::string& token_endpoint,
                                    const base::Secret& device_code, const Limits& limits,
                                    PollState& state, base::Deadline deadline) {
  const auto now = Steady::now();
  if (now >= state.expires_at) {
    // When the provider has been silent to the end, nobody knows whether the person approved.
    if (state.last_failure) return base::Unexpected<Error>(*state.last_failure);
    return fail(Reason::device_expired, "the code's lifetime is over");
  }
  if (now < state.next_at) return PollOutcome(Pending{});

  ASSIGN_OR_RETURN(const auto request, authenticated_post(token_endpoint,
                                                          {{"grant_type", grant_type},
                                                           {"device_code", device_code.reveal()}},
                                                          provider));
  Poll poll(limits, state);
  auto response = client.send(request, deadline.sooner(base::Deadline(state.expires_at)));
  if (!response) {
    if (!is_passing(response.error().reason)) return base::Unexpected<Error>(response.error());
    return poll.back_off(std::move(response).error());
  }
  return poll.decide(read_answer(*std::move(response)));
}

}  // namespace oauth
