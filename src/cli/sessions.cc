// SPDX-License-Identifier: Apache-2.0
#include "cli/sessions.h"

#include <algorithm>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/token_view.h"

namespace cli {
namespace {

using session::Record;

// One of a session, or the last verified login of an account.
struct Kept {
  Record record;
  bool is_last;
};

base::Result<std::vector<Kept>> all_of(const session::Store& store, session::Notes& notes) {
  std::vector<Kept> kept;
  ASSIGN_OR_RETURN(auto records, store.all(notes));
  ASSIGN_OR_RETURN(auto last, store.all_last(notes));
  for (Record& one : records) kept.push_back({std::move(one), false});
  for (Record& one : last) kept.push_back({std::move(one), true});
  std::stable_sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) {
    return std::pair(a.record.account, a.record.verified_on) <
           std::pair(b.record.account, b.record.verified_on);
  });
  return kept;
}

const char* state_of(const Kept& kept) {
  if (kept.is_last) return "last";
  return kept.record.state == session::State::open ? "open" : "pending";
}

std::string shown(const std::string& text) {
  return text.empty() ? "-" : base::log_value(text, 1024);
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + base::log_value(word);
  return all.empty() ? "-" : all;
}

int complain(const base::Error& error, std::ostream& problems) {
  problems << base::word(error.reason) << ": " << base::printable(error.detail, 1024) << '\n';
  return 1;
}

int complain(const session::Notes& notes, std::ostream& problems) {
  for (const std::string& one : notes) problems << base::printable(one, 1024) << '\n';
  return notes.empty() ? 0 : 1;
}

void print(const Kept& kept, std::ostream& out) {
  const Record& record = kept.record;
  const auto now = base::wall_now();
  const auto line = [&out](const char* name, const std::string& value) {
    out << name << std::string(16 - std::string_view(name).size(), ' ') << value << '\n';
  };
  line("id", record.id);
  line("state", state_of(kept));
  line("login of", record.kind == session::Kind::program ? "a program" : "a person");
  line("account", shown(record.account));
  line("uid", std::to_string(record.uid));
  line("service", shown(record.service));
  line("provider", shown(record.provider));
  line("issuer", shown(record.issuer));
  line("subject", shown(record.subject));
  line("client_id", shown(record.client_id));
  line("approved", shown_time(record.verified_on, now));
  line("signed on", record.auth_time ? shown_time(*record.auth_time, now) : "-");
  line("acr", shown(record.acr));
  line("amr", joined(record.amr));
  line("from", shown(record.rhost));
  line("terminal", shown(record.tty));
  line("audit session",
       record.audit_session == ipc::no_audit_session ? "-" : std::to_string(record.audit_session));
  line("opened by", shown(record.opener));
  line("reference", shown(record.attempt));
  line("claims", shown_json(record.claims.get()));
  line("refresh token", record.refresh_token.empty() ? "none" : "kept, sealed");
}

base::Result<bool> forget(const session::Store& store, const Kept& kept, const Farewell& farewell) {
  const Record& record = kept.record;
  ASSIGN_OR_RETURN(const bool removed, kept.is_last ? store.remove_last(record.uid, record.id)
                                                    : store.remove(record.uid, record.id));
  if (removed) farewell(record);
  return removed;
}

int end_those(const session::Store& store, const Farewell& farewell, const std::string& what,
              const std::function<bool(const Kept&)>& is_meant, std::ostream& out,
              std::ostream& problems) {
  session::Notes notes;
  const auto all = all_of(store, notes);
  if (!all) return complain(all.error(), problems);
  std::size_t count = 0;
  for (const Kept& one : *all) {
    if (!is_meant(one)) continue;
    const auto removed = forget(store, one, farewell);
    if (!removed) return complain(removed.error(), problems);
    if (!*removed) continue;
    ++count;
    out << "ended " << one.record.id << " (" << shown(one.record.account) << ", " << state_of(one)
        << ")\n";
  }
  complain(notes, problems);
  if (count > 0) return 0;
  problems << "there is no session " << base::log_value(what) << '\n';
  return 1;
}

}  // namespace

int sessions_list(const session::Store& store, std::ostream& out, std::ostream& problems) {
  session::Notes notes;
  const auto all = all_of(store, notes);
  if (!all) return complain(all.error(), problems);
  const auto now = base::wall_now();
  for (const Kept& one : *all)
    out << one.record.id << ' ' << state_of(one) << ' ' << shown(one.record.account) << ' '
        << shown(one.record.service) << " from " << shown(one.record.rhost) << ", approved "
        << shown_time(one.record.verified_on, now) << '\n';
  return complain(notes, problems);
}

int sessions_show(const session::Store& store, const std::string& id, std::ostream& out,
                  std::ostream& problems) {
  session::Notes notes;
  const auto all = all_of(store, notes);
  if (!all) return complain(all.error(), problems);
  bool found = false;
  for (const Kept& one : *all) {
    if (one.record.id != id) continue;
    if (std::exchange(found, true)) out << '\n';
    print(one, out);
  }
  if (found) return 0;
  problems << "there is no session " << base::log_value(id) << '\n';
  return 1;
}

int sessions_end(const session::Store& store, const std::string& id, const Farewell& farewell,
                 std::ostream& out, std::ostream& problems) {
  return end_those(
      store, farewell, id, [&id](const Kept& one) { return one.record.id == id; }, out, problems);
}

int sessions_end_all(const session::Store& store, const std::string& account,
                     const Farewell& farewell, std::ostream& out, std::ostream& problems) {
  return end_those(
      store, farewell, "of " + account,
      [&account](const Kept& one) { return one.record.account == account; }, out, problems);
}

}  // namespace cli
