// SPDX-License-Identifier: Apache-2.0
#include "client/arguments.h"

#include <string_view>

#include "config/checks.h"
#include "config/section.h"

namespace client {
namespace {

using base::fail;
using base::Reason;

constexpr std::chrono::seconds least_lifetime{60};
constexpr std::chrono::seconds most_lifetime{7 * 24 * 3600};

class Parser {
 public:
  explicit Parser(std::span<const std::string> rest) : rest_(rest) {}

  base::Result<Arguments> parse() {
    RETURN_IF_ERROR(options());
    if (is_done_ || rest_.empty()) return finish();
    if (rest_[0] == "--") {
      rest_ = rest_.subspan(1);
    } else if (rest_[0] == "env" || rest_[0] == "token") {
      result_.verb = rest_[0] == "env" ? Verb::env : Verb::token;
      rest_ = rest_.subspan(1);
      RETURN_IF_ERROR(options());
      if (!is_done_ && !rest_.empty())
        return fail(Reason::cfg_arg, "nothing belongs behind this: " + config::quoted(rest_[0]));
      return finish();
    }
    result_.ssh.assign(rest_.begin(), rest_.end());
    return finish();
  }

 private:
  // Ours, as far as they go.
  base::Result<> options() {
    while (!rest_.empty() && rest_[0].starts_with("--") && rest_[0].size() > 2 && !is_done_) {
      const std::string word = rest_[0];
      rest_ = rest_.subspan(1);
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      const bool has_value = equals != word.npos;
      if (name == "--profile" || name == "--lifetime") {
        std::string value = has_value ? word.substr(equals + 1) : "";
        if (!has_value && !rest_.empty()) {
          value = rest_[0];
          rest_ = rest_.subspan(1);
        }
        if (value.empty()) return fail(Reason::cfg_arg, name + " needs a value");
        RETURN_IF_ERROR(set(name, value));
      } else if (has_value) {
        return fail(Reason::cfg_arg, "unknown option " + config::quoted(name));
      } else if (word == "--force") {
        result_.force = is_forced_ = true;
      } else if (word == "--help" || word == "--version") {
        result_.verb = word == "--help" ? Verb::help : Verb::version;
        is_done_ = true;
      } else {
        return fail(Reason::cfg_arg, "unknown option " + config::quoted(word) +
                                         " (ssh's own stand behind ours and have one hyphen)");
      }
    }
    return {};
  }

  base::Result<> set(const std::string& name, const std::string& value) {
    if (name == "--profile") {
      result_.profile = value;
      return {};
    }
    const auto span = config::parse_duration(value);
    if (!span || *span < least_lifetime || *span > most_lifetime)
      return fail(Reason::cfg_arg, "--lifetime is a time from 1m to 7d, such as 8h");
    result_.lifetime = *span;
    has_lifetime_ = true;
    return {};
  }

  base::Result<Arguments> finish() {
    if (is_done_) return result_;
    if (is_forced_ && result_.verb != Verb::token)
      return fail(Reason::cfg_arg, "--force belongs to token");
    if (has_lifetime_ && result_.verb != Verb::env)
      return fail(Reason::cfg_arg, "--lifetime belongs to env");
    if (result_.verb == Verb::ssh && result_.ssh.empty())
      return fail(Reason::cfg_arg, "no host to connect to");
    return result_;
  }

  std::span<const std::string> rest_;
  Arguments result_;
  bool is_done_ = false;
  bool is_forced_ = false;
  bool has_lifetime_ = false;
};

}  // namespace

base::Result<Arguments> parse_arguments(std::span<const std::string> arguments) {
  return Parser(arguments).parse();
}

}  // namespace client
