// SPDX-License-Identifier: Apache-2.0
#include "oauth/answer.h"

#include <utility>

#include "base/text.h"

namespace oauth {
namespace {

using base::Reason;

constexpr std::size_t max_body_bytes = 384 * 1024;  // http::Request's own limit
constexpr std::size_t max_code_bytes = 64;          // the longest registered error code has 27
constexpr std::size_t max_description_bytes = 256;

std::string printable_string(const json_t* value, std::size_t max_bytes) {
  return base::printable({json_string_value(value), json_string_length(value)}, max_bytes);
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  for (const std::string_view one : list)
    if (text == one) return true;
  return false;
}

bool is_json_media_type(std::string_view media_type) {
  return media_type.empty() || media_type == "application/json";
}

// The code of an error answer.  A member `error` of another type is an error all the same, only
// nobody knows which.  Google reports its quota in `error_code` without `error`.
std::optional<std::string> error_code(const json_t* object, long status) {
  if (const json_t* error = json::member(object, "error"))
    return json_is_string(error) ? printable_string(error, max_code_bytes) : "(not a string)";
  const json_t* code = json::member(object, "error_code");
  if (status != 200 && json_is_string(code)) return printable_string(code, max_code_bytes);
  return std::nullopt;
}

}  // namespace

bool Answer::is_success() const {
  return status == 200 && object && !error && is_json_media_type(media_type);
}

bool Answer::is_rate_limit() const {
  if (status == 429 || status == 503) return true;
  return error && is_one_of(*error, {"slow_down", "temporarily_unavailable", "rate_limit_exceeded",
                                     "too_many_requests"});
}

std::string Answer::said() const {
  std::string text = "HTTP " + std::to_string(status);
  if (error) {
    text += ", error " + *error;
    if (!error_description.empty()) text += ": " + error_description;
    return text;
  }
  if (!media_type.empty()) text += ", " + base::printable(media_type, 64);
  if (!object) text += ", " + no_object_because;
  return text;
}

Answer read_answer(http::Response response) {
  Answer answer;
  answer.status = response.status;
  answer.media_type = std::move(response.media_type);
  answer.retry_after = response.retry_after;
  if (response.body.empty()) {
    answer.no_object_because = "empty body";
    return answer;
  }
  auto object = json::parse_object(response.body, max_body_bytes, json::Source::provider);
  base::wipe(response.body);
  if (!object) {
    answer.no_object_because = std::move(object).error().detail;
    return answer;
  }
  answer.object = *std::move(object);
  answer.error = error_code(answer.object.get(), answer.status);
  const json_t* description = json::member(answer.object.get(), "error_description");
  if (json_is_string(description))
    answer.error_description = printable_string(description, max_description_bytes);
  return answer;
}

bool is_client_error(std::string_view code) {
  return is_one_of(
      code, {"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"});
}

base::Unexpected<base::Error> refusal(const Answer& answer, std::string_view what) {
  const std::string detail = std::string(what) + ": " + answer.said();
  if (answer.error && is_client_error(*answer.error))
    return base::fail(Reason::idp_client_rejected, detail);
  if (answer.is_rate_limit()) return base::fail(Reason::idp_rate, detail);
  if (answer.status >= 500 || answer.error == "server_error")
    return base::fail(Reason::idp_status, detail);
  // RFC 6749 §5.2 gives 400 and 401 to errors that are about the request: ours was refused.
  if (answer.status == 401 || (answer.error && answer.status != 200))
    return base::fail(Reason::idp_client_rejected, detail);
  if (answer.status != 200 || answer.error) return base::fail(Reason::idp_status, detail);
  if (!is_json_media_type(answer.media_type)) return base::fail(Reason::idp_content_type, detail);
  return base::fail(Reason::idp_json, detail);
}

base::Result<std::optional<base::Secret>> secret_member(const json_t* object, const char* name,
                                                        std::size_t max_bytes, Reason reason) {
  const json_t* value = json::member(object, name);
  if (value == nullptr) return std::optional<base::Secret>();
  if (!json_is_string(value)) return base::fail(reason, std::string(name) + " is not a string");
  const std::string_view text(json_string_value(value), json_string_length(value));
  if (text.empty()) return base::fail(reason, std::string(name) + " is empty");
  if (text.size() > max_bytes) return base::fail(reason, std::string(name) + " is too long");
  if (!base::is_graphic_ascii(text))
    return base::fail(reason, std::string(name) + " has a byte that no token may have");
  return std::optional<base::Secret>(base::Secret::copy_of(text));
}

}  // namespace oauth
