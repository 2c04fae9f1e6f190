// SPDX-License-Identifier: Apache-2.0
#include "cli/keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "support/cmocka_cc.h"
#include "support/encryption.h"
#include "support/temp_dir.h"
#include "support/vectors.h"

using jose::KeyManagement;

namespace {

std::filesystem::path place() {
  const std::filesystem::path trusted = test::TempDir::trusted_place();
  if (trusted.empty()) throw test::Skipped{"no directory that others cannot write above"};
  return trusted;
}

struct Host {
  test::TempDir directory{place()};
  cli::KeysOptions options{directory / "keys.json", std::nullopt, {::geteuid(), ::getegid()}};
  std::ostringstream out, problems;

  using Verb = int (*)(const cli::KeysOptions&, std::ostream&, std::ostream&);
  int run(Verb verb) {
    out.str("");
    problems.str("");
    return verb(options, out, problems);
  }
  std::string content() const { return test::read_file(options.file); }
  jose::DecryptionKeys keys() const {
    auto keys = jose::DecryptionKeys::parse(base::Secret::copy_of(content()));
    EXPECT_OK(keys);
    return *std::move(keys);
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> found;
    const jose::DecryptionKeys all = keys();
    for (const auto& key : all.all()) found.push_back(key.key_id.value_or(""));
    return found;
  }
};

}  // namespace

TEST(makes_a_private_file_with_a_key_that_opens_what_its_public_half_closes) {
  for (const auto algorithm : {KeyManagement::ecdh_es, KeyManagement::rsa_oaep}) {
    Host host;
    host.options.algorithm = algorithm;
    EXPECT_EQ(host.run(cli::keys_generate), 0);
    struct stat facts {};
    EXPECT_EQ(::stat(host.options.file.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0640u);
    EXPECT_EQ(facts.st_nlink, 1u);
    const auto keys = host.keys();
    EXPECT_EQ(keys.all().size(), 1u);
    EXPECT_EQ(keys.all()[0].key_id->size(), 43u);  // SHA-256, base64url
    EXPECT(keys.all()[0].fits(algorithm));

    EXPECT_EQ(host.run(cli::keys_public), 0);
    const json::Json set(json_loads(host.out.str().c_str(), 0, nullptr));
    const json_t* half = json_array_get(json_object_get(set.get(), "keys"), 0);
    EXPECT_EQ(std::string(json_string_value(json_object_get(half, "use"))), "enc");
    EXPECT_EQ(std::string(json_string_value(json_object_get(half, "kid"))), *keys.all()[0].key_id);
    for (const char* member : {"d", "p", "q", "dp", "dq", "qi"})
      EXPECT(json_object_get(half, member) == nullptr);
    const auto token = test::EncryptionKey::of(half).encrypt(
        std::string(R"({"enc":"A256GCM","cty":"JWT","alg":")") + jose::name(algorithm) + "\"}",
        "a.b.c");
    EXPECT_OK(jose::decrypt_compact(token, keys, {}));
  }
}

TEST(without_the_brokers_account_the_file_is_for_its_owner_alone) {
  Host host;
  host.options.readers.group = static_cast<gid_t>(-1);
  EXPECT_EQ(host.run(cli::keys_generate), 0);
  struct stat facts {};
  EXPECT_EQ(::stat(host.options.file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  EXPECT_EQ(host.run(cli::keys_public), 0);
}

TEST(never_overwrites) {
  Host host;
  EXPECT_EQ(host.run(cli::keys_generate), 0);
  const std::string before = host.content();
  EXPECT_EQ(host.run(cli::keys_generate), 1);
  EXPECT(host.problems.str().find("exists; rotate") != std::string::npos);
  EXPECT_EQ(host.content(), before);
  EXPECT(!std::filesystem::exists(host.options.file + ".new"));
}

TEST(a_rotation_puts_the_new_key_first_and_keeps_three) {
  Host host;
  EXPECT_EQ(host.run(cli::keys_generate), 0);
  std::vector<std::string> made = host.ids();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(host.run(cli::keys_rotate), 0);
    made.insert(made.begin(), host.ids().at(0));
  }
  EXPECT(host.ids() == (std::vector<std::string>{made[0], made[1], made[2]}));
  EXPECT(host.out.str().find("dropped key " + made[3]) != std::string::npos);
  EXPECT(host.out.str().find("kept key " + made[2]) != std::string::npos);
  struct stat facts {};
  EXPECT_EQ(::stat(host.options.file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0640u);
  host.options.algorithm = KeyManagement::rsa_oaep;
  EXPECT_EQ(host.run(cli::keys_rotate), 0);
  EXPECT(host.keys().all()[0].fits(KeyManagement::rsa_oaep));
}

TEST(an_interrupted_rotation_stands_in_the_way_of_the_next_and_is_named) {
  Host host;
  EXPECT_EQ(host.run(cli::keys_generate), 0);
  const std::string before = host.content();
  { std::ofstream(host.options.file + ".new") << "half"; }
  EXPECT_EQ(host.run(cli::keys_rotate), 1);
  EXPECT(host.problems.str().find(".new exists") != std::string::npos);
  EXPECT(std::filesystem::exists(host.options.file + ".new"));
  EXPECT_EQ(host.content(), before);
}

TEST(what_a_login_would_not_use_is_neither_published_nor_rotated) {
  Host host;
  EXPECT_EQ(host.run(cli::keys_public), 1);
  EXPECT_EQ(host.run(cli::keys_rotate), 1);
  { std::ofstream(host.options.file) << "{\"keys\":[]}"; }
  ::chmod(host.options.file.c_str(), 0640);
  EXPECT_EQ(host.run(cli::keys_public), 1);
  EXPECT(host.problems.str().find("no JWK Set") != std::string::npos);
  ::unlink(host.options.file.c_str());
  EXPECT_EQ(host.run(cli::keys_generate), 0);
  ::chmod(host.options.file.c_str(), 0644);
  EXPECT_EQ(host.run(cli::keys_public), 1);
  EXPECT_EQ(host.run(cli::keys_rotate), 1);
}
