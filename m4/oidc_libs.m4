# SPDX-License-Identifier: Apache-2.0
#
# OIDC_LIB_PAM
#   Linux-PAM; pam.pc exists only since 1.5.2, so the library and its header are looked for.
#   Sets PAM_LIBS.
# OIDC_HEADERS_ONLY
#   Libraries that are headers: toml++ and CLI11.

AC_DEFUN([OIDC_LIB_PAM], [
  save_LIBS=$LIBS
  LIBS=
  AC_SEARCH_LIBS([pam_set_data], [pam], [],
    [AC_MSG_ERROR([libpam is missing: install libpam0g-dev or pam-devel])])
  PAM_LIBS=$LIBS
  LIBS=$save_LIBS
  AC_SUBST([PAM_LIBS])
  AC_CHECK_HEADERS([security/pam_modules.h security/pam_ext.h], [],
    [AC_MSG_ERROR([the headers of Linux-PAM are missing: install libpam0g-dev or pam-devel])],
    [[#include <stddef.h>
#include <security/pam_modules.h>]])
])

AC_DEFUN([OIDC_HEADERS_ONLY], [
  AC_LANG_PUSH([C++])
  AC_CHECK_HEADERS([toml++/toml.h], [],
    [AC_MSG_ERROR([toml++ is missing: install libtomlplusplus-dev])])
  AC_CHECK_HEADERS([CLI/CLI.hpp], [],
    [AC_MSG_ERROR([CLI11 is missing: install libcli11-dev])])
  AC_LANG_POP([C++])
])
