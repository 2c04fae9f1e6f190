// SPDX-License-Identifier: Apache-2.0
#include "broker/worker.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "audit/event.h"
#include "base/text.h"
#include "broker/fetcher.h"
#include "broker/limits.h"
#include "broker/login.h"
#include "broker/prompt_text.h"
#include "broker/sandbox.h"
#include "broker/terminal.h"
#include "config/load.h"
#include "confine/privileges.h"
#include "http/trust.h"
#include "oauth/replay.h"

namespace broker {
namespace {

bool takes_programs(const config::Config& config) {
  return std::any_of(config.accounts.begin(), config.accounts.end(),
                     [](const auto& account) { return !account.second.clients.empty(); });
}

// Configuration, secrets and certificates, read with the rights that the worker was started with.
base::Result<Host> read_host(base::Result<Fetcher> fetcher) {
  ASSIGN_OR_RETURN(config::Config config, config::load(OIDC_CONFIG_PATH));
  // It loads its libraries while we get ready.  A program's token is mostly decided with keys from
  // the cache, so where there are programs it is started when there is something to ask.
  if (fetcher && !takes_programs(config)) fetcher->start();
  const config::SecretReaders readers = config::broker_account();
  Host host{std::move(config),
            {},
            {},
            std::move(fetcher),
            {},
            {},
            oidc::Cache(OIDC_CACHE_DIRECTORY),
            identity::Pins(OIDC_PINS_DIRECTORY, readers.owner),
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

// What the worker keeps between logins; in nothing else can it write.
constexpr const char* kept_directories[] = {OIDC_CACHE_DIRECTORY, OIDC_PINS_DIRECTORY};

// In this order: limits, the fork that knows nothing, what only root may read, another user, the
// cage.
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
  RETURN_IF_ERROR(confine::become(user));
  if (host && uses_tokens_once(host->config)) oauth::make_replay_store(OIDC_USED_TOKENS_DIRECTORY);
  RETURN_IF_ERROR(enter_sandbox(kept_directories));
  return host;
}

void describe(const LoginRequest& request, audit::Event& event) {
  event.user = request.user;
  event.service = request.service;
  event.rhost = request.rhost;
  event.tty = request.tty;
  event.attempt = request.attempt;
}

// Remarks beside the decision: a stale key set, an interval put right, a cache that is not ours.
void write_notes(const Host& host, const LoginRequest& request) {
  for (const std::string& note : host.notes)
    syslog(LOG_INFO, "event=note attempt=%s detail=%s", request.attempt.c_str(),
           base::log_value(note).c_str());
}

base::Result<policy::Allowed> decide(base::Result<Host>& host, const LoginRequest& request,
                                     Terminal& terminal, audit::Event& event) {
  if (!host) return base::Unexpected<base::Error>(std::move(host).error());
  if (request.phase != ipc::Phase::authenticate)
    return base::fail(base::Reason::broker_proto, "a phase that is not served");
  auto decision = login(*host, request, terminal, event);
  write_notes(*host, request);
  return decision;
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
  audit::Event event(log, "login");
  describe(*request, event);

  ipc::Verdict verdict;
  const auto decision = decide(host, *request, terminal, event);
  if (decision) {
    event.grant(decision->rule);
    verdict.outcome = base::Outcome::granted;
    verdict.reason = base::Reason::ok;
  } else {
    event.deny(decision.error());
    verdict.outcome = decision.error().outcome;
    verdict.reason = decision.error().reason;
    // Nobody is there to hear a verdict, or a question that nobody answers is still open.
    if (verdict.reason == base::Reason::conv_closed || terminal.is_asking()) return false;
  }
  const std::string text = failure_text(verdict.outcome, verdict.reason, request->attempt);
  verdict.attempt = request->attempt;
  verdict.user = request->user;
  verdict.text = text;
  return terminal.finish(verdict, base::Deadline::after(limits::confirm_wait)).has_value();
}

}  // namespace broker
