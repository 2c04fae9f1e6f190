// SPDX-License-Identifier: Apache-2.0
#include "oauth/device_poll.h"

#include "support/test_provider.h"

using namespace std::chrono_literals;
using base::Steady;
using oauth::Pending;
using oauth::PollOutcome;
using oauth::TokenResponse;

namespace {

constexpr const char* endpoint = "https://sso.example.com/as/token.oauth2";
constexpr const char* success =
    R"({"access_token":"at","id_token":"a.b.c","token_type":"Bearer","expires_in":7199})";

struct Flow {
  test::FakeHttp client;
  oauth::Limits limits;
  oauth::DeviceAuthorization grant;
  oauth::PollState state;

  Flow() {
    grant.device_code = base::Secret::copy_of("dev/code");
    grant.expires_in = 600s;
    grant.interval = 5s;
    state = oauth::begin_polling(grant, limits);
  }
  // One poll at the time it is due.
  base::Result<PollOutcome> poll() {
    state.next_at = Steady::now();
    return poll_as_is();
  }
  base::Result<PollOutcome> poll_as_is() {
    return oauth::poll_once(client, test::provider(), endpoint, grant.device_code, limits, state,
                            test::soon());
  }
  base::Result<PollOutcome> answered(long status, const std::string& body,
                                     const std::string& media_type = "application/json") {
    client.answer(endpoint, test::FakeHttp::response(status, body, media_type));
    return poll();
  }
  // How long until the next poll, without the margin, in whole seconds.
  long long pause() const {
    const auto rest = state.next_at - Steady::now() - limits.poll_margin;
    return std::chrono::round<std::chrono::seconds>(rest).count();
  }
};

std::string error(const std::string& code) { return R"({"error":")" + code + "\"}"; }

bool is_pending(const base::Result<PollOutcome>& outcome) {
  return outcome && std::holds_alternative<Pending>(*outcome);
}
std::string note(const base::Result<PollOutcome>& outcome) {
  return is_pending(outcome) ? std::get<Pending>(*outcome).note : "(not pending)";
}

}  // namespace

// Q10: the first poll comes one interval and a margin after the answer.
TEST(waits_one_full_interval_before_the_first_poll) {
  Flow flow;
  EXPECT_EQ(flow.pause(), 5);
  EXPECT(flow.limits.poll_margin >= 1s);
}

// F01, V22: whatever the caller does, nothing is sent early.
TEST(sends_nothing_before_the_interval_is_over) {
  Flow flow;
  EXPECT(is_pending(flow.poll_as_is()));
  EXPECT_EQ(flow.client.sent().size(), 0u);
}

TEST(sends_the_device_code_with_client_authentication) {
  Flow flow;
  EXPECT(is_pending(flow.answered(400, error("authorization_pending"))));
  EXPECT_EQ(flow.client.sent()[0].url, endpoint);
  EXPECT_EQ(flow.client.sent()[0].form,
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
            "&device_code=dev%2Fcode");
  EXPECT(flow.client.sent()[0].authorization.starts_with("Basic "));
}

TEST(hands_out_the_tokens_after_the_approval) {
  Flow flow;
  const auto outcome = flow.answered(200, success);
  EXPECT_OK(outcome);
  EXPECT(std::holds_alternative<TokenResponse>(*outcome));
  EXPECT_EQ(std::get<TokenResponse>(*outcome).id_token->reveal(), "a.b.c");
}

// Q7: GitHub 200, RFC 400, Google 428.
TEST(goes_on_while_pending_whatever_the_status) {
  for (const long status : {200L, 400L, 401L, 403L, 428L, 500L}) {
    Flow flow;
    const auto outcome = flow.answered(status, error("authorization_pending"));
    EXPECT(is_pending(outcome));
    EXPECT_EQ(note(outcome), "");
    EXPECT_EQ(flow.pause(), 5);
  }
}

// F05, V22.
TEST(slow_down_adds_five_seconds_for_good) {
  Flow flow;
  EXPECT(is_pending(flow.answered(400, error("slow_down"))));
  EXPECT_EQ(flow.pause(), 10);
  EXPECT(is_pending(flow.answered(403, error("slow_down"))));
  EXPECT_EQ(flow.pause(), 15);
  EXPECT(is_pending(flow.answered(400, error("authorization_pending"))));
  EXPECT_EQ(flow.pause(), 15);
  for (int i = 0; i < 1000; ++i) EXPECT(is_pending(flow.answered(400, error("slow_down"))));
  EXPECT(flow.state.interval == flow.limits.max_lifetime);
}

