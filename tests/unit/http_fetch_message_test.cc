// SPDX-License-Identifier: Apache-2.0
#include "http/fetch_message.h"

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "support/cmocka_cc.h"

using namespace std::chrono_literals;
namespace limits = http::fetch_limits;

namespace {

constexpr std::size_t max_body = 1000;

http::FetchSetup sound_setup() {
  http::FetchSetup setup;
  setup.trust = {"/etc/pam-oidc/ca.pem", "certificates", "/etc/pam-oidc/crl.pem", "revocations"};
  setup.proxy = "http://192.0.2.1:3128";
  setup.connect_timeout = 1234ms;
  setup.total_timeout = 5678ms;
  setup.user_agent = "agent";
  setup.certificates = "our certificate";
  setup.key = base::Secret::copy_of("our key");
  return setup;
}

http::Request sound_request() {
  http::Request request;
  request.url = "https://sso.corp.example/token";
  request.accept = "application/jwt";
  request.form = base::Secret::copy_of("device_code=x");
  request.authorization = base::Secret::copy_of("Basic QTpC");
  request.max_bytes = max_body;
  request.use_client_certificate = true;
  return request;
}

http::Response sound_response() { return {200, "application/json", "{\"a\":1}", 60s, 5s}; }

// A frame without its head.
std::string payload_of(const http::Frame& frame) {
  EXPECT(frame.size() > limits::frame_head);
  EXPECT_EQ(http::length_of(frame.view()), frame.size() - limits::frame_head);
  return std::string(frame.view().substr(limits::frame_head));
}
std::string answer_payload(const base::Result<http::Response>& result, std::uint32_t number = 7) {
  return payload_of(http::encode_answer(number, result));
}

struct Sample {
  std::string payload;
  std::function<bool(std::string_view)> decodes;
};
std::vector<Sample> one_of_each() {
  const auto setup = [](std::string_view text) { return http::decode_setup(text).has_value(); };
  const auto request = [](std::string_view text) { return http::decode_request(text).has_value(); };
  const auto answer = [](std::string_view text) {
    return http::decode_answer(text, max_body).has_value();
  };
  return {{payload_of(http::encode(sound_setup())), setup},
          {payload_of(http::encode({})), setup},
          {payload_of(http::encode_request(7, sound_request(), 9s)), request},
          {payload_of(http::encode_request(7, {}, 9s)), request},
          {payload_of(http::encode_cancel()), http::decode_cancel},
          {answer_payload(sound_response()), answer},
          {answer_payload(http::Response{404, {}, {}, {}, {}}), answer},
          {answer_payload(base::fail(base::Reason::tls_verify, "detail")), answer}};
}

}  // namespace

TEST(a_setup_comes_back_as_it_was_sent) {
  const auto got = http::decode_setup(payload_of(http::encode(sound_setup())));
  EXPECT(got.has_value());
  EXPECT_EQ(got->trust.ca_file, "/etc/pam-oidc/ca.pem");
  EXPECT_EQ(got->trust.certificates, "certificates");
  EXPECT_EQ(got->trust.crl_file, "/etc/pam-oidc/crl.pem");
  EXPECT_EQ(got->trust.revocations, "revocations");
  EXPECT_EQ(got->proxy, "http://192.0.2.1:3128");
  EXPECT_EQ(got->connect_timeout.count(), 1234);
  EXPECT_EQ(got->total_timeout.count(), 5678);
  EXPECT_EQ(got->user_agent, "agent");
  EXPECT_EQ(got->certificates, "our certificate");
  EXPECT_EQ(got->key->reveal(), "our key");
  EXPECT(!http::decode_setup(payload_of(http::encode({})))->key);
}

TEST(a_request_comes_back_as_it_was_sent) {
  const auto got = http::decode_request(payload_of(http::encode_request(7, sound_request(), 9s)));
  EXPECT(got.has_value());
  EXPECT_EQ(got->number, 7U);
  EXPECT_EQ(got->time.count(), 9000);
  EXPECT_EQ(got->request.url, "https://sso.corp.example/token");
  EXPECT_EQ(got->request.accept, "application/jwt");
  EXPECT_EQ(got->request.form->reveal(), "device_code=x");
  EXPECT_EQ(got->request.authorization->reveal(), "Basic QTpC");
  EXPECT_EQ(got->request.max_bytes, max_body);
  EXPECT(got->request.use_client_certificate);
  http::Request plain;
  plain.form = base::Secret();  // an empty form is a POST all the same
  const auto other = http::decode_request(payload_of(http::encode_request(8, plain, 0s)));
  EXPECT(other && other->request.form && !other->request.authorization);
  EXPECT(!other->request.use_client_certificate);
}

