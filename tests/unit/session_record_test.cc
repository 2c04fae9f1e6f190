// SPDX-License-Identifier: Apache-2.0
#include "session/record.h"

#include <functional>

#include "support/cmocka_cc.h"
#include "support/session_record.h"

using namespace std::chrono_literals;
using test::session_record;

namespace {

std::string changed(const std::function<void(json_t*)>& change) {
  const json::Json object = test::json_of(session::encode(session_record())->c_str());
  change(object.get());
  char* text = json_dumps(object.get(), JSON_COMPACT);
  const std::string kept(text);
  std::free(text);
  return kept;
}

}  // namespace

TEST(a_record_comes_back_as_it_was_written) {
  session::Record record = session_record();
  record.state = session::State::open;
  record.opener = "400.70";
  record.leader = "900.1";
  record.audit_session = 7;
  record.refresh_token = "abc";
  const auto text = session::encode(record);
  EXPECT_OK(text);
  const auto again = session::decode(*text);
  EXPECT_OK(again);
  EXPECT(again->state == session::State::open);
  EXPECT_EQ(again->id, record.id);
  EXPECT_EQ(again->account, "alice");
  EXPECT_EQ(again->uid, 2001U);
  EXPECT_EQ(again->subject, "248289761001");
  EXPECT_EQ(again->audit_session, 7U);
  EXPECT(again->processes == record.processes);
  EXPECT(again->amr == record.amr);
  EXPECT(again->auth_time == record.auth_time);
  EXPECT(again->verified_at == record.verified_at);
  EXPECT_EQ(again->opener, "400.70");
  EXPECT_EQ(again->refresh_token, "abc");
  EXPECT_EQ(json_equal(again->claims.get(), record.claims.get()), 1);
  EXPECT_EQ(*session::encode(*again), *text);
}

TEST(a_record_without_an_auth_time_stays_one) {
  session::Record record = session_record();
  record.auth_time.reset();
  const auto again = session::decode(*session::encode(record));
  EXPECT_OK(again);
  EXPECT(!again->auth_time);
}

TEST(ids_are_128_bits_and_differ) {
  const auto one = session::new_id();
  const auto other = session::new_id();
  EXPECT_OK(one);
  EXPECT(session::is_id(*one));
  EXPECT(*one != *other);
  for (const char* text : {"", "..", "0123456789abcdef", "0123456789ABCDEF0123456789abcdef",
                           "0123456789abcdef0123456789abcdef0", "../../../../../../../etc/passwd0"})
    EXPECT(!session::is_id(text));
}

TEST(K07_a_text_that_we_did_not_write_is_no_record) {
  const std::string whole = *session::encode(session_record());
  EXPECT_OK(session::decode(whole));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_REASON(session::decode(whole.substr(0, size)), session_store);
  EXPECT_REASON(session::decode(whole + "x"), session_store);
  EXPECT_REASON(session::decode("null"), session_store);
  EXPECT_REASON(session::decode("[]"), session_store);
}

TEST(a_member_that_is_missing_of_another_type_or_new_is_refused) {
  const auto members = test::json_of(session::encode(session_record())->c_str());
  const char* name = nullptr;
  json_t* value = nullptr;
  std::size_t count = 0;
  json_object_foreach(members.get(), name, value) {
    ++count;
    EXPECT_REASON(session::decode(changed([&](json_t* one) { json_object_del(one, name); })),
                  session_store);
    EXPECT_REASON(
        session::decode(changed([&](json_t* one) { json_object_set_new(one, name, json_true()); })),
        session_store);
    EXPECT_REASON(
        session::decode(changed([&](json_t* one) { json_object_set_new(one, name, json_null()); })),
        session_store);
  }
  EXPECT_EQ(count, 26U);
  EXPECT_REASON(
      session::decode(changed([](json_t* one) { json_object_set_new(one, "x", json_true()); })),
      session_store);
}

TEST(a_record_of_another_version_is_refused) {
  for (const int version : {0, 1, 3, -1})
    EXPECT_REASON(session::decode(changed([version](json_t* one) {
                    json_object_set_new(one, "version", json_integer(version));
                  })),
                  session_store);
}

TEST(a_programs_record_is_never_read_as_a_persons) {
  session::Record record = session_record();
  record.kind = session::Kind::program;
  const auto again = session::decode(*session::encode(record));
  EXPECT_OK(again);
  EXPECT(again->kind == session::Kind::program);
  for (const char* kind : {"", "Person", "machine"})
    EXPECT_REASON(session::decode(changed([kind](json_t* one) {
                    json_object_set_new(one, "kind", json_string(kind));
                  })),
                  session_store);
}

TEST(numbers_outside_their_range_are_refused) {
  for (const char* name : {"uid", "audit_session", "verified_at", "verified_on", "auth_time"})
    for (const json_int_t number : {json_int_t{-2}, json_int_t{1} << 60})
      EXPECT_REASON(session::decode(changed([&](json_t* one) {
                      json_object_set_new(one, name, json_integer(number));
                    })),
                    session_store);
}

TEST(a_record_larger_than_the_limit_is_not_written) {
  session::Record record = session_record();
  json_object_set_new(record.claims.get(), "groups",
                      json_string(std::string(session::max_record_bytes, 'x').c_str()));
  EXPECT_REASON(session::encode(record), session_store);
}

TEST(ten_thousand_groups_fit_into_a_record) {
  session::Record record = session_record();
  json_t* groups = json_array();
  for (int i = 0; i < 10000; ++i)
    json_array_append_new(groups, json_string(("CN=group " + std::to_string(i) +
                                               ",OU=Groups,OU=Some Department,DC=corp,DC=example")
                                                  .c_str()));
  json_object_set_new(record.claims.get(), "groups", groups);
  const auto text = session::encode(record);
  EXPECT_OK(text);
  EXPECT_OK(session::decode(*text));
}

TEST(text_that_is_not_utf8_is_not_written) {
  session::Record record = session_record();
  record.rhost = "\xff";
  EXPECT_REASON(session::encode(record), session_store);
}

TEST(an_approval_in_the_future_is_older_than_any_limit) {
  const session::Record record = session_record();
  EXPECT(session::age(record, record.verified_at + 10s) == 10s);
  EXPECT(session::age(record, record.verified_at) == 0s);
  EXPECT(session::age(record, record.verified_at - 1s) > std::chrono::days{10000});
}

TEST(only_the_claims_that_decide_are_kept_and_as_they_are) {
  config::Identity identity;
  identity.username_claim = "sAMAccountName";
  identity.pin_claim = "objectGUID";
  identity.groups_claim = "/resource~1access/linux/roles";
  config::Provider provider;
  provider.domain_claim = "hd";
  const auto claims = test::json_of(R"({"sub": "s", "sAMAccountName": "alice", "objectGUID": null,
      "hd": "corp.example", "resource/access": {"linux": {"roles": ["a"]}, "other": 1},
      "_claim_names": {"groups": "src1"}, "name": "Alice", "picture": "data:", "email": "a@b"})");
  const auto kept = session::policy_claims(claims.get(), identity, provider);
  const auto expected = test::json_of(R"({"sub": "s", "sAMAccountName": "alice",
      "objectGUID": null, "hd": "corp.example",
      "resource/access": {"linux": {"roles": ["a"]}, "other": 1},
      "_claim_names": {"groups": "src1"}})");
  EXPECT_EQ(json_equal(kept.get(), expected.get()), 1);
}
