// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "config/checks.h"
#include "config/load.h"
#include "config/parse_sections.h"
#include "config/section.h"

namespace config {
namespace {

using std::chrono::seconds;

std::vector<std::string> lowered(std::vector<std::string> texts) {
  for (std::string& text : texts) text = base::to_lower_ascii(text);
  return texts;
}

VerificationHosts verification_hosts(SectionReader& section) {
  VerificationHosts result;
  result.hosts = lowered(section.list("verification_hosts", host_or_any));
  result.any = is_listed(result.hosts, "*");
  if (result.any && result.hosts.size() > 1)
    section.refuse("verification_hosts", "lists hosts beside \"*\", which means any");
  if (result.any) result.hosts.clear();
  return result;
}

// Each method needs its own proof, and another one's would only look as if it were used.
void check_client_authentication(SectionReader& section, const Provider& provider) {
  using enum ClientAuthentication;
  const ClientAuthentication method = provider.client_authentication;
  const bool has_secret = method == client_secret_basic || method == client_secret_post;
  const bool has_key = method == private_key_jwt || method == tls_client_auth;
  if (has_secret && provider.client_secret_file.empty())
    section.refuse("client_secret_file",
                   "is missing; a public client says client_authentication = \"none\"");
  if (!has_secret && !provider.client_secret_file.empty())
    section.refuse("client_secret_file",
                   method == none ? "contradicts client_authentication = \"none\""
                                  : "has no effect: client_authentication uses client_key_file");
  if (has_key && provider.client_key_file.empty())
    section.refuse("client_key_file", "is missing; this client_authentication needs it");
  if (!has_key && !provider.client_key_file.empty())
    section.refuse("client_key_file",
                   "has no effect unless client_authentication is \"private_key_jwt\" or "
                   "\"tls_client_auth\"");
  if (method == tls_client_auth && provider.client_certificate_file.empty())
    section.refuse("client_certificate_file", "is missing; \"tls_client_auth\" needs it");
  if (method != tls_client_auth && !provider.client_certificate_file.empty())
    section.refuse("client_certificate_file",
                   "has no effect unless client_authentication is \"tls_client_auth\"");
  if (method != private_key_jwt)
    for (const char* key :
         {"client_key_id", "client_assertion_algorithm", "client_assertion_audience"})
      if (section.is_set(key))
        section.refuse(key, "has no effect unless client_authentication is \"private_key_jwt\"");
}

// A provider whose tokens programs bring need not know this host.
void check_for_programs_only(SectionReader& section) {
  for (const char* key :
       {"client_authentication", "client_secret_file", "client_key_file", "client_certificate_file",
        "client_key_id", "client_assertion_algorithm", "client_assertion_audience", "scopes",
        "identity_source", "id_token_required", "access_token_audience", "access_token_types",
        "domain_claim", "verification_hosts", "device_authorization_endpoint", "acr_values",
        "max_age", "shared_grant"})
    if (section.is_set(key)) section.refuse(key, "has no effect without client_id");
}

// Settings for people that contradict each other.
void check_for_people(SectionReader& section, const Provider& provider) {
  check_client_authentication(section, provider);
  const bool uses_access_token = provider.identity_source == IdentitySource::access_token;
  if (!uses_access_token && !is_listed(provider.scopes, "openid"))
    section.refuse("scopes", "must contain \"openid\" for an ID token or userinfo");
  if (provider.scopes.empty()) section.refuse("scopes", "must not be empty");
  if (provider.identity_source == IdentitySource::id_token && !provider.id_token_required)
    section.refuse("id_token_required", "cannot be false where identity_source is \"id_token\"");
  if (uses_access_token && provider.access_token_audience.empty())
    section.refuse("access_token_audience",
                   "is missing; identity_source = \"access_token\" needs it");
  if (!uses_access_token && !provider.access_token_audience.empty())
    section.refuse("access_token_audience",
                   "has no effect unless identity_source is \"access_token\"");
  // Otherwise an ID token, whose audience is the client, could pass for an access token.
  if (uses_access_token && provider.access_token_audience == provider.client_id)
    section.refuse("access_token_audience", "must differ from client_id");
  if (!uses_access_token && section.is_set("access_token_types"))
    section.refuse("access_token_types",
                   "has no effect unless identity_source is \"access_token\"");
  if (provider.access_token_types.empty())
    section.refuse("access_token_types", "must not be empty");
  if (uses_access_token && provider.profile == "google")
    section.refuse("identity_source", "cannot be \"access_token\": Google's are opaque");
}

void check_provider(SectionReader& section, const Provider& provider) {
  if (section.is_set("client_id"))
    check_for_people(section, provider);
  else
    check_for_programs_only(section);
  if (provider.algorithms.empty()) section.refuse("algorithms", "must not be empty");
  if (provider.profile == "entra")
    for (const char* tenants : {"/common", "/organizations", "/consumers"})
      if ((provider.issuer + '/').find(std::string(tenants) + '/') != std::string::npos)
        section.refuse("issuer", "must name one tenant: people of any tenant could sign in there");
}

void check_machines(SectionReader& section, const Machines& machines, const Provider& provider) {
  // An ID token's audience is the client: it could pass for an access token (RFC 9068 §5).
  if (!machines.audience.empty() && machines.audience == provider.client_id)
    section.refuse("audience", "must differ from client_id");
  if (machines.types.empty()) section.refuse("types", "must not be empty");
  const bool introspects = machines.validation == TokenValidation::introspection;
  const bool decrypts = machines.introspection_response == IntrospectionResponse::encrypted_jwt;
  if (!introspects)
    for (const char* key : {"issuer_required", "introspection_endpoint", "access_token_manager_id",
                            "introspection_response", "introspection_cache", "decryption_key_file"})
      if (section.is_set(key))
        section.refuse(key, "has no effect unless validation is \"introspection\"");
  if (introspects)
    for (const char* key : {"types", "jwks_uri"})
      if (section.is_set(key)) section.refuse(key, "has no effect unless validation is \"jwt\"");
  if (introspects && decrypts && machines.decryption_key_file.empty())
    section.refuse("decryption_key_file",
                   "is missing; introspection_response = \"encrypted\" needs it");
  if (introspects && !decrypts && !machines.decryption_key_file.empty())
    section.refuse("decryption_key_file",
                   "has no effect unless introspection_response is \"encrypted\"");
  // Anybody could ask about tokens then (RFC 7662 §4), and a signed answer is for nobody.
  if (introspects && provider.client_authentication == ClientAuthentication::none)
    section.refuse("validation", provider.serves_people()
                                     ? "cannot be \"introspection\": a public client may not ask"
                                     : "cannot be \"introspection\" without client_id");
}

std::optional<Machines> read_machines(const Value& parent, const Provider& provider,
                                      Problems& problems) {
  const Value* table = parent.member("machines");
  if (table == nullptr) return std::nullopt;
  const std::string title = "[provider." + provider.name + ".machines]";
  if (table->kind != Value::Kind::table) {
    problems.add(table->line, "machines must be a section, " + title);
    return std::nullopt;
  }
  SectionReader section(*table, Section::machines, title, problems);
  section.use_profile(provider.profile);
  Machines machines;
  machines.audience = section.text("audience", visible_text);
  constexpr SectionReader::Choice<TokenValidation> validations[] = {
      {"jwt", TokenValidation::jwt}, {"introspection", TokenValidation::introspection}};
  machines.validation = section.choice("validation", validations);
  // Not always an https URL: that of ADFS is http, and it is only ever compared (Q31).
  machines.issuer = section.text("issuer", visible_text);
  if (machines.issuer.empty()) machines.issuer = provider.issuer;
  machines.types = lowered(section.list("types", visible_word_or_empty));
  machines.client_claim = section.text("client_claim", claim_name);
  machines.scope_claim = section.text("scope_claim", claim_name);
  machines.required_scopes = section.list("required_scopes", scope_token);
  machines.issuer_required = section.flag("issuer_required");
  machines.subject_required = section.flag("subject_required");
  machines.issued_at_required = section.flag("issued_at_required");
  machines.machine_claim = section.text("machine_claim", claim_and_value);
  machines.max_lifetime =
      section.duration("max_lifetime", seconds{60}, seconds{365 * 86400}).value_or(seconds{60});
  machines.single_use = section.flag("single_use");
  machines.jwks_uri = section.text("jwks_uri", https_url);
  machines.introspection_endpoint = section.text("introspection_endpoint", https_url);
  machines.access_token_manager_id = section.text("access_token_manager_id", visible_word);
  constexpr SectionReader::Choice<IntrospectionResponse> responses[] = {
      {"json", IntrospectionResponse::json},
      {"signed", IntrospectionResponse::signed_jwt},
      {"encrypted", IntrospectionResponse::encrypted_jwt}};
  machines.introspection_response = section.choice("introspection_response", responses);
  machines.introspection_cache =
      section.duration("introspection_cache", seconds{0}, seconds{600}).value_or(seconds{0});
  machines.decryption_key_file = section.text("decryption_key_file", absolute_path);
  check_machines(section, machines, provider);
  return machines;
}

Provider read_provider(const Value& table, Problems& problems) {
  SectionReader section(table, Section::provider, "[provider." + table.name + "]", problems);
  Provider provider;
  provider.name = table.name;
  std::vector<std::string> known;
  for (const char* profile : profiles()) known.emplace_back(profile);
  provider.profile = known[section.choose("profile", known)];
  section.use_profile(provider.profile);

  provider.issuer = section.text("issuer", issuer_url);
  provider.client_id = section.text("client_id", visible_text);
  constexpr SectionReader::Choice<ClientAuthentication> methods[] = {
      {"client_secret_basic", ClientAuthentication::client_secret_basic},
      {"client_secret_post", ClientAuthentication::client_secret_post},
      {"private_key_jwt", ClientAuthentication::private_key_jwt},
      {"tls_client_auth", ClientAuthentication::tls_client_auth},
      {"none", ClientAuthentication::none}};
  provider.client_authentication = section.choice("client_authentication", methods);
  if (!section.is_set("client_id")) provider.client_authentication = ClientAuthentication::none;
  provider.client_secret_file = section.text("client_secret_file", absolute_path);
  provider.client_key_file = section.text("client_key_file", absolute_path);
  provider.client_certificate_file = section.text("client_certificate_file", absolute_path);
  provider.client_key_id = section.text("client_key_id", visible_text);
  provider.client_assertion_algorithm =
      section.text("client_assertion_algorithm", assertion_algorithm);
  provider.client_assertion_audience =
      section.text("client_assertion_audience", assertion_audience);
  provider.scopes = section.list("scopes", scope_token);
  constexpr SectionReader::Choice<IdentitySource> sources[] = {
      {"id_token", IdentitySource::id_token},
      {"userinfo", IdentitySource::userinfo},
      {"access_token", IdentitySource::access_token}};
  provider.identity_source = section.choice("identity_source", sources);
  // The presets speak of a login whose claims come from elsewhere.
  provider.id_token_required =
      section.flag("id_token_required") || (provider.identity_source == IdentitySource::id_token &&
                                            !section.is_set("id_token_required"));
  provider.access_token_audience = section.text("access_token_audience", visible_text);
  provider.access_token_types = lowered(section.list("access_token_types", visible_word_or_empty));
  provider.algorithms = section.list("algorithms", signature_algorithm);
  provider.domain_claim = section.text("domain_claim", claim_name);
  provider.ca_file = section.text("ca_file", absolute_path);
  provider.crl_file = section.text("crl_file", absolute_path);
  provider.proxy = section.text("proxy", proxy_url);
  provider.endpoint_hosts = lowered(section.list("endpoint_hosts", host_name));
  provider.verification_hosts = verification_hosts(section);
  provider.device_authorization_endpoint = section.text("device_authorization_endpoint", https_url);
  provider.jwks_uri = section.text("jwks_uri", https_url);
  provider.acr_values = section.list("acr_values", visible_word);
  provider.max_age = section.duration("max_age", seconds{10}, seconds{30 * 86400});
  provider.clock_skew =
      section.duration("clock_skew", seconds{0}, seconds{300}).value_or(seconds{0});
  provider.shared_grant = section.flag("shared_grant");
  check_provider(section, provider);
  provider.machines = read_machines(table, provider, problems);
  if (!section.is_set("client_id") && !provider.machines)
    problems.add(table.line, "missing key \"client_id\" in [provider." + provider.name + "]");
  return provider;
}

void read_prompt(const Value& root, Config& config, Problems& problems) {
  SectionReader reader(section(root, "prompt", problems), Section::prompt, "[prompt]", problems);
  constexpr SectionReader::Choice<QrStyle> styles[] = {
      {"utf8", QrStyle::half_blocks}, {"ascii", QrStyle::ascii}, {"off", QrStyle::off}};
  config.prompt.qr = reader.choice("qr", styles);
  config.prompt.plain = reader.flag("plain");
  config.prompt.link_with_code = reader.flag("link_with_code");
  if (config.prompt.plain && reader.is_set("qr") && config.prompt.qr != QrStyle::off)
    reader.refuse("qr", "contradicts plain = true, which draws nothing");
  if (config.prompt.plain) config.prompt.qr = QrStyle::off;
}

}  // namespace

Report parse(std::string_view text, const std::string& file) {
  Problems problems(file);
  Value root;
  Problem syntax;
  if (!parse_toml(text, root, syntax)) {
    problems.add(syntax.line, syntax.message);
    return {std::nullopt, problems.in_order()};
  }

  Config config;
  SectionReader top(root, Section::top, "", problems);
  config.login_timeout =
      top.duration("login_timeout", seconds{20}, seconds{600}).value_or(seconds{20});
  for (const Value* table :
       named_sections(root, "provider", "[provider.NAME]", provider_name, problems))
    config.providers.emplace(table->name, read_provider(*table, problems));
  if (config.providers.empty() && problems.none())
    problems.add(0, "no [provider.NAME] section: nobody could be asked");
  config.default_provider = top.text("default_provider", provider_name);
  if (!config.default_provider.empty() && !config.providers.contains(config.default_provider))
    top.refuse("default_provider",
               "names " + quoted(config.default_provider) + ", but there is no such [provider]" +
                   suggestion(config.default_provider, names_of(config.providers)));

  SectionReader local(section(root, "local", problems), Section::local, "[local]", problems);
  config.local_users = local.list("users", local_name);
  read_identity(root, config, problems);
  read_access(root, config, problems);
  read_accounts(root, config, problems);
  check_services(root, config, problems);
  read_grants(root, config, problems);
  read_sessions(root, config, problems);
  read_prompt(root, config, problems);

  Report report;
  report.problems = problems.in_order();
  if (problems.none()) report.config = std::move(config);
  return report;
}

}  // namespace config
