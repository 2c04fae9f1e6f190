// SPDX-License-Identifier: Apache-2.0
#include "session/match.h"

#include "support/cmocka_cc.h"
#include "support/session_record.h"

// Which session is meant: the kernel's words and no others (issue: forged session ids, H19).

using session::Caller;
using session::Record;
using test::caller;
using test::monitor;
using test::session_record;

namespace {

Record opened(std::uint32_t audit_session = ipc::no_audit_session) {
  Record record = session_record();
  Caller opener = monitor();
  opener.audit_session = audit_session;
  session::open_in(record, opener);
  return record;
}

// sudo in the session that the monitor opened, and in another one of the same user.
Caller sudo_inside() { return caller({"700.99", "650.95", "600.90", "400.70", "300.10", "1.1"}); }
Caller sudo_elsewhere() { return caller({"710.99", "655.95", "410.71", "300.10", "1.1"}); }

}  // namespace

TEST(the_session_begins_above_the_process_that_authenticated) {
  const Record record = session_record();
  EXPECT(session::authenticated_here(record, monitor()));
  EXPECT(session::authenticated_here(record, caller({"500.77", "400.70"})));  // in one process
  EXPECT(!session::authenticated_here(record, caller({"401.70", "300.10", "1.1"})));
  // A number that was given to another process.
  EXPECT(!session::authenticated_here(record, caller({"400.71", "300.10", "1.1"})));
  EXPECT(!session::authenticated_here(record, caller({})));
}

TEST(a_login_to_another_account_or_service_is_another_login) {
  const Record record = session_record();
  Caller other = monitor();
  other.account = "bob";
  EXPECT(!session::authenticated_here(record, other));
  other = monitor();
  other.uid = 2002;
  EXPECT(!session::authenticated_here(record, other));
  other = monitor();
  other.service = "su";
  EXPECT(!session::authenticated_here(record, other));
}

TEST(a_session_begins_once) {
  const Record record = opened();
  EXPECT(!session::authenticated_here(record, monitor()));
  EXPECT(session::opened_here(record, monitor()));
  EXPECT(!session::opened_here(record, caller({"500.77", "400.70"})));
}

TEST(K07_a_pending_login_is_nobodys_session) {
  Record record = session_record();
  EXPECT(!session::is_same_session(record, sudo_inside()));
  Caller none = caller({});
  EXPECT(!session::is_same_session(record, none));
  record.audit_session = 7;
  none.audit_session = 7;
  EXPECT(!session::is_same_session(record, none));
}

TEST(without_an_audit_session_descent_from_the_opener_decides) {
  const Record record = opened();
  EXPECT(session::is_same_session(record, sudo_inside()));
  EXPECT(!session::is_same_session(record, sudo_elsewhere()));
  EXPECT(!session::is_same_session(record, caller({})));
}

TEST(the_audit_session_that_began_with_it_decides) {
  const Record record = opened(7);
  Caller one = sudo_elsewhere();  // its parents ended: it belongs to process 1 now
  one.audit_session = 7;
  EXPECT(session::is_same_session(record, one));
  Caller other = sudo_inside();
  other.audit_session = 8;
  EXPECT(!session::is_same_session(record, other));
  other.audit_session = ipc::no_audit_session;
  EXPECT(!session::is_same_session(record, other));
}

TEST(an_audit_session_that_the_daemon_had_before_tells_nothing) {
  // sshd was restarted from somebody's shell, and nothing began a session of its own.
  Record record = session_record();
  record.audit_session = 5;
  Caller opener = monitor();
  opener.audit_session = 5;
  session::open_in(record, opener);
  Caller other = sudo_elsewhere();
  other.audit_session = 5;
  EXPECT(!session::is_same_session(record, other));
  Caller one = sudo_inside();
  one.audit_session = 5;
  EXPECT(session::is_same_session(record, one));
}

TEST(another_account_in_the_same_session_has_no_part_in_it) {
  const Record record = opened(7);
  Caller bob = sudo_inside();
  bob.audit_session = 7;
  bob.account = "bob";
  bob.uid = 2002;
  EXPECT(!session::is_same_session(record, bob));
}

TEST(a_service_without_a_session_of_its_own_is_bound_to_the_callers) {
  Record record = session_record();
  Caller sudo = sudo_inside();
  sudo.leader = "650.95";
  EXPECT(session::bind_to_session_of(record, sudo));
  EXPECT(session::is_same_session(record, sudo));
  EXPECT(session::is_same_session(record, caller({"800.1", "650.95", "1.1"})));
  EXPECT(!session::is_same_session(record, caller({"800.1", "651.95", "1.1"})));
  sudo.audit_session = 9;
  EXPECT(session::bind_to_session_of(record, sudo));
  EXPECT(record.leader.empty());
  EXPECT(session::is_same_session(record, sudo));
  EXPECT(!session::is_same_session(record, caller({"800.1", "650.95", "1.1"})));
}

TEST(nothing_is_bound_to_the_first_process_or_to_no_leader) {
  Record record = session_record();
  Caller sudo = sudo_inside();
  EXPECT(!session::bind_to_session_of(record, sudo));
  sudo.leader = "1.1";
  EXPECT(!session::bind_to_session_of(record, sudo));
  EXPECT(!session::is_same_session(record, sudo));
}
