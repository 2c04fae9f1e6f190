// SPDX-License-Identifier: Apache-2.0
#include <syslog.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "module/kept_errno.h"
#include "module/log_line.h"
#include "sudo/membership.h"
#include "sudo/plugin_interface.h"

/// \file
/// sudo's group plug-in: what sudoers calls, and nothing else.  It has no opinion but the broker's,
/// and where there is none, nobody is a member.

namespace {

using module::Failure;
using sudo::Membership;
using sudo::Person;

/// What is kept between questions.
struct State {
  Person person;                           ///< whom the conversation is about
  std::optional<Membership> conversation;  ///< kept open: a sudoers file may ask many times
  bool has_failed = false;                 ///< said once, and then nobody is a member of anything
};

// In memory of its own: an object with a destructor here would run after sudo unloaded us.
State* state = nullptr;

void log_failure(const Person& person, const Failure& failure) {
  const module::Subject subject{person.user.view(), "sudo", {}, {}, {}, person.attempt.view()};
  const module::LogLine line("groups", "denied", subject, failure);
  syslog(LOG_AUTHPRIV | module::log_level(failure), "pam_oidc_sudo_groups: %s", line.c_str());
}

int refuse(const Failure& failure) {
  log_failure(state->person, failure);
  state->conversation.reset();
  state->has_failed = true;
  return 0;
}

/// Begins anew, about this person.
module::Result<> begin(const passwd& entry) {
  state->conversation.reset();
  state->person.user.assign_cut(entry.pw_name);
  state->person.uid = entry.pw_uid;
  if (auto made = module::make_attempt_id(state->person.attempt); !made)
    return module::failure_of(made);
  auto conversation = Membership::begin(state->person);
  if (!conversation) return module::failure_of(conversation);
  state->conversation.emplace(*std::move(conversation));
  return {};
}

bool is_about(const passwd& entry) {
  return state->conversation && state->person.user.view() == entry.pw_name &&
         state->person.uid == entry.pw_uid;
}

int answer(const passwd& entry, std::string_view group) {
  const bool was_open = is_about(entry);
  if (!was_open)
    if (auto begun = begin(entry); !begun) return refuse(begun.error());
  auto member = state->conversation->ask(group);
  // The broker does not wait for ever for the next question: sudo may run a shell for hours.
  if (!member && was_open && member.error().reason == base::Reason::broker_down) {
    if (auto begun = begin(entry); !begun) return refuse(begun.error());
    member = state->conversation->ask(group);
  }
  if (!member) return refuse(member.error());
  return *member ? 1 : 0;
}

// --- What sudoers calls --------------------------------------------------------------------------

int init(int version, sudo_printf_t, char* const arguments[]) {
  const module::KeptErrno kept;
  Person nobody;
  if (sudo::major_of(version) != sudo::interface_major) {
    log_failure(nobody, module::fail(base::Reason::cfg_arg,
                                     "sudo speaks another version of the plug-in interface")
                            .error());
    return -1;
  }
  if (arguments != nullptr && arguments[0] != nullptr) {
    Failure failure = module::fail(base::Reason::cfg_arg, "the plug-in takes no arguments").error();
    failure.about = arguments[0];
    log_failure(nobody, failure);
    return -1;
  }
  return 1;
}

void cleanup() {
  const module::KeptErrno kept;
  if (state == nullptr) return;
  if (state->conversation) state->conversation->leave();
  std::destroy_at(state);
  std::free(state);
  state = nullptr;
}

int query(const char* user, const char* group, const passwd* entry) {
  const module::KeptErrno kept;
  if (user == nullptr || group == nullptr || entry == nullptr || entry->pw_name == nullptr)
    return 0;
  // Of another name than the account's nobody is said to be a member.
  const std::string_view name = user;
  if (name != entry->pw_name || !module::is_account_name(name) || entry->pw_uid == ipc::no_uid)
    return 0;
  if (state == nullptr) {
    void* const memory = std::malloc(sizeof(State));
    if (memory == nullptr) return 0;
    state = std::construct_at(static_cast<State*>(memory));
  }
  if (state->has_failed || *group == '\0') return 0;
  return answer(*entry, group);
}

}  // namespace

extern "C" {
__attribute__((visibility("default")))
sudoers_group_plugin group_plugin = {sudo::interface_version, init, cleanup, query};
}
