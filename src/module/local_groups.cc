// SPDX-License-Identifier: Apache-2.0
#include "module/local_groups.h"

#include <grp.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "ipc/message.h"
#include "module/limits.h"
#include "module/text.h"

namespace module {
namespace {

/// Nothing when there is no such group.  As for accounts, a group counts only when NSS gives it the
/// same name, byte for byte.
Result<std::optional<gid_t>> look_up_group(const char* name) {
  for (std::size_t size = limits::first_group_buffer; size <= limits::max_group_buffer; size *= 4) {
    const base::Handle<char, std::free> buffer(static_cast<char*>(std::malloc(size)));
    if (!buffer) return fail(base::Reason::sys_nomem, "getgrnam_r", ENOMEM);
    group entry{};
    group* found = nullptr;
    int error = 0;
    do error = ::getgrnam_r(name, &entry, buffer.get(), size, &found);
    while (error == EINTR);
    if (error == ERANGE) continue;
    // getgrnam(3) lists these two among the ways to say "no such name".
    if (error == ENOENT || error == ESRCH) return std::optional<gid_t>();
    if (error != 0) return fail_by_errno("getgrnam_r", error);
    if (found == nullptr || std::string_view(found->gr_name) != name) return std::optional<gid_t>();
    return std::optional<gid_t>(found->gr_gid);
  }
  return fail(base::Reason::sys_error, "getgrnam_r", ERANGE);
}

base::Unexpected<Failure> refuse(base::Reason reason, const char* detail, std::string_view name) {
  return base::Unexpected<Failure>({base::usual_outcome(reason), reason, detail, 0, name});
}

}  // namespace

Result<GroupLookup> GroupLookup::create() {
  GroupLookup lookup;
  for (std::size_t i = 0; i < std::size(lookup.protected_); ++i) {
    const auto number = look_up_group(ipc::protected_groups[i]);
    if (!number) return failure_of(number);
    if (number->has_value()) lookup.protected_[i] = {true, **number};
  }
  return lookup;
}

Result<gid_t> GroupLookup::joinable(std::string_view name) const {
  constexpr gid_t no_group = static_cast<gid_t>(-1);
  Text<ipc::max_group_name> terminated;
  if (!is_group_name(name))
    return refuse(base::Reason::group_unknown, "not the name of a group", name);
  terminated.assign_cut(name);
  const auto number = look_up_group(terminated.c_str());
  if (!number) return failure_of(number);
  if (!number->has_value() || **number == no_group)
    return refuse(base::Reason::group_unknown, "there is no local group of this name", name);
  if (**number == 0) return refuse(base::Reason::group_protected, "it is root's group", name);
  for (std::size_t i = 0; i < std::size(protected_); ++i)
    if (protected_[i].exists && protected_[i].number == **number &&
        name != ipc::protected_groups[i])
      return refuse(base::Reason::group_protected, "it is another name of a protected group", name);
  return **number;
}

Result<Supplementary> Supplementary::read(std::size_t room) {
  const int count = ::getgroups(0, nullptr);
  if (count < 0) return fail_by_errno("getgroups", errno);
  Supplementary groups;
  groups.capacity_ = static_cast<std::size_t>(count) + room;
  groups.numbers_.reset(static_cast<gid_t*>(std::malloc(groups.capacity_ * sizeof(gid_t) + 1)));
  if (!groups.numbers_) return fail(base::Reason::sys_nomem, "malloc", ENOMEM);
  const int got = ::getgroups(count, groups.numbers_.get());
  if (got < 0) return fail_by_errno("getgroups", errno);
  groups.size_ = static_cast<std::size_t>(got);
  return groups;
}

void Supplementary::add(gid_t number) {
  for (std::size_t i = 0; i < size_; ++i)
    if (numbers_.get()[i] == number) return;
  if (size_ == capacity_) return;
  numbers_.get()[size_++] = number;
  changed_ = true;
}

Result<> Supplementary::apply() const {
  if (changed_ && ::setgroups(size_, numbers_.get()) != 0) return fail_by_errno("setgroups", errno);
  return {};
}

}  // namespace module
