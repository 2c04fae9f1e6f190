// SPDX-License-Identifier: Apache-2.0
#include "http/trust.h"

#include <sys/stat.h>

#include "support/certificates.h"
#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

namespace {

struct Place : test::TempDir {
  Place() : TempDir(above()) {}
  static std::filesystem::path above() {
    const auto place = TempDir::trusted_place();
    if (place.empty()) throw test::Skipped{"every directory here can be written by others"};
    return place;
  }
};

const test::Identity& authority() {
  static const test::Identity one =
      test::make_identity({.name = "Test root", .authority = true, .serial = 1});
  return one;
}
base::Result<http::TrustStore> load(const std::string& ca, const std::string& crl = "") {
  return http::load_trust_store({.ca_file = ca, .crl_file = crl, .owner = ::geteuid()});
}

}  // namespace

TEST(takes_the_certificates_of_a_pem_file) {
  const Place place;
  EXPECT_OK(load(place.write("ca.pem", "# a comment\n" + test::pem(authority()))));
  EXPECT_OK(load(place.write("two.pem", test::pem(authority()) + test::pem(authority()))));
}

TEST(never_goes_on_without_the_configured_certificates) {
  const Place place;
  const std::string pem = test::pem(authority());
  EXPECT_REASON(load(place / "absent.pem"), cfg_ca);
  EXPECT_REASON(load(place.write("empty.pem", "")), cfg_ca);
  EXPECT_REASON(load(place.write("text.pem", "not a certificate\n")), cfg_ca);
  EXPECT_REASON(load(place.write("cut.pem", pem.substr(0, pem.size() / 2))), cfg_ca);
  EXPECT_REASON(load(place.write("half.pem", pem + pem.substr(0, pem.size() / 2))), cfg_ca);
  EXPECT_REASON(load(place.write("bad.pem", pem + "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                                  "-----END CERTIFICATE-----\n")),
                cfg_ca);
  EXPECT_REASON(load(place.make_directory("dir")), cfg_ca);
  EXPECT_REASON(load(place.write("open.pem", pem, 0666)), cfg_ca);
  EXPECT_EQ(::mkfifo((place / "fifo").c_str(), 0600), 0);
  EXPECT_REASON(load(place / "fifo"), cfg_ca);
  EXPECT_REASON(load("relative.pem"), cfg_ca);
}

TEST(never_goes_on_without_the_configured_revocations) {
  const Place place;
  const std::string ca = place.write("ca.pem", test::pem(authority()));
  EXPECT_OK(load(ca, place.write("crl.pem", test::revocation_list(authority(), 0))));
  EXPECT_REASON(load(ca, place / "absent.pem"), cfg_ca);
  EXPECT_REASON(load(ca, place.write("empty.pem", "")), cfg_ca);
  EXPECT_REASON(load(ca, ca), cfg_ca);
}

TEST(finds_the_systems_bundle_when_none_is_configured) {
  const auto store = http::load_trust_store({});
  if (!store && store.error().detail.find("no CA bundle") != std::string::npos)
    throw test::Skipped{"this system has no CA bundle"};
  EXPECT_OK(store);
}
