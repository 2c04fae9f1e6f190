// SPDX-License-Identifier: Apache-2.0
#include "module/config_facts.h"

#include <sys/stat.h>

namespace module {

ConfigFacts read_config_facts() {
  struct stat facts {};
  if (::stat(OIDC_CONFIG_PATH, &facts) != 0) return {};
  return {true,          facts.st_dev,         facts.st_ino,
          facts.st_size, facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec};
}

bool is_same(const ConfigFacts& one, const ConfigFacts& other) {
  return one.known && other.known && one.device == other.device && one.inode == other.inode &&
         one.size == other.size && one.changed == other.changed &&
         one.changed_nanoseconds == other.changed_nanoseconds;
}

}  // namespace module
