// SPDX-License-Identifier: Apache-2.0
#include "module/log.h"

#include <security/pam_ext.h>
#include <syslog.h>

#include "module/log_line.h"

namespace module {
namespace {

void write_line(const pam_handle_t* pamh, const char* event, const char* outcome,
                const Login& login, std::string_view provider, const Failure& failure) {
  const Subject subject{login.user.view(),  login.service.view(),
                        login.rhost.view(), login.tty.view(),
                        provider,           login.attempt.view()};
  const LogLine line(event, outcome, subject, failure);
  pam_syslog(pamh, LOG_AUTHPRIV | log_level(failure), "%s", line.c_str());
}

}  // namespace

void log_denial(const pam_handle_t* pamh, const char* event, const Login& login,
                std::string_view provider, const Failure& failure) {
  write_line(pamh, event, "denied", login, provider, failure);
}

void log_mistake(const pam_handle_t* pamh, const char* event, const Login& login,
                 const Failure& failure) {
  write_line(pamh, event, "ignored", login, {}, failure);
}

void log_debug(const pam_handle_t* pamh, const Login& login, const char* step, const char* value) {
  pam_syslog(pamh, LOG_AUTHPRIV | LOG_DEBUG, "attempt=%s %s%s", login.attempt.c_str(), step, value);
}

}  // namespace module
