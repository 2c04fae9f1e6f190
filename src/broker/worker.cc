// SPDX-License-Identifier: Apache-2.0
#include "broker/worker.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "audit/event.h"
#include "base/text.h"
#include "broker/describe.h"
#include "broker/fetcher.h"
#include "broker/limits.h"
#include "broker/login.h"
#include "broker/memberships.h"
#include "broker/phases.h"
#include "broker/prompt_text.h"
#include "broker/sandbox.h"
#include "broker/session_end.h"
#include "broker/terminal.h"
#include "config/load.h"
#include "confine/privileges.h"
#include "http/trust.h"
#include "oauth/replay.h"
#include "session/directory.h"
#include "session/sealed.h"

namespace broker {
namespace {

// Configuration, secrets and certificates, read with the rights that the worker was started with.
base::Result<Host> read_host(base::Result<Fetcher> fetcher) {
  ASSIGN_OR_RETURN(config::Config config, config::load(OIDC_CONFIG_PATH));
  const config::SecretReaders readers = config::broker_account();
  Host host{std::move(config),
            {},
            {},
            std::move(fetcher),
            {},
            {},
            oidc::Cache(OIDC_CACHE_DIRECTORY),
            identity::Pins(OIDC_PINS_DIRECTORY, readers.owner),
            {},
            {},
            {}};
  for (auto& [name, provider] : host.config.providers) {
    host.secrets.emplace(name, config::load_secret(provider, readers));
    host.trust.emplace(name, http::read_trust({provider.ca_file, provider.crl_file}));
  }
  return host;
}

bool uses_tokens_once(const config::Config& config) {
  return std::any_of(config.providers.begin(), config.providers.end(), [](const auto& one) {
    return one.second.machines && one.second.machines->single_use;
  });
}

// What remembers logins, in memory-backed /run: only root can make it for the broker's user.
void make_session_store(const config::Config& config, const confine::SystemUser& user) {
  session::Directory::make(OIDC_SESSIONS_DIRECTORY, user.uid, user.gid);
  if (config.sessions.keep_refresh_token) session::make_key(OIDC_SESSIONS_KEY, user.uid, user.gid);
}

// In this order: limits, the fork that knows nothing, what only root may read or make, another
// user, the cage.
base::Result<Host> prepare() {
  RETURN_IF_ERROR(confine::limit_this_process(limits::process));
  confine::SystemUser user;
  if (geteuid() == 0) {
    ASSIGN_OR_RETURN(user, confine::find_system_user());
  }
  auto fetcher = Fetcher::prepare(user);
  // OpenSSL reads its configuration, and jansson would seed its hash tables from a file.
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  json_object_seed(0);
  auto host = read_host(std::move(fetcher));
  const bool is_root = geteuid() == 0;
  if (host && is_root) make_session_store(host->config, user);
  RETURN_IF_ERROR(confine::become(user));
  if (host && is_root) {
    host->sessions = session::Store(OIDC_SESSIONS_DIRECTORY, geteuid());
    if (!host->sessions.is_there())
      host->notes.push_back("session.store: the kernel does not name this boot: nothing is kept");
  }
  if (host && uses_tokens_once(host->config)) oauth::make_replay_store(OIDC_USED_TOKENS_DIRECTORY);
  const confine::OpenPath own[] = {
      {OIDC_CACHE_DIRECTORY, confine::Access::keep_tree},
      {OIDC_PINS_DIRECTORY, confine::Access::keep_tree},
      {OIDC_SESSIONS_DIRECTORY, confine::Access::keep_tree},
      {OIDC_SESSIONS_KEY, confine::Access::read_file},
  };
  RETURN_IF_ERROR(enter_sandbox(own));
  return host;
}

// Remarks beside the decision: a stale key set, an interval put right, a cache that is not ours.
void write_notes(Host& host, const std::string& attempt) {
  for (const std::string& note : host.notes)
    syslog(LOG_INFO, "event=note attempt=%s detail=%s", attempt.c_str(),
           base::log_value(note).c_str());
  host.notes.clear();
}

// Names with commas between, as many as a verdict can hold.
std::string fitting(const std::vector<std::string>& groups) {
  std::string list;
  for (const std::string& group : groups) {
    if (list.size() + group.size() + 1 > ipc::max_groups) break;
    list += (list.empty() ? "" : ",") + group;
  }
  return list;
}

// True when the module has heard the answer and said so.
bool answer(Terminal& terminal, const LoginRequest& request, const Decision& decision,
            Terminal::Then then = Terminal::Then::exit) {
  ipc::Verdict verdict;
  std::string groups;
  if (decision) {
    verdict.outcome = base::Outcome::granted;
    verdict.reason = base::Reason::ok;
    groups = fitting(decision->groups);
    verdict.groups = groups;
  } else {
    verdict.outcome = decision.error().outcome;
    verdict.reason = decision.error().reason;
    // Nobody is there to hear a verdict, or a question that nobody answers is still open.
    if (verdict.reason == base::Reason::conv_closed || terminal.is_asking()) return false;
  }
  const std::string text = failure_text(verdict.outcome, verdict.reason, request.attempt);
  verdict.attempt = request.attempt;
  verdict.user = request.user;
  verdict.text = text;
  return terminal.finish(verdict, base::Deadline::after(limits::confirm_wait), then).has_value();
}

// The answer, and then what is left to do, when the application waits no longer.  Remarks carry the
// reference of the login that they are about.
bool answer_first(Host& host, const LoginRequest& request, Terminal& terminal,
                  const Decision& decision, const std::string& attempt,
                  const std::function<void()>& afterwards) {
  const bool goes_on = afterwards || !host.replaced.empty();
  const bool heard =
      answer(terminal, request, decision, goes_on ? Terminal::Then::go_on : Terminal::Then::exit);
  if (!goes_on) return heard;
  terminal.hang_up();
  if (afterwards) afterwards();
  give_back_replaced(host);
  write_notes(host, attempt);
  return heard;
}

bool serve_login(base::Result<Host>& host, const LoginRequest& request, Terminal& terminal,
                 audit::Sink& log) {
  audit::Event event(log, "login");
  describe(request, event);
  const Decision decision = host ? login(*host, request, terminal, event)
                                 : Decision(base::Unexpected<base::Error>(host.error()));
  if (decision)
    event.grant(decision->rule);
  else
    event.deny(decision.error());
  if (!host) return answer(terminal, request, decision);
  write_notes(*host, request.attempt);
  return answer_first(*host, request, terminal, decision, request.attempt, {});
}

// The word for a phase in the log.
const char* word(ipc::Phase phase) {
  switch (phase) {
    case ipc::Phase::account: return "account";
    case ipc::Phase::credentials: return "credentials";
    case ipc::Phase::open_session: return "session_open";
    case ipc::Phase::close_session: return "session_close";
    case ipc::Phase::authenticate:
    case ipc::Phase::groups: break;
  }
  return "login";
}

bool serve_session(base::Result<Host>& host, const LoginRequest& request, Terminal& terminal,
                   audit::Sink& log) {
  if (!host) {
    audit::Event event(log, word(request.phase));
    describe(request, event);
    event.deny(host.error());
    return answer(terminal, request, base::Unexpected<base::Error>(host.error()));
  }
  const PhaseAnswer served = serve_phase(*host, request, log);
  const std::string& attempt = served.attempt.empty() ? request.attempt : served.attempt;
  write_notes(*host, attempt);
  return answer_first(*host, request, terminal, served.decision, attempt, served.afterwards);
}

bool serve(base::Result<Host>& host, const LoginRequest& request, Terminal& terminal,
           audit::Sink& log) {
  switch (request.phase) {
    case ipc::Phase::authenticate: return serve_login(host, request, terminal, log);
    case ipc::Phase::groups: return serve_memberships(host, request, terminal);
    case ipc::Phase::account:
    case ipc::Phase::credentials:
    case ipc::Phase::open_session:
    case ipc::Phase::close_session: break;
  }
  return serve_session(host, request, terminal, log);
}

}  // namespace

bool serve_one_conversation(base::UniqueFd conversation) {
  base::Result<Host> host = prepare();
  Terminal terminal(std::move(conversation));
  audit::Syslog log;

  auto request = terminal.receive_begin(base::Deadline::after(limits::begin_wait));
  if (!request) {
    audit::Event(log, "login").deny(request.error());
    return false;
  }
  const bool carried = serve(host, *request, terminal, log);
  if (host) write_notes(*host, request->attempt);
  return carried;
}

}  // namespace broker
