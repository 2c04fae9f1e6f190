// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "base/handle.h"

/// \file
/// A directory of a test's own, gone when the test ends.

namespace test {

class TempDir {
 public:
  TempDir() : TempDir(std::filesystem::temp_directory_path()) {}
  explicit TempDir(const std::filesystem::path& above) {
    std::string name = (above / "pam-oidc-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }

  /// Writes a file with exactly this mode, whatever the umask, and returns its path.
  std::string write(std::string_view name, std::string_view content, mode_t mode = 0644) const {
    const std::string path = *this / name;
    const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    while (file && !content.empty()) {
      const ssize_t put = ::write(file.get(), content.data(), content.size());
      if (put < 0) break;
      content.remove_prefix(static_cast<std::size_t>(put));
    }
    if (!file || !content.empty() || ::fchmod(file.get(), mode) != 0)
      throw std::system_error(errno, std::generic_category(), "write " + path);
    return path;
  }

  std::string make_directory(std::string_view name, mode_t mode = 0755) const {
    const std::string path = *this / name;
    if (::mkdir(path.c_str(), 0700) != 0 || ::chmod(path.c_str(), mode) != 0)
      throw std::system_error(errno, std::generic_category(), "mkdir " + path);
    return path;
  }

  /// Where a directory can lie that base::read_trusted_file trusts: nobody but root and the one who
  /// runs the tests may write anywhere above it, which rules out /tmp.  Empty when there is none.
  static std::filesystem::path trusted_place() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const std::filesystem::path places[] = {runtime == nullptr ? "" : runtime, "/run",
                                            std::filesystem::current_path()};
    for (const auto& place : places)
      if (!place.empty() && ::access(place.c_str(), W_OK) == 0 && is_trusted(place)) return place;
    return {};
  }

 private:
  static bool is_trusted(std::filesystem::path place) {
    for (;; place = place.parent_path()) {
      struct stat facts {};
      if (::lstat(place.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) return false;
      if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) return false;
      if ((facts.st_mode & 022) != 0) return false;
      if (place == place.root_path()) return true;
    }
  }

  std::string path_;
};

}  // namespace test
