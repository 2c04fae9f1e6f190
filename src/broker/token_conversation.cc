// SPDX-License-Identifier: Apache-2.0
#include "broker/token_conversation.h"

#include <algorithm>
#include <utility>

#include "broker/limits.h"
#include "oauth/token_shape.h"

namespace broker {
namespace {

using base::fail;
using base::Reason;

base::Result<base::Secret> wait_for_answer(Terminal& terminal) {
  ASSIGN_OR_RETURN(const auto event, terminal.wait(base::Deadline::after(limits::prompt_wait)));
  if (event == Terminal::Event::time_is_up)
    return fail(Reason::conv_null, "nobody answered the question for a token");
  return terminal.take_answer();
}

base::Result<base::Secret> ask_for_part(Terminal& terminal, std::size_t part, std::size_t size) {
  RETURN_IF_ERROR(terminal.ask(ipc::Echo::hidden, token_prompt(part, size)));
  return wait_for_answer(terminal);
}

// RFC 6749 appendix A.12: visible ASCII.  Anything else is refused before it gets anywhere.
base::Result<> require_characters(const base::Secret& token) {
  if (token.empty()) return fail(Reason::token_format, "the answer is empty");
  const std::string_view text = token.reveal();
  if (std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; })) return {};
  return fail(Reason::token_format, "a character that no access token has");
}

}  // namespace

std::size_t part_size(std::string_view service) {
  return service == "sudo" || service == "sudo-i" ? limits::token_part_in_sudo : limits::token_part;
}

std::string token_prompt(std::size_t part, std::size_t size) {
  return "Access token, part " + std::to_string(part) + ", up to " + std::to_string(size) +
         " bytes: ";
}

bool looks_like_token(const base::Secret& answer) {
  const std::string_view text = answer.reveal();
  return text.size() >= limits::shortest_token && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("-._~+/=").find(c) != std::string_view::npos;
         });
}

base::Result<PresentedToken> whole_token(base::Secret answer) {
  if (answer.size() > limits::longest_token)
    return fail(Reason::token_size, std::to_string(answer.size()) + " bytes");
  RETURN_IF_ERROR(require_characters(answer));
  const bool may_be_cut = oauth::is_cut_length(answer.size());
  return PresentedToken{std::move(answer), may_be_cut};
}

base::Result<PresentedToken> complete_token(Terminal& terminal, const LoginRequest& request,
                                            base::Secret first) {
  const std::size_t size = part_size(request.service);
  // Shorter than a part or longer than one: in both cases there is no second.
  if (first.size() != size) return whole_token(std::move(first));
  base::Secret token = base::Secret::joined(first, base::Secret());
  for (std::size_t part = 2;; ++part) {
    ASSIGN_OR_RETURN(const base::Secret answer, ask_for_part(terminal, part, size));
    // PostgreSQL and sshd's password method answer every question with the same text.  No token
    // goes on as it began: a JWT begins with its header.
    if (part == 2 && answer.equals(first)) break;
    if (answer.size() > size)
      return fail(Reason::token_format, "part " + std::to_string(part) + " has " +
                                            std::to_string(answer.size()) + " bytes");
    token = base::Secret::joined(token, answer);
    if (token.size() > limits::longest_token)
      return fail(Reason::token_size,
                  "more than " + std::to_string(limits::longest_token) + " bytes");
    if (answer.size() < size) break;
  }
  RETURN_IF_ERROR(require_characters(token));
  return PresentedToken{std::move(token), false};
}

base::Result<PresentedToken> ask_for_token(Terminal& terminal, const LoginRequest& request) {
  ASSIGN_OR_RETURN(base::Secret first, ask_for_part(terminal, 1, part_size(request.service)));
  return complete_token(terminal, request, std::move(first));
}

base::Result<base::Secret> take_first_pass(Terminal& terminal) {
  RETURN_IF_ERROR(terminal.ask(ipc::Echo::kept, ""));
  return wait_for_answer(terminal);
}

}  // namespace broker
