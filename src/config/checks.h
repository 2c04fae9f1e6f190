// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

/// \file
/// What a single string of the configuration may look like.

namespace config {

/// Says what is wrong, as the end of the sentence `issuer …`; nullptr when nothing is.
using Check = const char* (*)(std::string_view text);

const char* https_url(std::string_view text);    ///< no userinfo, no fragment, printable ASCII
const char* issuer_url(std::string_view text);   ///< an https_url without a query
const char* proxy_url(std::string_view text);    ///< http://host:port or https://host:port
const char* host_name(std::string_view text);    ///< a DNS name or an address, no port
const char* host_or_any(std::string_view text);  ///< a host_name or "*"
const char* absolute_path(std::string_view text);
const char* scope_token(std::string_view text);   ///< RFC 6749 §3.3
const char* visible_text(std::string_view text);  ///< RFC 6749 appendix A: 0x20–0x7e, not empty
const char* visible_word(std::string_view text);  ///< the same without blanks
const char* visible_word_or_empty(std::string_view text);
const char* claim_name(std::string_view text);
const char* claim_name_or_pointer(std::string_view text);  ///< RFC 6901 when it begins with /
const char* domain_name(std::string_view text);
const char* group_name(std::string_view text);    ///< UTF-8 without control characters
const char* account_name(std::string_view text);  ///< of an account that can be logged in to
/// The same with a domain around it: `CORP\alice`, `alice@corp.example`, where account_template
/// writes names so.
const char* host_account_name(std::string_view text);
const char* account_template(std::string_view text);  ///< `{name}`, once, in a host_account_name
const char* local_group_name(std::string_view text);
const char* local_name(std::string_view text);  ///< of any account, root included
const char* provider_name(std::string_view text);
const char* claim_and_value(std::string_view text);  ///< NAME=VALUE, both visible words
const char* assertion_algorithm(std::string_view text);
const char* assertion_audience(std::string_view text);  ///< "issuer", "endpoint" or an https_url
const char* service_name(std::string_view text);
const char* signature_algorithm(std::string_view text);

/// "90s", "10m", "8h", "30d".
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// `[a-z_][a-z0-9_.-]{0,31}`: the names that useradd(8) makes.
bool is_account_name(std::string_view text);

}  // namespace config
