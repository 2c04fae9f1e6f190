// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "support/cmocka_cc.h"
#include "support/temp_dir.h"

namespace {

// A directory that a trusted file may lie in; without one these tests cannot say anything.
struct Place : test::TempDir {
  Place() : TempDir(above()) {}
  static std::filesystem::path above() {
    const auto place = TempDir::trusted_place();
    if (place.empty()) throw test::Skipped{"every directory here can be written by others"};
    return place;
  }
};

base::FileRule rule() { return {.max_bytes = 16, .owner = ::geteuid()}; }
base::FileRule secret_rule() {
  base::FileRule secret = rule();
  secret.secret = true;
  return secret;
}
base::Result<std::string> read(const std::string& path, const base::FileRule& by = rule()) {
  return base::read_trusted_file(path, by, base::Reason::cfg_missing, base::Reason::cfg_perm);
}
void need_root() {
  if (::geteuid() != 0) throw test::Skipped{"changing owners needs root"};
}
bool detail_has(const base::Result<std::string>& result, std::string_view part) {
  return result.error().detail.find(part) != std::string::npos;
}

}  // namespace

TEST(reads_a_trusted_file_whole) {
  const Place place;
  const auto content = read(place.write("conf", std::string_view("a\0b\n", 4)));
  EXPECT_OK(content);
  EXPECT_EQ(*content, std::string("a\0b\n", 4));
  EXPECT_EQ(*read(place.write("empty", "")), "");
  EXPECT_EQ(*read(place.write("full", "0123456789abcdef")), "0123456789abcdef");
  EXPECT_EQ(*read(place.path() + "/.//conf"), std::string("a\0b\n", 4));
}

TEST(a_missing_file_or_directory_has_its_own_reason) {
  const Place place;
  EXPECT_REASON(read(place / "none"), cfg_missing);
  EXPECT_REASON(read(place / "none/conf"), cfg_missing);
}

TEST(refuses_a_file_over_the_limit) {
  const Place place;
  EXPECT_REASON(read(place.write("conf", "0123456789abcdefg")), cfg_perm);
}

TEST(refuses_a_path_that_is_not_absolute_or_climbs) {
  const Place place;
  place.write("conf", "x");
  for (const char* path : {"", "conf", "./conf", "/", "/..", "/etc/"})
    EXPECT_REASON(read(path), cfg_perm);
  EXPECT_REASON(read(place / "../conf"), cfg_perm);
  EXPECT_REASON(read(place / std::string_view("conf\0x", 6)), cfg_perm);
}

TEST(refuses_a_file_that_group_or_others_can_write_and_names_it) {
  const Place place;
  for (const mode_t mode : {0664U, 0646U, 0620U, 0602U, 0666U, 0777U}) {
    const auto result = read(place.write("conf", "x", mode));
    EXPECT_REASON(result, cfg_perm);
    EXPECT(detail_has(result, place / "conf"));
  }
}

TEST(refuses_a_directory_above_that_others_can_write_and_names_it) {
  const Place place;
  for (const mode_t mode : {0777U, 01777U, 0775U, 0757U}) {
    const std::string above = place.make_directory("above", mode);
    place.make_directory("above/dir");
    const auto result = read(place.write("above/dir/conf", "x"));
    EXPECT_REASON(result, cfg_perm);
    EXPECT(detail_has(result, "directory " + above + " "));
    std::filesystem::remove_all(above);
  }
}

TEST(follows_no_link_in_any_part_of_the_path) {
  const Place place;
  place.make_directory("dir");
  place.write("dir/conf", "x");
  EXPECT_EQ(::symlink("conf", (place / "dir/link").c_str()), 0);
  EXPECT_EQ(::symlink("dir", (place / "linked").c_str()), 0);
  EXPECT_EQ(::symlink("nowhere", (place / "dangling").c_str()), 0);
  EXPECT_REASON(read(place / "dir/link"), cfg_perm);
  EXPECT_REASON(read(place / "linked/conf"), cfg_perm);
  EXPECT_REASON(read(place / "dangling"), cfg_perm);
}