// F03, Q8, Q9.
TEST(ends_at_each_final_answer_with_its_own_reason) {
  EXPECT_REASON(Flow().answered(400, error("access_denied")), device_denied);
  EXPECT_REASON(Flow().answered(400, error("authorization_declined")), device_denied);
  EXPECT_REASON(Flow().answered(403, error("access_denied")), device_denied);
  EXPECT_REASON(Flow().answered(400, error("expired_token")), device_expired);
  EXPECT_REASON(Flow().answered(400, error("invalid_grant")), device_used);  // F22
  EXPECT_REASON(Flow().answered(400, error("bad_verification_code")), device_used);
  EXPECT_REASON(Flow().answered(401, error("invalid_client")), idp_client_rejected);
  EXPECT_REASON(Flow().answered(400, error("unauthorized_client")), idp_client_rejected);
  EXPECT_REASON(Flow().answered(400, error("unsupported_grant_type")), idp_client_rejected);
  EXPECT_REASON(Flow().answered(401, "", ""), idp_client_rejected);
}

// RFC 8628 §3.5: any other error code ends the polling.
TEST(ends_at_an_error_code_it_does_not_know) {
  for (const char* code : {"invalid_request", "consent_required", "Authorization_Pending", ""}) {
    const auto outcome = Flow().answered(400, error(code));
    EXPECT_REASON(outcome, device_response);
    EXPECT(outcome.error().outcome == base::Outcome::refused);
  }
  EXPECT_REASON(Flow().answered(400, R"({"error":{"code":"authorization_pending"}})"),
                device_response);
}

TEST(prints_only_printable_text_of_an_error) {
  const auto outcome = Flow().answered(
      400, R"({"error":"x\u001b[2J","error_description":"y\r\nverdict=ok \u202e"})");
  EXPECT_REASON(outcome, device_response);
  EXPECT(test::contains(outcome.error().detail, "x?[2J"));
  for (const char c : outcome.error().detail) EXPECT(c >= ' ' && c <= '~');
}

// F07, V31.
TEST(refuses_an_answer_with_an_error_and_a_token) {
  for (const char* code : {"authorization_pending", "slow_down", "server_error", "x"}) {
    for (const long status : {200L, 400L}) {
      const auto outcome =
          Flow().answered(status, R"({"access_token":"at","token_type":"Bearer","error":")" +
                                      std::string(code) + "\"}");
      EXPECT_REASON(outcome, device_response);
      EXPECT(outcome.error().outcome == base::Outcome::refused);
    }
  }
}

TEST(refuses_a_token_of_another_type) {
  const auto outcome = Flow().answered(200, R"({"access_token":"at","token_type":"mac"})");
  EXPECT_REASON(outcome, device_response);
  EXPECT(outcome.error().outcome == base::Outcome::refused);
}

// E15: a token counts under status 200 and as JSON only.
TEST(never_takes_a_token_under_another_status_for_a_success) {
  for (const long status : {201L, 204L, 206L, 400L, 401L, 403L, 404L, 429L, 500L, 502L, 503L})
    EXPECT_REASON(Flow().answered(status, success), idp_status);
  EXPECT_REASON(Flow().answered(200, success, "text/html"), idp_content_type);
}

// F06: with back-off, and bounded.
TEST(goes_on_after_a_failure_with_growing_pauses) {
  Flow flow;
  flow.client.fail(endpoint, base::Reason::idp_timeout);
  const auto first = flow.poll();
  EXPECT(test::contains(note(first), "device.poll_retry"));
  EXPECT_EQ(flow.pause(), 10);
  flow.client.fail(endpoint, base::Reason::idp_connect);
  EXPECT(is_pending(flow.poll()));
  EXPECT_EQ(flow.pause(), 20);
  EXPECT(is_pending(flow.answered(502, "<html>", "text/html")));
  EXPECT_EQ(flow.pause(), 40);
  for (int i = 0; i < 40; ++i) EXPECT(is_pending(flow.answered(500, "", "")));
  EXPECT_EQ(flow.pause(), 60);
  EXPECT(is_pending(flow.answered(400, error("authorization_pending"))));
  EXPECT_EQ(flow.pause(), 5);
  EXPECT_EQ(flow.state.failures, 0);
}

