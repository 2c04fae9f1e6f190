// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "config/load.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

namespace {

constexpr const char* small =
    "[provider.corp]\nissuer = \"https://sso.corp.example\"\nclient_id = \"c\"\n"
    "client_authentication = \"none\"\n[identity]\nusername_claim = \"sub\"\n"
    "[access.sshd]\nallow_users = [\"alice\"]\n";

std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

config::SecretReaders us() { return {::geteuid(), ::getegid()}; }

config::Provider client(const std::string& secret_file) {
  config::Provider provider;
  provider.name = "corp";
  provider.client_secret_file = secret_file;
  return provider;
}

TEST(loads_a_file_that_only_its_owner_can_write) {
  const test::TempDir directory(place());
  const auto loaded = config::load(directory.write("c.toml", small, 0640), ::geteuid());
  EXPECT_OK(loaded);
  EXPECT_EQ(loaded->providers.size(), 1);
}

TEST(refuses_a_file_that_others_could_have_written) {
  const test::TempDir directory(place());
  for (const mode_t mode : {0660U, 0646U, 0666U}) {
    const std::string path = directory.write("c.toml", small, mode);
    const auto loaded = config::load(path, ::geteuid());
    EXPECT_REASON(loaded, cfg_perm);
    EXPECT(loaded.error().detail.find(path) != std::string::npos);
    EXPECT(loaded.error().outcome == base::Outcome::unavailable);
  }
  const std::string open_place = directory.make_directory("open", 0777);
  const test::TempDir inside{std::filesystem::path(open_place)};
  EXPECT_REASON(config::load(inside.write("c.toml", small), ::geteuid()), cfg_perm);
}

TEST(refuses_what_is_no_regular_file_without_blocking) {
  const test::TempDir directory(place());
  EXPECT_REASON(config::load(directory / "absent.toml", ::geteuid()), cfg_missing);
  EXPECT_REASON(config::load(directory.make_directory("d"), ::geteuid()), cfg_perm);
  const std::string target = directory.write("c.toml", small);
  const std::string link = directory / "link.toml";
  EXPECT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  EXPECT_REASON(config::load(link, ::geteuid()), cfg_perm);
  const std::string fifo = directory / "fifo";
  EXPECT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_REASON(config::load(fifo, ::geteuid()), cfg_perm);
}

TEST(refuses_an_empty_a_binary_and_an_oversized_file) {
  const test::TempDir directory(place());
  EXPECT_REASON(config::load(directory.write("a", ""), ::geteuid()), cfg_syntax);
  EXPECT_REASON(config::load(directory.write("b", std::string(4096, '\xfe')), ::geteuid()),
                cfg_syntax);
  EXPECT_REASON(config::load(directory.write("n", std::string(small) + '\0'), ::geteuid()),
                cfg_syntax);
  const std::string big = std::string(small) + "#" + std::string(1024 * 1024, 'x') + "\n";
  EXPECT_REASON(config::load(directory.write("c", big), ::geteuid()), cfg_perm);
}

TEST(tells_the_first_problem_by_file_and_line) {
  const test::TempDir directory(place());
  const std::string path = directory.write("c.toml", std::string(small) + "b = 1\na = 1\n");
  const auto loaded = config::load(path, ::geteuid());
  EXPECT_REASON(loaded, cfg_syntax);
  EXPECT_EQ(loaded.error().detail, path + ":9: unknown key \"b\" in [access.sshd]");
  EXPECT_EQ(config::read(path, ::geteuid()).problems.size(), 2);
}

TEST(reads_a_secret_without_its_final_line_feed) {
  const test::TempDir directory(place());
  for (const char* content : {"s3cr3t%+:", "s3cr3t%+:\n"}) {
    config::Provider provider = client(directory.write("secret", content, 0640));
    EXPECT_OK(config::load_secret(provider, us()));
    EXPECT_EQ(provider.client_secret->reveal(), "s3cr3t%+:");
  }
}

TEST(refuses_a_secret_that_others_can_read) {
  const test::TempDir directory(place());
  for (const mode_t mode : {0644U, 0604U, 0601U, 0660U}) {
    config::Provider provider = client(directory.write("secret", "s3cr3t\n", mode));
    EXPECT_REASON(config::load_secret(provider, us()), cfg_secret_perm);
    EXPECT(!provider.client_secret);
  }
  // Its group may read it only when that is the broker's.
  config::Provider provider = client(directory.write("secret", "s3cr3t\n", 0640));
  EXPECT_REASON(config::load_secret(provider, {::geteuid(), ::getegid() + 1}), cfg_secret_perm);
}

TEST(refuses_a_secret_that_is_missing_or_cannot_be_one) {
  const test::TempDir directory(place());
  config::Provider missing = client(directory / "absent");
  EXPECT_REASON(config::load_secret(missing, us()), cfg_secret_perm);
  config::Provider big = client(directory.write("big", std::string(4097, 'x'), 0600));
  EXPECT_REASON(config::load_secret(big, us()), cfg_secret_perm);
  for (const char* content : {"", "\n", "a\n\n", "a\r\n", "a\tb", "s\xc3\xa9"}) {
    config::Provider provider = client(directory.write("secret", content, 0600));
    const auto loaded = config::load_secret(provider, us());
    EXPECT_REASON(loaded, cfg_syntax);
    EXPECT(!provider.client_secret);
    EXPECT(loaded.error().detail.find("a\tb") == std::string::npos);
  }
}

TEST(a_public_client_needs_no_secret) {
  config::Provider provider = client("");
  provider.client_authentication = config::ClientAuthentication::none;
  EXPECT_OK(config::load_secret(provider, us()));
  EXPECT(!provider.client_secret);
}

// Two providers, of which sudo names one.
config::Config two_providers() {
  config::Config config;
  for (const char* name : {"a", "b"}) config.providers[name].name = name;
  config.access["sshd"].service = "sshd";
  config.access["sudo"].service = "sudo";
  config.access["sudo"].provider = "b";
  return config;
}

std::string chosen(const config::Config& config, const char* service, const char* option) {
  const auto provider = config::provider_for(config, service, option);
  EXPECT_OK(provider);
  return (*provider)->name;
}

TEST(the_only_provider_serves_every_service) {
  config::Config config;
  config.providers["corp"].name = "corp";
  EXPECT_EQ(chosen(config, "sshd", ""), "corp");
  EXPECT_EQ(chosen(config, "sshd", "corp"), "corp");
}

TEST(a_section_chooses_before_the_default_and_the_option_where_the_section_is_silent) {
  config::Config config = two_providers();
  EXPECT_EQ(chosen(config, "sudo", ""), "b");
  EXPECT_EQ(chosen(config, "sudo-i", ""), "b");
  EXPECT_EQ(chosen(config, "sshd", "a"), "a");
  config.default_provider = "a";
  EXPECT_EQ(chosen(config, "sudo", ""), "b");
  EXPECT_EQ(chosen(config, "sshd", ""), "a");
  EXPECT_EQ(chosen(config, "sshd", "b"), "b");
}

TEST(refuses_to_guess_among_several_providers) {
  const config::Config config = two_providers();
  EXPECT_REASON(config::provider_for(config, "sshd", ""), cfg_syntax);
  EXPECT_REASON(config::provider_for(config, "sshd", "c"), cfg_arg);
  EXPECT_REASON(config::provider_for(config, "sudo", "a"), cfg_arg);
}

TEST(sudo_i_is_ruled_by_sudo_unless_it_has_a_section) {
  config::Config config = two_providers();
  EXPECT_EQ(config::access_for(config, "sudo-i")->service, "sudo");
  config.access["sudo-i"].service = "sudo-i";
  EXPECT_EQ(config::access_for(config, "sudo-i")->service, "sudo-i");
  EXPECT(config::access_for(config, "sudo-x") == nullptr);
  EXPECT(config::access_for(config, "") == nullptr);
}

}  // namespace
