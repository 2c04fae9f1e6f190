// SPDX-License-Identifier: Apache-2.0

/// \file
/// What deciding about a person of many groups costs: prints milliseconds of the processor for
/// policy::authorize for lists of rules and claims of growing size, and nanoseconds for each rule
/// and group.  Parsing the JSON is no part of it.  The group that allows is the last one, and a
/// list that denies fits none.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "json/json.h"
#include "policy/policy.h"

namespace {

constexpr int rounds = 21;

std::string name(const char* kind, std::size_t number) {
  return std::string("CN=") + kind + ' ' + std::to_string(number) + ",OU=Unit " +
         std::to_string(number % 40) + ",OU=Groups,DC=corp,DC=example";
}

json::Json claims_with(std::size_t groups) {
  json::Json list(json_array());
  for (std::size_t i = 1; i < groups; ++i)
    json_array_append_new(list.get(), json_string(name("Role", i).c_str()));
  json_array_append_new(list.get(),
                        json_string("cn=linux users,ou=linux,ou=groups,dc=corp,dc=example"));
  return json::Json(json_pack("{s:O}", "groups", list.get()));
}

// Of each kind as many, over the three lists that a person of no account of their own meets.
config::Config config_with(std::size_t rules) {
  config::Config config;
  config::Access& access = config.access["sudo"];
  access.service = "sudo";
  for (std::size_t i = 0; i + 1 < rules; ++i) {
    auto& list = i % 2 == 0 ? access.allow_groups : access.deny_groups;
    switch (i / 2 % 5) {
      case 0: list.push_back(name("Team", i)); break;
      case 1: list.push_back("under:OU=Team " + std::to_string(i) + ",OU=Groups,DC=corp"); break;
      case 2: list.push_back("cn:Team " + std::to_string(i)); break;
      case 3: list.push_back("S-1-5-21-1-2-3-" + std::to_string(i)); break;
      default: list.push_back("team-" + std::to_string(i));
    }
  }
  access.allow_groups.push_back("CN=Linux Users,OU=Linux,OU=Groups,DC=corp,DC=example");
  return config;
}

// Nothing here waits, so what other processes take of the processor is no part of it.
double processor_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double milliseconds(const config::Config& config, const json_t* claims) {
  std::vector<double> taken;
  for (int round = 0; round < rounds; ++round) {
    const double start = processor_ms();
    const bool allowed = policy::authorize(config, "sudo", "alice", claims).has_value();
    taken.push_back(processor_ms() - start);
    if (!allowed) std::abort();
  }
  std::nth_element(taken.begin(), taken.begin() + rounds / 2, taken.end());
  return taken[rounds / 2];
}

void measure(std::size_t rules, std::size_t groups, const char* goal) {
  const json::Json claims = claims_with(groups);
  const double taken = milliseconds(config_with(rules), claims.get());
  std::printf("  %6zu rules, %6zu distinguished names       %8.2f ms   %.0f ns each%s\n", rules,
              groups, taken, taken * 1e6 / static_cast<double>(rules + groups), goal);
}

}  // namespace

int main() {
  std::printf("policy, processor time, median of %d decisions\n", rounds);
  measure(500, 1000, "");
  measure(500, 10000, "  goal <= 5 ms");
  measure(500, 100000, "");
  measure(5000, 10000, "");
  measure(50000, 10000, "");
  return 0;
}
