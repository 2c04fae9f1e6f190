// SPDX-License-Identifier: Apache-2.0
#include "client/arguments.h"

#include "client/verbs.h"
#include "support/cmocka_cc.h"

namespace {

using client::Verb;
using Words = std::vector<std::string>;

client::Arguments parse(const Words& words) {
  auto parsed = client::parse_arguments(words);
  if (!parsed) throw test::Failure{parsed.error().detail, __FILE__, __LINE__};
  return *parsed;
}

}  // namespace

TEST(gives_ssh_everything_that_is_not_ours) {
  EXPECT(parse({"web01"}).ssh == Words({"web01"}));
  EXPECT(parse({"-p", "22", "ci@web01", "--", "ls", "--profile"}).ssh ==
         Words({"-p", "22", "ci@web01", "--", "ls", "--profile"}));
  const auto both = parse({"--profile", "ci", "web01", "env"});
  EXPECT_EQ(both.profile, "ci");
  EXPECT(both.verb == Verb::ssh && both.ssh == Words({"web01", "env"}));
  EXPECT(parse({"--profile=ci", "-v", "web01"}).ssh == Words({"-v", "web01"}));
}

TEST(takes_a_verb_only_as_the_first_word_after_our_options) {
  EXPECT(parse({"env"}).verb == Verb::env);
  EXPECT(parse({"token"}).verb == Verb::token);
  EXPECT(parse({"--profile", "ci", "env"}).verb == Verb::env);
  EXPECT_EQ(parse({"env", "--profile", "ci"}).profile, "ci");
  EXPECT(parse({"-4", "env"}).verb == Verb::ssh);
}

TEST(reaches_a_host_that_has_a_verbs_name) {
  const auto host = parse({"--profile", "ci", "--", "env"});
  EXPECT(host.verb == Verb::ssh && host.ssh == Words({"env"}));
}

TEST(reads_the_options_of_a_verb) {
  EXPECT(parse({"env"}).lifetime == std::chrono::hours(12));
  EXPECT(parse({"env", "--lifetime", "8h"}).lifetime == std::chrono::hours(8));
  EXPECT(parse({"token", "--force"}).force);
  EXPECT(parse({"--help"}).verb == Verb::help);
  EXPECT(parse({"--version"}).verb == Verb::version);
  EXPECT(parse({"env", "--help"}).verb == Verb::help);
}

TEST(refuses_what_it_does_not_understand) {
  for (const Words& words :
       {Words{}, Words{"--"}, Words{"--profile"}, Words{"--profile", "ci"}, Words{"--profile="},
        Words{"--profiel", "ci", "web01"}, Words{"--token", "abc", "web01"},
        Words{"--force", "web01"}, Words{"--lifetime", "8h", "web01"}, Words{"env", "web01"},
        Words{"env", "--force"}, Words{"token", "x"}, Words{"env", "--lifetime", "1s"},
        Words{"env", "--lifetime", "8d"}, Words{"env", "--lifetime", "soon"}, Words{"--help=x"},
        Words{"token", "--lifetime", "8h"}})
    EXPECT_REASON(client::parse_arguments(words), cfg_arg);
}

TEST(quotes_what_a_shell_would_read_otherwise) {
  EXPECT_EQ(client::shell_quoted("/run/a b"), "'/run/a b'");
  EXPECT_EQ(client::shell_quoted("it's $(x)"), "'it'\\''s $(x)'");
}
