// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>

#include "base/handle.h"
#include "http/client.h"
#include "support/cmocka_cc.h"
#include "support/vectors.h"

using namespace std::string_literals;

namespace {

base::Result<http::Url> parse(std::string_view text) {
  return http::parse_https_url(text, base::Reason::idp_endpoint);
}

// Whom libcurl would connect to.
std::string curl_part(const std::string& url, CURLUPart part) {
  const base::Handle<CURLU, curl_url_cleanup> handle(curl_url());
  char* text = nullptr;
  if (curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) != CURLUE_OK ||
      curl_url_get(handle.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
    return "(none)";
  const std::string copy(text);
  curl_free(text);
  return copy;
}

void check_attacks(const std::vector<std::vector<std::string>>& rows) {
  for (const auto& row : rows) {
    const std::string& text = row.back();
    const auto url = parse(text);
    if (row.size() > 1 && url.has_value() != (row[0] == "+"))
      throw test::Failure{"wrong answer for " + text, __FILE__, __LINE__};
    if (!url) continue;
    EXPECT(text.starts_with("https://"));
    EXPECT_EQ(url->host, curl_part(text, CURLUPART_HOST));
    EXPECT_EQ(std::to_string(url->port), curl_part(text, CURLUPART_PORT));
  }
}

}  // namespace

TEST(takes_an_https_url_apart) {
  const auto url = parse("https://SSO.Corp.example:9031/as/token.oauth2?a=b%20c&d=/?");
  EXPECT_OK(url);
  EXPECT_EQ(url->text, "https://SSO.Corp.example:9031/as/token.oauth2?a=b%20c&d=/?");
  EXPECT_EQ(url->host, "sso.corp.example");
  EXPECT_EQ(url->port, 9031);
  EXPECT_EQ(url->path, "/as/token.oauth2?a=b%20c&d=/?");
}

TEST(a_path_and_a_port_may_be_left_out) {
  EXPECT_EQ(parse("https://id.example")->path, "/");
  EXPECT_EQ(parse("https://id.example")->port, 443);
  EXPECT_EQ(parse("https://id.example?x=1")->path, "/?x=1");
  EXPECT_EQ(parse("https://id.example:443/")->port, 443);
}

TEST(accepts_plain_names_and_addresses) {
  EXPECT_EQ(parse("https://localhost/")->host, "localhost");
  EXPECT_EQ(parse("https://192.0.2.7:8443/")->host, "192.0.2.7");
  EXPECT_EQ(parse("https://[2001:DB8::1]:8443/x")->host, "[2001:db8::1]");
  EXPECT_EQ(parse("https://[2001:db8::1]:8443/x")->port, 8443);
  EXPECT_EQ(parse("https://[::1]")->host, "[::1]");
  EXPECT_EQ(parse("https://xn--bcher-kva.example/")->host, "xn--bcher-kva.example");
  EXPECT_EQ(parse("https://1.example.2x/")->host, "1.example.2x");
}

TEST(refuses_every_other_scheme) {
  for (const char* text : {"", "http://id.example/", "HTTPS://id.example/", "https:/id.example/",
                           "https:id.example", "//id.example/", "id.example", " https://id.example",
                           "file:///etc/passwd", "javascript:alert(1)", "https", "https://"})
    EXPECT_REASON(parse(text), idp_endpoint);
}

TEST(refuses_user_information_and_fragments) {
  for (const char* text :
       {"https://user@id.example/", "https://user:pw@id.example/", "https://@id.example/",
        "https://a@b@id.example/", "https://id.example/#", "https://id.example#@attacker.example/"})
    EXPECT_REASON(parse(text), idp_endpoint);
  EXPECT_OK(parse("https://id.example/user@corp.example"));
}

TEST(refuses_hosts_that_are_not_plain) {
  for (const char* text : {"https:///",
                           "https://:443/",
                           "https://.example/",
                           "https://id..example/",
                           "https://id.example./",
                           "https://-id.example/",
                           "https://id-.example/",
                           "https://id_.example/",
                           "https://id%2eexample/",
                           "https://*.example/",
                           "https://id,example/",
                           "https://[::1/",
                           "https://::1/",
                           "https://[]/",
                           "https://[fe80::1%25eth0]/",
                           "https://[::1]x/",
                           "https://[192.0.2.7]/",
                           "https://[id.example]/",
                           "https://id.example\\attacker.example/",
                           "https://id.example\\@attacker.example/"})
    EXPECT_REASON(parse(text), idp_endpoint);
  EXPECT_REASON(parse("https://" + std::string(64, 'a') + ".example/"), idp_endpoint);
  std::string longest;
  while (longest.size() < 248) longest += "abcdefg.";
  EXPECT_OK(parse("https://" + longest + "abcde/"));
  EXPECT_REASON(parse("https://" + longest + "abcdef/"), idp_endpoint);
}

TEST(refuses_hosts_that_someone_would_read_as_a_number) {
  for (const char* text :
       {"https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0x7f.0.0.1/",
        "https://0177.0.0.1/", "https://256.0.0.1/", "https://1.2.3.4.5/", "https://id.0x1f/",
        "https://a.0x/", "https://192.0.2.07/", "https://0/"})
    EXPECT_REASON(parse(text), idp_endpoint);
}

TEST(refuses_ports_that_are_not_plain) {
  for (const char* port :
       {"", "0", "00443", "0443", "65536", "99999", "100000", "-1", "+1", "4 4", "44a", "443:443"})
    EXPECT_REASON(parse("https://id.example:"s + port + "/"), idp_endpoint);
  EXPECT_EQ(parse("https://id.example:65535/")->port, 65535);
}

TEST(refuses_paths_that_a_browser_and_a_library_could_read_differently) {
  for (const char* path :
       {"/\\x", "/a b", "/<", "/\"", "/`", "/{}", "/^", "/|", "/%", "/%2", "/%zz", "/[", "?%0"})
    EXPECT_REASON(parse("https://id.example"s + path), idp_endpoint);
}

TEST(refuses_bytes_that_are_not_printable_ascii) {
  for (const auto& text : {"https://id.example/\n"s, "https://id.example/\0"s,
                           "https://id\t.example/"s, "https://id.example/\x7f"s,
                           "https://\xd1\x96"
                           "d.example/"s,
                           "https://id\xe3\x80\x82"
                           "example/"s})
    EXPECT_REASON(parse(text), idp_endpoint);
}

TEST(a_url_ends_at_2048_bytes) {
  const std::string start = "https://id.example/";
  EXPECT_OK(parse(start + std::string(2048 - start.size(), 'a')));
  EXPECT_REASON(parse(start + std::string(2049 - start.size(), 'a')), idp_endpoint);
}

TEST(a_refusal_has_the_callers_reason_and_does_not_repeat_the_url) {
  const auto url = http::parse_https_url("https://a@b/?secret", base::Reason::device_uri);
  EXPECT_REASON(url, device_uri);
  EXPECT(url.error().detail.find("secret") == std::string::npos);
}

TEST(answers_the_url_attack_list_and_agrees_with_libcurl_on_the_rest) {
  const auto rows = test::read_table("http/url-attacks.tsv");
  EXPECT_EQ(rows.size(), 109U);
  check_attacks(rows);
}

TEST(agrees_with_libcurl_on_the_whole_attack_list) {
  const char* corpora = std::getenv("PAM_OIDC_CORPORA");
  if (corpora == nullptr) throw test::Skipped{"PAM_OIDC_CORPORA does not name the corpora"};
  std::istringstream lines(
      test::read_file(corpora + "/mod_auth_openidc-seeds/url-attack-list.txt"s));
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back({line});
  EXPECT(rows.size() > 800);
  check_attacks(rows);
}