TEST(never_blocks_on_a_fifo) {
  const Place place;
  EXPECT_EQ(::mkfifo((place / "fifo").c_str(), 0600), 0);
  EXPECT_REASON(read(place / "fifo"), cfg_perm);
}

TEST(refuses_directories_sockets_and_devices) {
  const Place place;
  place.make_directory("dir");
  EXPECT_REASON(read(place / "dir"), cfg_perm);
  EXPECT_REASON(read("/dev/null"), cfg_perm);

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = place / "socket";
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const base::UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_REASON(read(path), cfg_perm);
}

TEST(refuses_a_file_below_a_file) {
  const Place place;
  EXPECT_REASON(read(place.write("conf", "x") + "/conf"), cfg_perm);
}

TEST(refuses_a_foreign_owner_also_behind_a_hard_link) {
  need_root();
  const Place place;
  const std::string path = place.write("foreign", "x");
  EXPECT_EQ(::chown(path.c_str(), 65534, 65534), 0);
  EXPECT_EQ(::link(path.c_str(), (place / "link").c_str()), 0);
  EXPECT_REASON(read(path), cfg_perm);
  EXPECT_REASON(read(place / "link"), cfg_perm);
}

TEST(refuses_a_directory_of_a_foreign_owner) {
  need_root();
  const Place place;
  const std::string dir = place.make_directory("dir");
  const std::string path = place.write("dir/conf", "x");
  EXPECT_EQ(::chown(dir.c_str(), 65534, 65534), 0);
  EXPECT_REASON(read(path), cfg_perm);
}

TEST(accepts_the_named_owner_and_root) {
  need_root();
  const Place place;
  const std::string path = place.write("conf", "x");
  base::FileRule by = rule();
  by.owner = 65534;
  EXPECT_OK(read(path, by));
  EXPECT_EQ(::chown(path.c_str(), 65534, 65534), 0);
  EXPECT_OK(read(path, by));
}

TEST(a_secret_is_for_its_owner_alone) {
  const Place place;
  EXPECT_OK(read(place.write("secret", "x", 0600), secret_rule()));
  EXPECT_OK(read(place.write("secret", "x", 0400), secret_rule()));
  for (const mode_t mode : {0604U, 0640U, 0644U, 0601U, 0610U})
    EXPECT_REASON(read(place.write("secret", "x", mode), secret_rule()), cfg_perm);
}

TEST(a_secret_may_be_read_by_the_given_group) {
  const Place place;
  const std::string path = place.write("secret", "x", 0640);
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  base::FileRule by = secret_rule();
  by.reader_group = facts.st_gid;
  EXPECT_OK(read(path, by));
  by.reader_group = facts.st_gid + 1;
  EXPECT_REASON(read(path, by), cfg_perm);
}

TEST(a_secret_with_an_access_control_list_is_refused) {
  const Place place;
  const std::string path = place.write("secret", "x", 0640);
  // Version 2; owner rw-, user 65534 r--, group ---, mask r--, other ---.
  constexpr unsigned char list[] = {
      2, 0,    0,    0,    1,    0,    6,  0, 0xff, 0xff, 0xff, 0xff, 2,    0,   4,
      0, 0xfe, 0xff, 0,    0,    4,    0,  0, 0,    0xff, 0xff, 0xff, 0xff, 16,  0,
      4, 0,    0xff, 0xff, 0xff, 0xff, 32, 0, 0,    0,    0xff, 0xff, 0xff, 0xff};
  if (::setxattr(path.c_str(), "system.posix_acl_access", list, sizeof list, 0) != 0)
    throw test::Skipped{"no access control lists on this file system"};
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  base::FileRule by = secret_rule();
  by.reader_group = facts.st_gid;
  EXPECT_REASON(read(path, by), cfg_perm);
}

TEST(what_may_not_be_opened_is_refused_not_missing) {
  if (::geteuid() == 0) throw test::Skipped{"root may open everything"};
  const Place place;
  EXPECT_REASON(read(place.write("conf", "x", 0000)), cfg_perm);
}
