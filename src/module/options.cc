// SPDX-License-Identifier: Apache-2.0
#include "module/options.h"

#include <optional>

#include "module/text.h"

namespace module {
namespace {

base::Unexpected<Failure> refuse(const char* detail, std::string_view argument) {
  return base::Unexpected<Failure>(
      {base::Outcome::unavailable, base::Reason::cfg_arg, detail, 0, argument});
}

/// The value behind "name=", or nothing when the argument is another one.
std::optional<std::string_view> value_of(std::string_view argument, std::string_view name) {
  if (argument.size() <= name.size() || argument[name.size()] != '=') return std::nullopt;
  if (std::string_view(argument.data(), name.size()) != name) return std::nullopt;
  return std::string_view(argument.data() + name.size() + 1, argument.size() - name.size() - 1);
}

/// Decimal digits without sign, blanks or leading zero.
std::optional<std::chrono::seconds> parse_seconds(std::string_view text) {
  if (text.empty() || text.size() > 4 || text[0] == '0') return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  const std::chrono::seconds span{value};
  if (span < limits::min_timeout || span > limits::max_timeout) return std::nullopt;
  return span;
}

std::optional<TextMode> parse_text_mode(std::string_view text) {
  if (text == "auto") return TextMode::automatic;
  if (text == "prompt") return TextMode::prompt;
  if (text == "direct") return TextMode::direct;
  return std::nullopt;
}

std::optional<OtherLogins> parse_other_logins(std::string_view text) {
  if (text == "ignore") return OtherLogins::ignore;
  if (text == "deny") return OtherLogins::deny;
  if (text == "recent") return OtherLogins::recent;
  return std::nullopt;
}

}  // namespace

Result<Options> parse_options(Arguments arguments, Line line) {
  Options options;
  bool has_provider = false;
  bool has_timeout = false;
  bool has_text = false;
  bool has_other_logins = false;
  for (const char* const word : arguments) {
    const std::string_view argument = word == nullptr ? std::string_view{} : word;
    if (const auto name = value_of(argument, "provider")) {
      if (has_provider) return refuse("module option given twice", argument);
      if (!is_provider_name(*name)) return refuse("not the name of a provider", argument);
      options.provider = *name;
      has_provider = true;
    } else if (const auto seconds = value_of(argument, "timeout")) {
      if (has_timeout) return refuse("module option given twice", argument);
      const auto parsed = parse_seconds(*seconds);
      if (!parsed) return refuse("not a number of seconds from 20 to 3600", argument);
      options.timeout = *parsed;
      has_timeout = true;
    } else if (const auto mode = value_of(argument, "text")) {
      if (has_text) return refuse("module option given twice", argument);
      const auto parsed = parse_text_mode(*mode);
      if (!parsed) return refuse("not one of auto, prompt, direct", argument);
      options.text = *parsed;
      has_text = true;
    } else if (const auto rule = value_of(argument, "other_logins")) {
      if (line != Line::account) return refuse("an option of account lines only", argument);
      if (has_other_logins) return refuse("module option given twice", argument);
      const auto parsed = parse_other_logins(*rule);
      if (!parsed) return refuse("not one of ignore, deny, recent", argument);
      options.other_logins = *parsed;
      has_other_logins = true;
    } else if (argument == "try_first_pass" || argument == "use_first_pass") {
      if (line != Line::auth) return refuse("an option of auth lines only", argument);
      if (options.first_pass != FirstPass::ignored)
        return refuse("module option given twice, or beside its opposite", argument);
      options.first_pass = argument == "try_first_pass" ? FirstPass::tried : FirstPass::only;
    } else if (argument == "debug") {
      if (options.debug) return refuse("module option given twice", argument);
      options.debug = true;
    } else {
      return refuse("unknown module option", argument);
    }
  }
  return options;
}

bool is_never_silent(std::string_view service) { return service == "sudo" || service == "sudo-i"; }

bool shows_text_at_once(const Options& options, std::string_view service) {
  if (options.text != TextMode::automatic) return options.text == TextMode::direct;
  // sshd before 10.3 holds text back until the next prompt; these were measured not to.  A service
  // that nobody measured gets the prompt, which loses nothing anywhere.
  for (const std::string_view direct : {"sudo", "sudo-i", "su", "su-l", "login"})
    if (service == direct) return true;
  return false;
}

}  // namespace module
