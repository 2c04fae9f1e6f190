// SPDX-License-Identifier: Apache-2.0
#include "broker/human_login.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "broker/admission.h"
#include "broker/approval.h"
#include "broker/describe.h"
#include "broker/identity_source.h"
#include "broker/limits.h"
#include "broker/machine_login.h"
#include "broker/prompt_text.h"
#include "broker/reapply.h"
#include "broker/records.h"
#include "config/load.h"
#include "oauth/decoy.h"
#include "oauth/device_authorization.h"
#include "oauth/revocation.h"
#include "oidc/cached_template.h"
#include "oidc/discovery.h"
#include "oidc/keys.h"

namespace broker {
namespace {

using base::Deadline;
using base::Reason;

// How long each part of this login may take.
struct Times {
  Deadline setup;     // until the prompt is on the screen
  Deadline approval;  // until the person has approved
  Deadline identity;  // until the identity is established
};

Times plan(const LoginRequest& request, const config::Config& config) {
  const auto start = base::Steady::now();
  const auto whole = std::chrono::milliseconds(std::min(request.time, config.login_timeout));
  const Deadline approval(start + std::max(whole - limits::identity_reserve, whole / 2));
  return {Deadline(start + limits::setup_wait).sooner(approval), approval,
          Deadline(start + request.time - limits::verdict_reserve)};
}

Waiting question(const LoginRequest& request, const oauth::DeviceAuthorization& grant,
                 const config::Prompt& style, Closing closing, Deadline give_up) {
  return Waiting{approval_prompt(request, grant, style, closing),
                 still_missing_prompt(request, grant, closing),
                 closing,
                 give_up.sooner(Deadline::after(grant.expires_in)),
                 {},
                 {}};
}

// The question was answered with an access token: from here on it is a program's login.
Decision with_token(Host& host, const LoginRequest& request, Terminal& terminal,
                    audit::Event& event, base::Secret first_part) {
  ASSIGN_OR_RETURN(auto presented, complete_token(terminal, request, std::move(first_part)));
  return machine_login(host, request, terminal, event, std::move(presented));
}

// A name without an account gets the same text after the same time, and the provider hears nothing
// of it (catalogue N04, H15).  It cannot end well.
Decision decoy_login(Host& host, const LoginRequest& request, Terminal& terminal,
                     audit::Event& event, const config::Provider& provider, Closing closing,
                     const Times& times) {
  const auto shape = oidc::remembered_template(host.cache, provider, host.notes);
  auto grant = oauth::decoy_grant(shape);
  if (!grant) return base::Unexpected<base::Error>(std::move(grant).error());
  std::this_thread::sleep_until((Deadline::after(shape.took).sooner(times.setup)).at());
  Waiting waiting = question(request, *grant, host.config.prompt, closing, times.approval);
  waiting.poll = [](oauth::PollState& state, Deadline) -> base::Result<oauth::PollOutcome> {
    state.next_at = base::Steady::now() + state.interval;
    return oauth::PollOutcome(oauth::Pending{});
  };
  waiting.discard = [](const oauth::TokenResponse&) {};
  auto result = wait_for_approval(terminal, oauth::begin_polling(*grant, oauth::Limits{}), waiting);
  if (result)
    return with_token(host, request, terminal, event, std::get<base::Secret>(std::move(*result)));
  const base::Error& error = result.error();
  // What the application sees must not differ from what it sees for an account that exists.
  const bool final = error.outcome == base::Outcome::max_tries;
  return base::fail_as(
      final ? base::Outcome::max_tries : base::Outcome::unknown_user, Reason::map_no_local_user,
      "no such account; the sign-in ended with " + std::string(base::word(error.reason)));
}

// With when the answer came: lifetime and interval count from then.
struct Grant {
  oauth::DeviceAuthorization authorization;
  base::Steady::time_point received_at;
};

base::Result<Grant> ask_for_grant(Host& host, http::Client& client,
                                  const config::Provider& provider, const config::SignOn& sign_on,
                                  const oidc::ProviderMetadata& metadata, Deadline deadline) {
  if (!metadata.device_authorization_endpoint)
    return base::fail(Reason::idp_endpoint,
                      "the provider offers no device login: no device_authorization_endpoint");
  const auto asked_at = base::Steady::now();
  ASSIGN_OR_RETURN(auto grant,
                   oauth::request_device_authorization(client, provider, sign_on,
                                                       metadata.device_authorization_endpoint->text,
                                                       oauth::Limits{}, deadline));
  const auto received_at = base::Steady::now();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(received_at - asked_at);
  oidc::remember_grant(host.cache, provider, grant, took, host.notes);
  host.notes.insert(host.notes.end(), grant.notes.begin(), grant.notes.end());
  return Grant{std::move(grant), received_at};
}

}  // namespace

Decision human_login(Host& host, const LoginRequest& request, Terminal& terminal,
                     audit::Event& event, bool or_token) {
  const config::Config& config = host.config;
  ASSIGN_OR_RETURN(const config::Provider* provider,
                   config::provider_for(config, request.service, request.provider));
  event.provider = provider->name;
  event.issuer = provider->issuer;
  event.client_id = provider->client_id;
  RETURN_IF_ERROR(require_secret(host, *provider));
  const Times times = plan(request, config);
  const Closing closing = or_token               ? Closing::enter_or_token
                          : request.text_at_once ? Closing::none
                                                 : Closing::enter;
  if (!request.account_exists)
    return decoy_login(host, request, terminal, event, *provider, closing, times);

  // Discovery (OpenID Connect Discovery §4), then the device authorization request (RFC 8628 §3.1).
  if (host.fetcher) host.fetcher->start();
  bool watching = true;
  ASSIGN_OR_RETURN(const auto client, make_client(host, *provider, [&watching, &terminal] {
                     return watching && terminal.is_gone();
                   }));
  oidc::Sources sources{*client, host.cache, *provider, times.setup, host.notes};
  ASSIGN_OR_RETURN(const oidc::ProviderMetadata metadata, oidc::discover(sources));
  const base::WallSeconds started_at = base::wall_now();
  const config::SignOn sign_on = config::sign_on_for(config, request.service, *provider);
  ASSIGN_OR_RETURN(const Grant granted,
                   ask_for_grant(host, *client, *provider, sign_on, metadata, times.setup));
  const oauth::DeviceAuthorization& grant = granted.authorization;

  // Link, code and QR code; polling while the person reads (RFC 8628 §3.3–3.5).
  Waiting waiting = question(request, grant, config.prompt, closing, times.approval);
  waiting.poll = [&](oauth::PollState& state, Deadline deadline) {
    auto outcome = oauth::poll_once(*client, *provider, metadata.token_endpoint.text,
                                    grant.device_code, oauth::Limits{}, state, deadline);
    const auto* pending = outcome ? std::get_if<oauth::Pending>(&*outcome) : nullptr;
    if (pending != nullptr && !pending->note.empty()) host.notes.push_back(pending->note);
    return outcome;
  };
  oidc::ProviderKeys keys(sources, metadata.jwks_uri);
  waiting.meanwhile = [&keys] { keys.read_ahead(); };
  waiting.discard = [&](const oauth::TokenResponse& tokens) {
    if (!metadata.revocation_endpoint) return;
    watching = false;
    const auto revoked = oauth::revoke_all(*client, *provider, metadata.revocation_endpoint->text,
                                           tokens, Deadline::after(limits::revoke_wait));
    if (!revoked) host.notes.push_back("revocation: " + revoked.error().detail);
  };
  ASSIGN_OR_RETURN(
      Approval approval,
      wait_for_approval(terminal, oauth::begin_polling(grant, oauth::Limits{}, granted.received_at),
                        waiting));
  if (auto* first_part = std::get_if<base::Secret>(&approval))
    return with_token(host, request, terminal, event, std::move(*first_part));
  const auto& tokens = std::get<oauth::TokenResponse>(approval);

  // Who approved, by the configured source.
  sources.deadline = times.identity;
  ASSIGN_OR_RETURN(const Established person,
                   establish_identity({*provider, config.identity, sign_on, metadata, *client, keys,
                                       started_at, times.identity},
                                      tokens));
  event.subject = person.claims.subject().text();
  event.acr = person.acr.value_or("");
  event.amr = joined(person.amr);

  ASSIGN_OR_RETURN(auto allowed, admit(host, request, *provider, person.claims.object()));
  event.session = write_down(host, request, {*provider, person, tokens.refresh_token});
  return Granted{std::move(allowed.rule), groups_granted_to(host, person.claims.object())};
}

}  // namespace broker
