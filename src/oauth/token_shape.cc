// SPDX-License-Identifier: Apache-2.0
#include "oauth/token_shape.h"

#include <algorithm>
#include <string>

#include "base/base64url.h"
#include "jose/jwt.h"
#include "json/json.h"

namespace oauth {
namespace {

using base::fail;
using base::Reason;

// A JOSE header in its usual encoding, or any encoding of what could be an object.
bool begins_like_a_header(std::string_view segment) {
  if (segment.starts_with("eyJ")) return true;
  const auto decoded = base::base64url_decode(segment);
  if (!decoded) return false;
  const auto begin = decoded->find_first_not_of(" \t\r\n");
  return begin != decoded->npos && (*decoded)[begin] == '{';
}

base::Result<json::Json> decoded_object(std::string_view segment, const char* what) {
  const auto text = base::base64url_decode(segment);
  if (!text) return fail(Reason::token_b64, what);
  return json::parse_object(*text, max_token_bytes, json::Source::token);
}

}  // namespace

base::Result<> check_askable(std::string_view token, std::string_view issuer) {
  if (token.empty()) return fail(Reason::token_format, "an empty token");
  if (token.size() > max_token_bytes)
    return fail(Reason::token_size, "token of " + std::to_string(token.size()) + " bytes");
  // VSCHAR, which has the blank in it (RFC 6749 A.12).
  const bool is_visible =
      std::all_of(token.begin(), token.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!is_visible) return fail(Reason::token_format, "a byte that no token may have");

  const auto first = token.find('.');
  if (first == token.npos || !begins_like_a_header(token.substr(0, first))) return {};
  const auto dots = std::count(token.begin(), token.end(), '.');
  if (dots == 4)
    return fail(Reason::token_format, "an encrypted token (JWE): nobody can see whose it is");
  if (dots != 2)
    return fail(Reason::token_segments, "a JWT of " + std::to_string(dots + 1) + " parts");
  const auto second = token.find('.', first + 1);
  RETURN_IF_ERROR(decoded_object(token.substr(0, first), "header"));
  ASSIGN_OR_RETURN(const auto claims,
                   decoded_object(token.substr(first + 1, second - first - 1), "payload"));
  if (json_object_get(claims.get(), "iss") == nullptr) return {};
  return jose::check_issuer(claims.get(), issuer);
}

bool is_cut_length(std::size_t size) {
  return size == 511 || (size >= 1022 && size <= 1024) || size == 4095;
}

base::Unexpected<base::Error> truncated(std::size_t size, const base::Error* refusal) {
  return base::fail(base::Reason::token_truncated,
                    "an answer of " + std::to_string(size) + " bytes, where clients cut" +
                        (refusal == nullptr ? std::string()
                                            : std::string("; and ") + base::word(refusal->reason) +
                                                  ": " + refusal->detail));
}

}  // namespace oauth
