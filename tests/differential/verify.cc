// SPDX-License-Identifier: Apache-2.0
//
// verify OPINION — what a verifier says about tokens, one line for each line read:
//
//   keys <TAB> name <TAB> document              ->  ok | reason
//   token <TAB> algorithms <TAB> name <TAB> token  ->  ok <TAB> payload | reason
//
// Documents, tokens and payloads are base64url; algorithms have commas between them.  Opinions:
// `product` is jose::verify_compact as a login uses it; `cjose` is libcjose with any key of the
// set; `accept-everything` and `refuse-everything` are wrong on purpose: the comparison must
// notice.
#include <cjose/cjose.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/base64url.h"
#include "base/text.h"
#include "jose/jws.h"

namespace {

using base::Result;

// What a login accepts: an access token (RFC 9068 §4) or, by configuration, any JWT.
jose::Rules rules_for(std::string_view algorithms) {
  jose::Rules rules;
  rules.types = {"", "jwt", "at+jwt"};
  while (!algorithms.empty()) {
    const std::string_view name = algorithms.substr(0, algorithms.find(','));
    algorithms.remove_prefix(std::min(algorithms.size(), name.size() + 1));
    if (const auto one = jose::algorithm_named(name)) rules.algorithms.insert(*one);
  }
  return rules;
}

std::string dumped(const json_t* value) {
  const std::unique_ptr<char, decltype(&std::free)> text(json_dumps(value, JSON_COMPACT),
                                                         &std::free);
  return text ? text.get() : "";
}

class Opinion {
 public:
  Opinion() = default;
  Opinion(const Opinion&) = delete;
  Opinion& operator=(const Opinion&) = delete;
  virtual ~Opinion() = default;
  virtual std::string keys(const std::string& name, const std::string& document) = 0;
  virtual std::string token(std::string_view algorithms, const std::string& name,
                            const std::string& token) = 0;
};

class OneSet final : public jose::KeySource {
 public:
  explicit OneSet(const Result<jose::JwkSet>& set) : set_(set) {}
  Result<const jose::JwkSet*> current() override {
    if (!set_) return base::Unexpected<base::Error>(set_.error());
    return &*set_;
  }
  Result<const jose::JwkSet*> refetched() override { return current(); }

 private:
  const Result<jose::JwkSet>& set_;
};

class Product final : public Opinion {
 public:
  std::string keys(const std::string& name, const std::string& document) override {
    const auto& set = sets_.insert_or_assign(name, jose::JwkSet::parse(document)).first->second;
    return set ? "ok" : base::word(set.error().reason);
  }
  std::string token(std::string_view algorithms, const std::string& name,
                    const std::string& token) override {
    OneSet keys(sets_.at(name));
    const auto verified = jose::verify_compact(token, rules_for(algorithms), keys);
    if (!verified) return base::word(verified.error().reason);
    return "ok\t" + base::base64url_encode(dumped(verified->payload.get()));
  }

