// SPDX-License-Identifier: Apache-2.0
#include "broker/prompt_text.h"

#include "base/text.h"
#include "broker/limits.h"
#include "broker/token_conversation.h"
#include "qr/qr_text.h"

namespace broker {
namespace {

constexpr std::size_t longest_name = 40;

std::string headline(const LoginRequest& request) {
  std::string line = "Sign in to " + base::printable(request.host, longest_name) + " as " +
                     base::printable(request.user, longest_name);
  // sshd is what people expect; every other service is named.
  if (request.service != "sshd") line += " for " + base::printable(request.service, longest_name);
  if (!request.rhost.empty()) line += ", from " + base::printable(request.rhost, longest_name);
  return line + "\n";
}

std::string qr_code(const oauth::DeviceAuthorization& grant, const config::Prompt& style) {
  if (style.plain || style.qr == config::QrStyle::off) return {};
  const http::Url& link = style.link_with_code && grant.verification_uri_complete
                              ? *grant.verification_uri_complete
                              : grant.verification_uri;
  const int rows = style.qr == config::QrStyle::ascii ? limits::qr_rows_in_ascii : limits::qr_rows;
  const auto drawn = qr::draw(link.text, style.qr, limits::screen_columns, rows);
  return drawn ? *drawn : std::string();
}

std::string closing_line(const LoginRequest& request, Closing closing) {
  switch (closing) {
    case Closing::none: return {};
    case Closing::enter: return "Press Enter when you have approved: ";
    case Closing::enter_or_token: break;
  }
  // 78 columns.
  std::string asking = token_prompt(1, part_size(request.service));
  asking.front() = 'a';
  return "Press Enter once approved, or give an " + asking;
}

}  // namespace

std::string approval_prompt(const LoginRequest& request, const oauth::DeviceAuthorization& grant,
                            const config::Prompt& style, Closing closing) {
  std::string text = headline(request);
  const std::string code = base::printable(grant.user_code, 64);
  if (style.plain) {
    text += "Open this address in a browser: " + grant.verification_uri.text + "\n";
    text += "Enter this code there: " + code + "\n";
  } else {
    // Above the link, so that on a small terminal it is the QR code that scrolls away.
    const std::string qr = qr_code(grant, style);
    text += qr;
    text += "  Open   " + grant.verification_uri.text + "\n";
    text += "  Code   " + code + (qr.empty() ? "\n" : "   (or scan)\n");
  }
  text += "Approve only a sign-in that you have started yourself.\n";
  return text + closing_line(request, closing);
}

std::string still_missing_prompt(const LoginRequest& request,
                                 const oauth::DeviceAuthorization& grant, Closing closing) {
  return "Not approved yet: " + grant.verification_uri.text + "  code " +
         base::printable(grant.user_code, 64) + "\n" + closing_line(request, closing);
}

std::string failure_text(base::Outcome outcome, base::Reason reason, std::string_view attempt) {
  const std::string reference = " (reference " + std::string(attempt) + ").";
  if (reason == base::Reason::token_truncated)
    return "The access token was cut on its way here; oidc-ssh sends it in parts" + reference;
  switch (outcome) {
    case base::Outcome::granted:
    case base::Outcome::not_ours: return {};
    case base::Outcome::unavailable: return "Sign-in is not possible right now" + reference;
    case base::Outcome::refused:
    case base::Outcome::forbidden:
    case base::Outcome::unknown_user:
    case base::Outcome::max_tries:
    case base::Outcome::conversation: break;
  }
  return "Sign-in was not successful" + reference;
}

}  // namespace broker
