// SPDX-License-Identifier: Apache-2.0
#include "oidc/claims.h"

#include "jose/jwt.h"

namespace oidc {

const char* word(ClaimSource source) {
  switch (source) {
    case ClaimSource::id_token: return "id_token";
    case ClaimSource::userinfo: return "userinfo";
    case ClaimSource::access_token: return "access_token";
  }
  return "unknown";
}

base::Result<Subject> Subject::of(const json_t* claims) {
  ASSIGN_OR_RETURN(std::string text, jose::subject(claims));
  return Subject(std::move(text));
}

base::Result<Claims> Claims::of(ClaimSource source, json::Json object) {
  ASSIGN_OR_RETURN(Subject subject, Subject::of(object.get()));
  return Claims(source, std::move(subject), std::move(object));
}

bool Claims::has(const std::string& name) const {
  return json::member(object_.get(), name.c_str()) != nullptr;
}

base::Result<std::optional<std::string>> Claims::string(const std::string& name,
                                                        std::size_t max_bytes,
                                                        base::Reason reason) const {
  return json::string_member(object_.get(), name.c_str(), max_bytes, reason);
}

base::Result<std::optional<std::vector<std::string>>> Claims::strings(const std::string& name,
                                                                      std::size_t max_items,
                                                                      std::size_t max_bytes,
                                                                      base::Reason reason) const {
  return json::strings_member(object_.get(), name.c_str(), max_items, max_bytes, reason);
}

bool Claims::is_true(const std::string& name) const {
  return json_is_true(json_object_get(object_.get(), name.c_str()));
}

}  // namespace oidc
