// SPDX-License-Identifier: Apache-2.0
#include "jose/jwt.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/base64url.h"
#include "jose/openssl.h"
#include "json/json.h"

namespace jose {

using base::fail;
using base::Reason;

namespace {

// Longest issuer, audience or client that is looked at; an https URL is at most 2,048 bytes here.
constexpr std::size_t max_name_bytes = 2048;
constexpr std::size_t max_audiences = 32;
constexpr std::size_t max_subject_bytes = 255;

using Date = std::optional<base::WallSeconds>;

// C0, DEL, and C1 as UTF-8 writes it (C2 80 … C2 9F).
bool has_control_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      return true;
  }
  return false;
}

std::string seconds_text(std::chrono::seconds span) { return std::to_string(span.count()) + " s"; }

}  // namespace

std::chrono::seconds effective_skew(std::chrono::seconds configured) {
  return std::clamp(configured, std::chrono::seconds{0}, max_clock_skew);
}

base::Result<> check_issuer(const json_t* claims, std::string_view issuer) {
  ASSIGN_OR_RETURN(const auto iss,
                   json::string_member(claims, "iss", max_name_bytes, Reason::token_iss));
  if (!iss) return fail(Reason::token_iss, "iss is missing");
  if (issuer.empty() || *iss != issuer)
    return fail(Reason::token_iss, "iss is " + *iss + ", expected " + std::string(issuer));
  return {};
}

base::Result<std::vector<std::string>> audience(const json_t* claims) {
  ASSIGN_OR_RETURN(auto aud, json::strings_member(claims, "aud", max_audiences, max_name_bytes,
                                                  Reason::token_aud));
  if (!aud || aud->empty()) return fail(Reason::token_aud, "aud is missing or empty");
  return *std::move(aud);
}

base::Result<> check_authorized_party(const json_t* claims, std::string_view client_id,
                                      bool required) {
  ASSIGN_OR_RETURN(const auto azp,
                   json::string_member(claims, "azp", max_name_bytes, Reason::token_azp));
  if (!azp && required) return fail(Reason::token_azp, "several audiences and no azp");
  if (azp && *azp != client_id) return fail(Reason::token_azp, "azp is " + *azp);
  return {};
}

base::Result<> check_validity(const json_t* claims, const ValidityRules& rules) {
  const auto skew = effective_skew(rules.clock_skew);
  ASSIGN_OR_RETURN(const Date exp, json::date_member(claims, "exp", Reason::token_exp));
  if (!exp) return fail(Reason::token_exp, "exp is missing");
  if (rules.now > *exp + skew)
    return fail(Reason::token_exp, "expired " + seconds_text(rules.now - *exp) + " ago");

  ASSIGN_OR_RETURN(const Date nbf, json::date_member(claims, "nbf", Reason::token_nbf));
  if (nbf && *nbf > rules.now + skew)
    return fail(Reason::token_nbf, "valid only in " + seconds_text(*nbf - rules.now));

  ASSIGN_OR_RETURN(const Date iat, json::date_member(claims, "iat", Reason::token_iat));
  if (!iat && rules.issued_at_required) return fail(Reason::token_iat, "iat is missing");
  if (iat && *iat > rules.now + skew)
    return fail(Reason::token_iat, "issued in " + seconds_text(*iat - rules.now));
  if (iat && rules.started_at && *iat + skew < *rules.started_at)
    return fail(Reason::token_iat,
                "issued " + seconds_text(*rules.started_at - *iat) + " before this login began");

  if (iat && *exp - *iat > rules.max_lifetime)
    return fail(Reason::token_lifetime, "valid for " + seconds_text(*exp - *iat));
  if (*exp - rules.now > rules.max_lifetime + skew)
    return fail(Reason::token_lifetime, "valid for another " + seconds_text(*exp - rules.now));
  return {};
}

base::Result<std::string> subject(const json_t* claims) {
  ASSIGN_OR_RETURN(auto sub,
                   json::string_member(claims, "sub", max_subject_bytes, Reason::token_sub));
  if (!sub || sub->empty()) return fail(Reason::token_sub, "sub is missing or empty");
  if (has_control_characters(*sub)) return fail(Reason::token_sub, "sub has control characters");
  return *std::move(sub);
}

base::Result<> refuse_confirmation(const json_t* claims) {
  if (json_object_get(claims, "cnf") == nullptr) return {};
  return fail(Reason::token_cnf, "the token is bound to a key or certificate of its owner");
}

base::Result<std::string> left_half_hash(Algorithm algorithm, std::string_view text) {
  const ErrorQueueMark mark;
  unsigned char digest[EVP_MAX_MD_SIZE];
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, traits(algorithm).digest, nullptr, text.data(), text.size(), digest,
                   &size) != 1)
    return fail(Reason::sys_nomem, "digest");
  return base::base64url_encode({reinterpret_cast<const char*>(digest), size / 2});
}

}  // namespace jose
