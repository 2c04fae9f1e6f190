// SPDX-License-Identifier: Apache-2.0
#include "broker/identity_source.h"

#include <string_view>
#include <utility>

#include "jose/algorithm.h"
#include "oauth/access_token.h"
#include "oidc/id_token.h"
#include "oidc/userinfo.h"

namespace broker {
namespace {

base::Result<std::optional<oidc::IdToken>> validated_id_token(const Establishing& with,
                                                              const oauth::TokenResponse& tokens) {
  const config::Provider& provider = with.provider;
  if (!tokens.id_token) {
    const bool is_needed = provider.identity_source == config::IdentitySource::id_token;
    if (with.is_renewal && is_needed)
      return base::fail(base::Reason::token_missing,
                        "the provider renews without an ID token; identity_source = \"userinfo\" "
                        "needs none");
    if (is_needed || (provider.id_token_required && !with.is_renewal))
      return base::fail(
          base::Reason::token_missing,
          "the provider sent no ID token to the device grant; in PingFederate turn on "
          "\"Return ID Token on Open ID with Device Authorization Grant\", or set "
          "identity_source = \"userinfo\"");
    // What only an ID token can prove is not taken as proven.
    if (!with.sign_on.acr_values.empty() || with.sign_on.max_age)
      return base::fail(base::Reason::token_acr,
                        "acr_values or max_age is configured, and no ID token came to show it");
    return std::optional<oidc::IdToken>();
  }
  ASSIGN_OR_RETURN(const auto algorithms, jose::algorithms_named(provider.algorithms));
  oidc::IdTokenRules rules;
  rules.issuer = provider.issuer;
  rules.client_id = provider.client_id;
  rules.algorithms = algorithms;
  rules.now = base::wall_now();
  rules.started_at = with.started_at;
  rules.clock_skew = provider.clock_skew;
  rules.acr_values = with.sign_on.acr_values;
  rules.max_age = with.sign_on.max_age;
  rules.access_token = &tokens.access_token;
  ASSIGN_OR_RETURN(auto id_token,
                   oidc::validate_id_token(tokens.id_token->reveal(), rules, with.keys));
  return std::optional<oidc::IdToken>(std::move(id_token));
}

base::Result<oidc::Claims> userinfo_claims(const Establishing& with,
                                           const oauth::TokenResponse& tokens,
                                           const std::optional<oidc::IdToken>& id_token) {
  if (!with.metadata.userinfo_endpoint)
    return base::fail(base::Reason::idp_endpoint, "the provider has no userinfo_endpoint");
  std::optional<std::string_view> subject;
  if (id_token) subject = id_token->subject().text();
  ASSIGN_OR_RETURN(json::Json userinfo,
                   oidc::fetch_userinfo(with.client, *with.metadata.userinfo_endpoint,
                                        tokens.access_token, subject, with.deadline,
                                        with.provider.client_authentication ==
                                            config::ClientAuthentication::tls_client_auth));
  if (id_token) {
    const std::string groups = json::first_member(with.identity.groups_claim);
    ASSIGN_OR_RETURN(userinfo, oidc::merge_claims(id_token->claims().object(), userinfo.get(),
                                                  {with.identity.username_claim,
                                                   with.identity.pin_claim, groups}));
  }
  return oidc::Claims::of(oidc::ClaimSource::userinfo, std::move(userinfo));
}

base::Result<oidc::Claims> access_token_claims(const Establishing& with,
                                               const oauth::TokenResponse& tokens) {
  const config::Provider& provider = with.provider;
  ASSIGN_OR_RETURN(const auto algorithms, jose::algorithms_named(provider.algorithms));
  oauth::AccessTokenRules rules;
  rules.issuer = provider.issuer;
  rules.audience = provider.access_token_audience;
  rules.client_id = provider.client_id;
  rules.types = provider.access_token_types;
  rules.algorithms = algorithms;
  rules.now = base::wall_now();
  rules.started_at = with.started_at;
  rules.clock_skew = provider.clock_skew;
  ASSIGN_OR_RETURN(auto token,
                   oauth::validate_access_token(tokens.access_token.reveal(), rules, with.keys));
  return oidc::Claims::of(oidc::ClaimSource::access_token, std::move(token).take_claims());
}

}  // namespace

base::Result<Established> establish_identity(const Establishing& with,
                                             const oauth::TokenResponse& tokens) {
  ASSIGN_OR_RETURN(auto id_token, validated_id_token(with, tokens));
  std::optional<std::string> acr;
  std::vector<std::string> amr;
  std::optional<base::WallSeconds> auth_time;
  if (id_token) {
    acr = id_token->acr();
    amr = id_token->amr();
    auth_time = id_token->auth_time();
  }
  switch (with.provider.identity_source) {
    case config::IdentitySource::id_token:
      return Established{std::move(*id_token).take_claims(), std::move(acr), std::move(amr),
                         auth_time};
    case config::IdentitySource::userinfo: {
      ASSIGN_OR_RETURN(auto claims, userinfo_claims(with, tokens, id_token));
      return Established{std::move(claims), std::move(acr), std::move(amr), auth_time};
    }
    case config::IdentitySource::access_token: {
      ASSIGN_OR_RETURN(auto claims, access_token_claims(with, tokens));
      return Established{std::move(claims), std::move(acr), std::move(amr), auth_time};
    }
  }
  return base::fail(base::Reason::sys_error, "unknown identity_source");
}

}  // namespace broker