TEST(takes_a_server_error_in_json_for_a_failure_too) {
  for (const long status : {500L, 502L, 503L}) {
    Flow flow;
    EXPECT(is_pending(flow.answered(status, error("temporarily_unavailable"))));
    EXPECT_EQ(flow.pause(), 10);
  }
  Flow flow;
  EXPECT(is_pending(flow.answered(400, error("server_error"))));
  EXPECT_EQ(flow.pause(), 10);
}

// E16.
TEST(obeys_retry_after_within_bounds) {
  const std::pair<std::optional<std::chrono::seconds>, long> cases[] = {
      {0s, 10}, {-3s, 10}, {30s, 30}, {1000000000s, 60}, {std::nullopt, 10}};
  for (const long status : {429L, 503L}) {
    for (const auto& [retry_after, expected] : cases) {
      Flow flow;
      http::Response response;
      response.status = status;
      response.retry_after = retry_after;
      flow.client.answer(endpoint, std::move(response));
      EXPECT(is_pending(flow.poll()));
      EXPECT_EQ(flow.pause(), expected);
    }
  }
}

// slow_down's interval is the provider's word; a failure does not shorten it.
TEST(never_backs_off_to_less_than_the_interval) {
  Flow flow;
  for (int i = 0; i < 20; ++i) EXPECT(is_pending(flow.answered(400, error("slow_down"))));
  EXPECT(flow.state.interval == 105s);
  EXPECT(is_pending(flow.answered(500, "", "")));
  EXPECT_EQ(flow.pause(), 105);
}

// What waiting does not cure, and a client that has gone, ends it at once.
TEST(ends_at_failures_that_waiting_does_not_cure) {
  for (const auto reason :
       {base::Reason::conv_closed, base::Reason::tls_verify, base::Reason::tls_revoked,
        base::Reason::http_redirect, base::Reason::http_size, base::Reason::cfg_ca}) {
    Flow flow;
    flow.client.fail(endpoint, reason);
    const auto outcome = flow.poll();
    EXPECT(!outcome);
    EXPECT(outcome.error().reason == reason);
  }
}

TEST(gives_strange_answers_three_chances) {
  Flow flow;
  EXPECT(is_pending(flow.answered(200, "<html>", "text/html")));
  EXPECT(is_pending(flow.answered(403, "<html>blocked</html>", "text/html")));
  EXPECT_REASON(flow.answered(200, "<html>", "text/html"), idp_content_type);

  Flow other;
  EXPECT(is_pending(other.answered(200, "{\"access_token\":\"cut")));
  EXPECT(is_pending(other.answered(200, "")));
  EXPECT(is_pending(other.answered(400, error("authorization_pending"))));
  EXPECT(is_pending(other.answered(200, "")));
  EXPECT(is_pending(other.answered(200, "")));
  EXPECT_REASON(other.answered(200, ""), idp_json);
}

TEST(refuses_a_success_without_a_token) {
  EXPECT_REASON(Flow().answered(200, "{}"), device_response);
  EXPECT_REASON(Flow().answered(200, R"({"token_type":"Bearer"})"), device_response);
}

// F04, V22: by the steady clock, and without a last request.
TEST(ends_when_the_code_has_run_out) {
  Flow flow;
  flow.state.expires_at = Steady::now();
  EXPECT_REASON(flow.poll(), device_expired);
  EXPECT_EQ(flow.client.sent().size(), 0u);
}

// Nobody knows whether the person approved: not the person's fault.
TEST(ends_with_the_failure_when_the_provider_was_silent_to_the_end) {
  Flow flow;
  flow.client.fail(endpoint, base::Reason::idp_connect);
  EXPECT(is_pending(flow.poll()));
  flow.state.expires_at = Steady::now();
  const auto outcome = flow.poll();
  EXPECT_REASON(outcome, idp_connect);
  EXPECT(outcome.error().outcome == base::Outcome::unavailable);
}

TEST(tests_can_poll_faster_than_the_product) {
  oauth::Limits limits;
  limits.min_interval = 0s;
  limits.poll_margin = 0ms;
  oauth::DeviceAuthorization grant;
  grant.interval = 0s;
  grant.expires_in = 600s;
  const auto now = Steady::now();
  EXPECT(oauth::begin_polling(grant, limits, now).next_at == now);
}
