// SPDX-License-Identifier: Apache-2.0
#include "cli/token.h"

#include <unistd.h>

#include <ostream>
#include <utility>

#include "cli/fetching.h"
#include "cli/report.h"
#include "cli/token_view.h"
#include "config/load.h"
#include "confine/privileges.h"
#include "http/trust.h"
#include "oauth/replay.h"

namespace cli {
namespace {

// What belongs to one provider, read with the rights that the command was started with.
base::Result<http::FetchSetup> read_setup(config::Provider& provider, bool introspect) {
  http::FetchSetup setup;
  ASSIGN_OR_RETURN(setup.trust, http::read_trust({provider.ca_file, provider.crl_file}));
  setup.proxy = provider.proxy;
  if (!introspect) return setup;
  RETURN_IF_ERROR(config::load_secret(provider, config::broker_account()));
  if (provider.client_authentication == config::ClientAuthentication::tls_client_auth &&
      provider.client_key) {
    setup.certificates = provider.client_certificate;
    setup.key = base::Secret::copy_of(provider.client_key->reveal());
  }
  return setup;
}

base::Result<int> verify(const std::string& file, const VerifyOptions& options, std::ostream& out) {
  ASSIGN_OR_RETURN(const base::Secret token, read_token(file));
  ASSIGN_OR_RETURN(config::Config config, config::load(options.config));
  http::FetchSetup setup;
  // Without one the report says so itself.
  const auto provider = config::provider_for(config, options.service, options.provider);
  if (provider && (*provider)->machines) {
    const bool asks = options.introspect &&
                      (*provider)->machines->validation == config::TokenValidation::introspection;
    ASSIGN_OR_RETURN(setup, read_setup(config.providers.at((*provider)->name), asks));
  }
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSIGN_OR_RETURN(const confine::SystemUser user, confine::find_system_user());
    RETURN_IF_ERROR(confine::become(user));
    // As the first login does: that it is not there yet refuses no token.
    if (provider && (*provider)->machines && (*provider)->machines->single_use)
      oauth::make_replay_store(OIDC_USED_TOKENS_DIRECTORY);
  }
  FetchingClient client(std::move(setup));
  // The cache and the list of used tokens belong to the broker's user.
  const oidc::Cache cache(is_root ? OIDC_CACHE_DIRECTORY : "");
  return verify_token(
      token, {config, client, cache, is_root ? OIDC_USED_TOKENS_DIRECTORY : "", base::wall_now()},
      options, out);
}

}  // namespace

int token_inspect(const std::string& file, std::ostream& out, std::ostream& problems) {
  const auto token = read_token(file);
  if (!token) return complain(token.error(), problems);
  return inspect_token(*token, base::wall_now(), out, problems);
}

int token_verify(const std::string& file, const VerifyOptions& options, std::ostream& out,
                 std::ostream& problems) {
  const auto status = verify(file, options, out);
  return status ? *status : complain(status.error(), problems);
}

}  // namespace cli