 private:
  std::map<std::string, Result<jose::JwkSet>> sets_;
};

// cjose ends the process (an assertion in its base64.c) where a letter is left over at the end, or
// before the first byte that is none; it is not asked about such texts.
bool is_base64url(const std::vector<std::string>& texts) {
  return std::all_of(texts.begin(), texts.end(), [](const std::string& text) {
    return base::base64url_decode(text).has_value();
  });
}

class Cjose final : public Opinion {
 public:
  std::string keys(const std::string& name, const std::string& document) override {
    auto& keys = sets_[name];
    keys.clear();
    const json::Json root(json_loadb(document.data(), document.size(), 0, nullptr));
    const json_t* list = json_object_get(root.get(), "keys");
    for (std::size_t i = 0; i < json_array_size(list); ++i) {
      const json_t* one = json_array_get(list, i);
      std::vector<std::string> numbers;
      for (const char* member : {"n", "e", "d", "p", "q", "dp", "dq", "qi", "x", "y", "k"})
        if (const json_t* text = json_object_get(one, member); json_is_string(text))
          numbers.emplace_back(json_string_value(text), json_string_length(text));
      if (!is_base64url(numbers)) continue;
      const std::string jwk = dumped(one);
      cjose_err error;
      Key key(cjose_jwk_import(jwk.data(), jwk.size(), &error));
      if (key) keys.push_back(std::move(key));
    }
    return keys.empty() ? "no key" : "ok";
  }
  std::string token(std::string_view, const std::string& name, const std::string& token) override {
    if (!is_base64url(base::split(token, '.'))) return "not base64url";
    cjose_err error;
    const Jws seen(cjose_jws_import(token.data(), token.size(), &error));
    if (!seen) return "not a JWS to it";
    const char* kid = cjose_header_get(cjose_jws_get_protected(seen.get()), "kid", &error);
    // The named key alone where there is one: each try costs a signature check.
    std::vector<const Key*> candidates, others;
    for (const Key& key : sets_[name]) {
      const char* its = cjose_jwk_get_kid(key.get(), &error);
      const bool is_named = kid != nullptr && its != nullptr && std::string_view(its) == kid;
      (is_named ? candidates : others).push_back(&key);
    }
    for (const Key* key : candidates.empty() ? others : candidates) {
      // Verifying changes the object.
      const Jws jws(cjose_jws_import(token.data(), token.size(), &error));
      if (!jws) return "not a JWS to it";
      std::uint8_t* payload = nullptr;  // owned by jws
      std::size_t size = 0;
      if (cjose_jws_verify(jws.get(), key->get(), &error) &&
          cjose_jws_get_plaintext(jws.get(), &payload, &size, &error))
        return "ok\t" + base::base64url_encode({reinterpret_cast<const char*>(payload), size});
    }
    return "no key verifies it";
  }

 private:
  using Key = base::Handle<cjose_jwk_t, cjose_jwk_release>;
  using Jws = base::Handle<cjose_jws_t, cjose_jws_release>;
  std::map<std::string, std::vector<Key>> sets_;
};

class Always final : public Opinion {
 public:
  explicit Always(std::string answer) : answer_(std::move(answer)) {}
  std::string keys(const std::string&, const std::string&) override { return "ok"; }
  std::string token(std::string_view, const std::string&, const std::string&) override {
    return answer_;
  }

 private:
  std::string answer_;
};

std::unique_ptr<Opinion> opinion_named(std::string_view name) {
  if (name == "product") return std::make_unique<Product>();
  if (name == "cjose") return std::make_unique<Cjose>();
  if (name == "accept-everything")
    return std::make_unique<Always>("ok\t" + base::base64url_encode("{}"));
  if (name == "refuse-everything") return std::make_unique<Always>("token.sig");
  return nullptr;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields{""};
  for (const char c : line) {
    if (c == '\t')
      fields.emplace_back();
    else
      fields.back() += c;
  }
  return fields;
}

int usage() {
  std::cerr << "usage: verify product|cjose|accept-everything|refuse-everything\n";
  return 64;
}

}  // namespace

int main(int argc, char** argv) {
  const auto opinion = opinion_named(argc == 2 ? argv[1] : "");
  if (!opinion) return usage();
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto fields = fields_of(line);
    const auto text = base::base64url_decode(fields.back());
    std::string answer;
    if (text && fields.size() == 3 && fields[0] == "keys")
      answer = opinion->keys(fields[1], *text);
    else if (text && fields.size() == 4 && fields[0] == "token")
      answer = opinion->token(fields[1], fields[2], *text);
    else
      return usage();
    std::cout << answer << '\n';
    // Whoever asks in turns waits for the answer; whoever sends many gets them in blocks.
    if (std::cin.rdbuf()->in_avail() <= 0) std::cout.flush();
  }
  return 0;
}