TEST(an_answer_comes_back_as_it_was_sent) {
  const auto got = http::decode_answer(answer_payload(sound_response()), max_body);
  EXPECT(got.has_value());
  EXPECT_EQ(got->number, 7U);
  EXPECT_OK(got->result);
  EXPECT_EQ(got->result->status, 200);
  EXPECT_EQ(got->result->media_type, "application/json");
  EXPECT_EQ(got->result->body, "{\"a\":1}");
  EXPECT_EQ(got->result->max_age->count(), 60);
  EXPECT_EQ(got->result->retry_after->count(), 5);
  const auto bare = http::decode_answer(answer_payload(http::Response{404, {}, {}, {}, {}}), 0);
  EXPECT(bare && !bare->result->max_age && !bare->result->retry_after);
  const auto failed =
      http::decode_answer(answer_payload(base::fail(base::Reason::tls_verify, "why")), 0);
  EXPECT_REASON(failed->result, tls_verify);
  EXPECT_EQ(failed->result.error().detail, "why");
  EXPECT(failed->result.error().outcome == base::Outcome::unavailable);
}

// A process that was taken over finds no word that lets anybody in or steps aside.
TEST(an_answer_has_only_reasons_that_a_client_may_give) {
  const std::string sound = answer_payload(base::fail(base::Reason::tls_verify, "d"));
  constexpr std::size_t reason_at = 2 + 4 + 1;
  int accepted = 0;
  for (std::uint32_t number = 0; number < 0x10000; ++number) {
    std::string changed = sound;
    changed[reason_at] = static_cast<char>(number >> 8);
    changed[reason_at + 1] = static_cast<char>(number & 0xff);
    const auto got = http::decode_answer(changed, max_body);
    if (!got) continue;
    ++accepted;
    EXPECT(!got->result);
    EXPECT(got->result.error().outcome == base::Outcome::unavailable ||
           got->result.error().reason == base::Reason::conv_closed);
    const std::string word = base::word(got->result.error().reason);
    for (const char* other : {"ok", "token.", "pam.", "map.", "group.", "device.", "key."})
      EXPECT(!word.starts_with(other));
  }
  EXPECT_EQ(accepted, 18);
  // What is no such reason on the sender's side becomes one.
  const auto got = http::decode_answer(answer_payload(base::fail(base::Reason::ok, "x")), max_body);
  EXPECT_REASON(got->result, sys_error);
}

TEST(an_answer_has_only_statuses_that_a_client_lets_through) {
  for (const long status : {0L, 100L, 199L, 301L, 302L, 399L, 600L, 65535L}) {
    http::Response response = sound_response();
    response.status = status;
    const auto got = http::decode_answer(answer_payload(response), max_body);
    EXPECT_REASON(got->result, http_proto);  // the sender refuses it itself
    std::string forged = answer_payload(sound_response());
    forged[7] = static_cast<char>(status >> 8);
    forged[8] = static_cast<char>(status & 0xff);
    EXPECT(!http::decode_answer(forged, max_body));
  }
  for (const long status : {200L, 299L, 304L, 400L, 599L}) {
    http::Response response = sound_response();
    response.status = status;
    EXPECT_EQ(http::decode_answer(answer_payload(response), max_body)->result->status, status);
  }
}

TEST(a_body_ends_at_the_limit_of_its_request) {
  http::Response response = sound_response();
  response.body.assign(max_body, 'x');
  EXPECT(http::decode_answer(answer_payload(response), max_body).has_value());
  EXPECT(!http::decode_answer(answer_payload(response), max_body - 1));
  EXPECT(!http::decode_answer(answer_payload(response), 0));
}

TEST(what_is_over_a_limit_is_not_sent) {
  http::FetchSetup setup;
  setup.proxy.assign(limits::proxy + 1, 'x');
  EXPECT(http::encode(setup).empty());
  setup = {};
  setup.trust.certificates.assign(http::max_ca_bytes + 1, 'x');
  EXPECT(http::encode(setup).empty());
  http::Request request = sound_request();
  request.url.assign(limits::url + 1, 'x');
  EXPECT(http::encode_request(1, request, 1s).empty());
  request = sound_request();
  request.form = base::Secret::copy_of(std::string(limits::form + 1, 'x'));
  EXPECT(http::encode_request(1, request, 1s).empty());
  request = sound_request();
  request.max_bytes = limits::body + 1;
  EXPECT(http::encode_request(1, request, 1s).empty());
  http::Response response = sound_response();
  response.media_type.assign(limits::media_type + 1, 'x');
  const auto instead = http::decode_answer(answer_payload(response), max_body);
  EXPECT_REASON(instead->result, http_proto);
  const auto cut = http::decode_answer(
      answer_payload(base::fail(base::Reason::http_proto, std::string(5000, 'd'))), 0);
  EXPECT_EQ(cut->result.error().detail.size(), limits::detail);
}

