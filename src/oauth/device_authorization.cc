// SPDX-License-Identifier: Apache-2.0
#include "oauth/device_authorization.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "oauth/answer.h"
#include "oauth/client_authentication.h"

namespace oauth {
namespace {

using base::fail;
using base::Reason;
using std::chrono::seconds;

constexpr std::size_t max_device_code_bytes = 2048;
constexpr std::size_t max_user_code_bytes =
    64;                                       // the longest known has 11; more is no code to type
constexpr std::size_t max_link_bytes = 8192;  // parse_https_url has the real limit and says so
constexpr seconds default_interval{5};        // RFC 8628 §3.2

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Verbatim on the terminal, so it may hold nothing but what prints as itself; a blank at an end
// would be a character that nobody sees.
bool is_user_code(std::string_view code) {
  if (code.empty() || code.front() == ' ' || code.back() == ' ') return false;
  return std::all_of(code.begin(), code.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

base::Result<std::string> parse_user_code(const json_t* object) {
  ASSIGN_OR_RETURN(auto code, json::string_member(object, "user_code", max_user_code_bytes,
                                                  Reason::device_response));
  if (!code) return fail(Reason::device_response, "user_code is missing");
  if (!is_user_code(*code))
    return fail(Reason::device_response, "user_code is not printable ASCII");
  return *std::move(code);
}

// Google and Azure AD v1 write `url` for `uri` (Q1); where both are there the standard's wins.
base::Result<std::optional<std::string>> link_member(const json_t* object, const char* name,
                                                     const char* other_name) {
  const char* present = json::member(object, name) != nullptr ? name : other_name;
  return json::string_member(object, present, max_link_bytes, Reason::device_response);
}

// A link that sends a person to a stranger's page is how a login is phished (F10), so its host is
// the issuer's or one that the administrator named.
base::Result<http::Url> parse_link(const std::string& text, const config::Provider& provider) {
  ASSIGN_OR_RETURN(auto link, http::parse_https_url(text, Reason::device_uri));
  const config::VerificationHosts& rule = provider.verification_hosts;
  if (rule.any || std::find(rule.hosts.begin(), rule.hosts.end(), link.host) != rule.hosts.end())
    return link;
  ASSIGN_OR_RETURN(const auto issuer, http::parse_https_url(provider.issuer, Reason::cfg_syntax));
  if (link.host == issuer.host) return link;
  return fail(Reason::device_uri, "verification_uri is on host " + link.host +
                                      ", which is neither the issuer's (" + issuer.host +
                                      ") nor in verification_hosts");
}

base::Result<> parse_links(const json_t* object, const config::Provider& provider,
                           DeviceAuthorization& grant) {
  ASSIGN_OR_RETURN(const auto plain, link_member(object, "verification_uri", "verification_url"));
  if (!plain) return fail(Reason::device_response, "verification_uri is missing");
  ASSIGN_OR_RETURN(grant.verification_uri, parse_link(*plain, provider));

  ASSIGN_OR_RETURN(const auto complete,
                   link_member(object, "verification_uri_complete", "verification_url_complete"));
  if (!complete) return {};
  ASSIGN_OR_RETURN(auto link, http::parse_https_url(*complete, Reason::device_uri));
  // It goes into a QR code that a person scans without reading it: only where the link that is
  // read leads.
  if (link.host != grant.verification_uri.host)
    return fail(Reason::device_uri, "verification_uri_complete is on host " + link.host +
                                        ", verification_uri on " + grant.verification_uri.host);
  grant.verification_uri_complete = std::move(link);
  return {};
}

// An interval that is no number counts as absent: the login is not worth less for it, and we never
// poll faster than the default.
seconds parse_interval(const json_t* object, const Limits& limits,
                       std::vector<std::string>& notes) {
  const auto sent = json::seconds_member(object, "interval", Reason::device_response);
  if (!sent) notes.push_back("device.interval: " + sent.error().detail + "; taking the default");
  const seconds asked = sent && *sent ? **sent : std::max(default_interval, limits.min_interval);
  const seconds used = std::clamp(asked, limits.min_interval, limits.max_interval);
  if (used != asked)
    notes.push_back("device.interval: " + std::to_string(asked.count()) + " s, taking " +
                    std::to_string(used.count()) + " s");
  return used;
}

}  // namespace

base::Result<DeviceAuthorization> parse_device_authorization(const json_t* object,
                                                             const config::Provider& provider,
                                                             const Limits& limits) {
  DeviceAuthorization grant;
  ASSIGN_OR_RETURN(auto device_code, secret_member(object, "device_code", max_device_code_bytes,
                                                   Reason::device_response));
  if (!device_code) return fail(Reason::device_response, "device_code is missing");
  grant.device_code = *std::move(device_code);
  ASSIGN_OR_RETURN(grant.user_code, parse_user_code(object));
  RETURN_IF_ERROR(parse_links(object, provider, grant));

  ASSIGN_OR_RETURN(const auto expires_in,
                   json::seconds_member(object, "expires_in", Reason::device_response));
  if (!expires_in) return fail(Reason::device_response, "expires_in is missing");
  if (expires_in->count() < 1) return fail(Reason::device_response, "expires_in is 0");
  grant.expires_in = std::min(*expires_in, limits.max_lifetime);
  grant.interval = parse_interval(object, limits, grant.notes);
  return grant;
}

base::Result<DeviceAuthorization> request_device_authorization(
    http::Client& client, const config::Provider& provider, const config::SignOn& sign_on,
    const std::string& endpoint, const Limits& limits, base::Deadline deadline) {
  const std::string scopes = joined(provider.scopes);
  const std::string acr_values = joined(sign_on.acr_values);
  const std::string max_age = sign_on.max_age ? std::to_string(sign_on.max_age->count()) : "";
  std::vector<http::FormField> fields;
  if (!scopes.empty()) fields.emplace_back("scope", scopes);
  if (!acr_values.empty()) fields.emplace_back("acr_values", acr_values);
  if (!max_age.empty()) fields.emplace_back("max_age", max_age);
  ASSIGN_OR_RETURN(const auto request, authenticated_post(endpoint, std::move(fields), provider));
  ASSIGN_OR_RETURN(auto response, client.send(request, deadline));
  const Answer answer = read_answer(std::move(response));
  if (!answer.is_success()) return refusal(answer, "device authorization request");
  return parse_device_authorization(answer.object.get(), provider, limits);
}

}  // namespace oauth
