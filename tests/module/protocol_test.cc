// SPDX-License-Identifier: Apache-2.0

/// \file
/// Every way a broker can end, or talk out of turn (attack catalogue K04, K05, K08): only one whole
/// conversation in order is a decision.

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>

#include "module/bed.h"
#include "support/cmocka_cc.h"

namespace {

using bed::App;
using bed::expect_denied;

void expect_broken(const std::string& script, const std::string& reason) {
  bed::script(script);
  App app("sshd");
  const int code = app.authenticate();
  expect_denied(app, code, PAM_AUTHINFO_UNAVAIL, reason);
  EXPECT_EQ(app.account(), PAM_PERM_DENIED);  // ignored by us, and nobody else is in the stack
}

std::string frame(const std::string& hex) { return "begin\nraw " + hex + "\nwait\n"; }

TEST(K04_denies_when_the_broker_says_nothing) {
  for (const char* const script : {
           "exit 0\n",                     // silently
           "exit 255\n",                   //
           "begin\nexit 0\n",              // after it heard us
           "begin\nexit 1\n",              //
           "kill 9\n",                     // killed at once
           "begin\nkill 11\n",             // crashed
           "begin\nkill 31\n",             // by its own sandbox (SIGSYS)
           "begin\nshow 1 x\nkill 9\n",    // killed in the middle
           "begin\nprompt 0 x\nexit 0\n",  // after an answer
           "begin\nprompt 0 x\nkill 6\n",  //
           "begin\nclose\nhang\n",         // closed, but alive
           "close\nexit 0\n",              //
       })
    expect_broken(script, "broker.down");
}

TEST(K04_denies_in_time_when_the_broker_hangs) {
  bed::service_with("sshd", "timeout=20");
  for (const char* const script : {"hang\n", "begin\nhang\n", "stop\n", "begin\nstop\n",
                                   "begin\nshow 1 x\nstop\n", "begin\nprompt 0 x\nhang\n"}) {
    const bed::FastTime fast(50);
    const auto start = std::chrono::steady_clock::now();
    expect_broken(script, "broker.down");
    const auto took = std::chrono::steady_clock::now() - start;
    // steady_clock is the fast one here.
    EXPECT(took >= std::chrono::seconds(20) && took < std::chrono::seconds(30));
  }
  bed::service_with("sshd", "");
}

TEST(K05_denies_when_the_broker_talks_nonsense) {
  for (const std::string& hex : {
           std::string("00"),                // shorter than a header
           std::string("01"),                //
           std::string("0243000000"),        // another version
           std::string("0100"),              // no such type
           std::string("01ff"),              //
           std::string("0101"),              // begin, which is ours to say
           std::string("010200016100"),      // answer
           std::string("0104"),              // interrupted
           std::string("0105"),              // confirm
           std::string("0144"),              // end before a verdict
           std::string("0141"),              // show without fields
           std::string("01410300016178"),    // show of no known style, and a byte left over
           std::string("014101000161ff"),    // a byte left over
           std::string("0141010002610a0a"),  // another
           std::string("01410100ff61"),      // a length beyond the packet
           std::string("014101000100"),      // a NUL
           std::string("0142020000"),        // prompt of no known echo
           std::string("0143"),              // verdict without fields
           std::string("014301"),            // cut
           std::string("0143010000"),        //
       })
    expect_broken(frame(hex), "broker.proto");
}

TEST(K05_denies_packets_that_are_no_message_at_all) {
  for (const char* const script : {
           "begin\nempty\nwait\n",        // empty packet
           "begin\nzeros 40000\nwait\n",  // larger than the largest
           "begin\nzeros 32768\nwait\n",  // as large
           "begin\ndescriptor\nwait\n",   // a descriptor comes with it
           "begin\nflood 600\nwait\n",    // more than a conversation has
       })
    expect_broken(script, "broker.proto");
}

TEST(K05_denies_a_verdict_about_another_login) {
  for (const char* const script : {
           "begin\nverdict_for bob =\nconfirm\nend\n",
           "begin\nverdict_for Alice =\nconfirm\nend\n",
           "begin\nverdict_for alice2 =\nconfirm\nend\n",
           "begin\nverdict_for = 0123456789abcdef\nconfirm\nend\n",
           "begin\nverdict_for = 0123456789abcdef0123456789abcdef\nconfirm\nend\n",
       })
    expect_broken(script, "broker.proto");
}

// A granted verdict with another reason, or the reason "ok" with another outcome, does not encode
// honestly: written out by hand.  The attempt and user do not matter, it must not get that far.
TEST(K05_denies_a_verdict_that_contradicts_itself) {
  const std::string attempt = "001030313233343536373839616263646566";
  const std::string user = "0005616c696365";
  for (const char* const head : {"0143010001", "0143020000", "0143080000", "0143000001",
                                 "0143090001", "014301ffff", "014302ffff"})
    expect_broken(frame(head + attempt + user + "0000"), "broker.proto");
}

TEST(K05_denies_two_verdicts) {
  expect_broken("begin\nverdict granted ok\nverdict granted ok\nconfirm\nend\n", "broker.proto");
  expect_broken("begin\nverdict refused device.denied\nverdict granted ok\nconfirm\nend\n",
                "broker.proto");
  expect_broken("begin\nverdict granted ok\nconfirm\nend\nverdict granted ok\n", "broker.proto");
}

TEST(K08_denies_when_the_broker_does_not_live_to_the_end) {
  for (const char* const script : {
           "begin\nverdict granted ok\nexit 0\n",             // exits without end
           "begin\nverdict granted ok\nexit 255\n",           //
           "begin\nverdict granted ok\nkill 11\n",            // writes a verdict, then crashes
           "begin\nverdict granted ok\nkill 9\n",             //
           "begin\nverdict granted ok\nconfirm\nexit 0\n",    //
           "begin\nverdict granted ok\nconfirm\nkill 6\n",    //
           "begin\nverdict granted ok\nclose\nhang\n",        //
           "begin\nverdict refused device.denied\nkill 9\n",  // a refusal is not completed either
       })
    expect_broken(script, "helper.exit");
}

TEST(K08_denies_when_the_broker_stays_after_the_verdict) {
  for (const char* const script : {
           "begin\nverdict granted ok\nhang\n",
           "begin\nverdict granted ok\nstop\n",
           "begin\nverdict granted ok\nconfirm\nhang\n",
           "begin\nverdict granted ok\nconfirm\nend\nhang\n",
           "begin\nverdict granted ok\nconfirm\nend\nstop\n",
           "begin\nverdict granted ok\nconfirm\nparting\nhang\n",
       }) {
    const bed::FastTime fast(20);
    expect_broken(script, "helper.exit");
  }
}

TEST(K08_denies_when_something_comes_after_the_verdict) {
  for (const char* const script : {
           "begin\nverdict granted ok\nconfirm\nshow 1 x\nend\n",
           "begin\nverdict granted ok\nconfirm\nprompt 0 x\n",
           "begin\nverdict granted ok\nconfirm\nraw 034400\n",  // an end with a byte left over
           "begin\nverdict granted ok\nconfirm\nraw 00\n",
           "begin\nverdict granted ok\nconfirm\nempty\nend\n",
           "begin\nverdict granted ok\nconfirm\nend\nempty\n",  // an empty packet is a packet
           "begin\nverdict granted ok\nconfirm\nend\nend\n",
           "begin\nverdict granted ok\nconfirm\nend\nraw 00\nhang\n",
           "begin\nverdict granted ok\nconfirm\nend\nzeros 40000\n",
           "begin\nverdict granted ok\nconfirm\nraw 034600\n",  // the same for a parting
           "begin\nverdict granted ok\nconfirm\nparting\nend\n",
           "begin\nverdict granted ok\nconfirm\nend\nparting\n",
       })
    expect_broken(script, "broker.proto");
}

// What it has left to do is nothing that the application waits for.
TEST(a_broker_that_says_parting_is_let_go_and_the_decision_stands) {
  bed::script(
      "facts\nbegin\nverdict granted ok\nconfirm\nparting\nclose\nsleep 1500\nreport done\n");
  App app("sshd");
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  EXPECT(bed::reported("done") != "yes");
  const int pid = std::stoi(bed::reported("pid"));
  while (::kill(pid, 0) == 0 && bed::reported("done") != "yes") ::usleep(1000);
  EXPECT_EQ(bed::reported("done"), "yes");
}

// It closed the socket in order, and only then lingers: the decision counts, the process does not.
TEST(a_broker_that_lingers_after_the_end_is_killed_and_the_decision_stands) {
  const bed::FastTime fast(20);
  bed::script("facts\nbegin\nverdict granted ok\nconfirm\nend\nclose\nhang\n");
  App app("sshd");
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);
  const int pid = std::stoi(bed::reported("pid"));
  bool gone = false;
  for (int i = 0; i < 200 && !gone; ++i) {
    gone = ::kill(pid, 0) != 0 && errno == ESRCH;
    if (!gone) {
      // A zombie until init reaps it.
      FILE* const file = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r");
      char state = 'X';
      if (file != nullptr) {
        if (std::fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'X';
        std::fclose(file);
      }
      gone = state == 'Z' || state == 'X';
    }
    ::usleep(5000);
  }
  EXPECT(gone);
}

TEST(a_prompt_is_the_applications_own_time) {
  bed::service_with("sshd", "timeout=20");
  bed::script("begin\nprompt 0 Enter:\nverdict granted ok\nconfirm\nend\n");
  const bed::FastTime fast(50);
  App app("sshd");
  app.person.meanwhile = [] { ::usleep(600'000); };  // 30 s
  EXPECT_EQ(app.authenticate(), PAM_SUCCESS);

  // But not again and again.
  bed::script("begin\nprompt 0 Enter:\nprompt 0 Enter:\nverdict granted ok\nconfirm\nend\n");
  App twice("sshd");
  twice.person.meanwhile = [] { ::usleep(600'000); };
  const int code = twice.authenticate();
  expect_denied(twice, code, PAM_AUTHINFO_UNAVAIL, "broker.down");
  EXPECT_EQ(twice.person.prompts(), 1);
  bed::service_with("sshd", "");
}

}  // namespace