TEST(the_largest_of_each_fits_its_frame) {
  http::FetchSetup setup;
  setup.trust = {std::string(limits::path, 'p'), std::string(http::max_ca_bytes, 'c'),
                 std::string(limits::path, 'p'), std::string(http::max_crl_bytes, 'r')};
  setup.proxy.assign(limits::proxy, 'x');
  setup.user_agent.assign(limits::user_agent, 'x');
  setup.certificates.assign(limits::pem, 'x');
  setup.key = base::Secret::copy_of(std::string(limits::pem, 'x'));
  EXPECT(payload_of(http::encode(setup)).size() <= limits::setup_frame);
  http::Request request = sound_request();
  request.url.assign(limits::url, 'x');
  request.accept.assign(limits::accept, 'x');
  request.form = base::Secret::copy_of(std::string(limits::form, 'x'));
  request.authorization = base::Secret::copy_of(std::string(limits::authorization, 'x'));
  EXPECT(payload_of(http::encode_request(1, request, 1s)).size() <= limits::request_frame);
  http::Response response = sound_response();
  response.media_type.assign(limits::media_type, 'x');
  response.body.assign(max_body, 'x');
  EXPECT(answer_payload(response).size() <= limits::answer_frame + max_body);
}

TEST(refuses_flags_that_nobody_defined) {
  std::string request = payload_of(http::encode_request(7, sound_request(), 9s));
  request[2 + 4 + 4] = 8;
  EXPECT(!http::decode_request(request));
  std::string answer = answer_payload(sound_response());
  answer[9] = 4;
  EXPECT(!http::decode_answer(answer, max_body));
  answer = answer_payload(sound_response());
  answer[9] = 0;  // the two numbers are still there
  EXPECT(!http::decode_answer(answer, max_body));
}

TEST(refuses_a_nul_in_what_becomes_a_C_string) {
  http::Request request;
  request.url = std::string("https://a.example/\0x", 20);
  EXPECT(!http::decode_request(payload_of(http::encode_request(1, request, 1s))));
  http::FetchSetup setup;
  setup.proxy = std::string("http://a\0b", 10);
  EXPECT(!http::decode_setup(payload_of(http::encode(setup))));
}

TEST(refuses_every_truncation_and_every_extra_byte) {
  for (const Sample& sample : one_of_each()) {
    EXPECT(sample.decodes(sample.payload));
    for (std::size_t size = 0; size < sample.payload.size(); ++size)
      EXPECT(!sample.decodes(std::string_view(sample.payload).substr(0, size)));
    EXPECT(!sample.decodes(sample.payload + 'x'));
  }
}

TEST(refuses_every_other_version_and_type) {
  for (const Sample& sample : one_of_each()) {
    const auto type = http::type_of(sample.payload);
    EXPECT(type.has_value());
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = sample.payload;
      changed[0] = static_cast<char>(byte);
      if (byte != 1) EXPECT(!sample.decodes(changed) && !http::type_of(changed));
      changed = sample.payload;
      changed[1] = static_cast<char>(byte);
      if (byte != static_cast<int>(*type)) EXPECT(!sample.decodes(changed));
    }
  }
}

TEST(survives_any_bytes) {
  std::mt19937 random(20261122);
  const auto decode_all = [](std::string_view bytes) {
    http::type_of(bytes);
    http::decode_setup(bytes);
    http::decode_request(bytes);
    http::decode_cancel(bytes);
    http::decode_answer(bytes, max_body);
  };
  for (int round = 0; round < 50000; ++round) {
    std::string bytes(random() % 96, '\0');
    for (char& one : bytes) one = static_cast<char>(random());
    if (bytes.size() >= 2) {
      constexpr char types[] = {1, 2, 3, 65};
      bytes[0] = 1;
      bytes[1] = types[random() % 4];
    }
    decode_all(bytes);
  }
  for (const Sample& sample : one_of_each()) {
    for (int round = 0; round < 5000; ++round) {
      std::string changed = sample.payload;
      for (std::size_t times = 1 + random() % 3; times > 0; --times)
        changed[random() % changed.size()] = static_cast<char>(random());
      decode_all(changed);
    }
  }
}
