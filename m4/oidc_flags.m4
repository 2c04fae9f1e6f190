# SPDX-License-Identifier: Apache-2.0
#
# OIDC_ARG_WERROR, OIDC_ARG_SANITIZERS, OIDC_ARG_HARDENING, OIDC_ARG_PAMDIR, OIDC_ARG_SUDOPLUGINDIR
#   The project's own --enable and --with options.
# OIDC_WARNING_FLAGS, OIDC_HARDENING_FLAGS, OIDC_SANITIZER_FLAGS
#   Each flag is tried on this compiler and kept in a variable of ours (WARNING_CXXFLAGS,
#   HARDEN_CXXFLAGS, HARDEN_CPPFLAGS, HARDEN_LDFLAGS, SANITIZE_FLAGS, SANITIZE_LOADED_FLAGS);
#   CXXFLAGS and LDFLAGS are the user's and stay as they are.

AC_DEFUN([OIDC_ARG_WERROR], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make warnings errors (for CI)])],
    [], [enable_werror=no])
])

AC_DEFUN([OIDC_ARG_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers], [build with AddressSanitizer and UBSan])],
    [], [enable_sanitizers=no])
  AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
])

AC_DEFUN([OIDC_ARG_HARDENING], [
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening], [leave hardening to the distribution's flags])],
    [], [enable_hardening=yes])
])

AC_DEFUN([OIDC_ARG_PAMDIR], [
  AC_ARG_WITH([pamdir],
    [AS_HELP_STRING([--with-pamdir=DIR], [where PAM modules live @<:@LIBDIR/security@:>@])],
    [], [with_pamdir='${libdir}/security'])
  AC_SUBST([pamdir], [$with_pamdir])
  AC_ARG_WITH([user],
    [AS_HELP_STRING([--with-user=NAME], [system user of the broker @<:@pam-oidc@:>@])],
    [], [with_user=pam-oidc])
  AC_SUBST([broker_user], [$with_user])
])

AC_DEFUN([OIDC_ARG_SUDOPLUGINDIR], [
  AC_ARG_WITH([sudoplugindir],
    [AS_HELP_STRING([--with-sudoplugindir=DIR], [where sudo looks for plug-ins @<:@LIBEXECDIR/sudo@:>@])],
    [], [with_sudoplugindir='${libexecdir}/sudo'])
  AC_SUBST([sudoplugindir], [$with_sudoplugindir])
])

AC_DEFUN([OIDC_WARNING_FLAGS], [
  AC_LANG_PUSH([C++])
  WARNING_CXXFLAGS=
  AX_APPEND_COMPILE_FLAGS([ \
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast \
    -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2 -Wnull-dereference \
    -Wlogical-op -Wduplicated-cond -Wduplicated-branches], [WARNING_CXXFLAGS], [-Werror])
  AS_IF([test "x$enable_werror" = xyes], [WARNING_CXXFLAGS="$WARNING_CXXFLAGS -Werror"])
  AC_SUBST([WARNING_CXXFLAGS])
  AC_LANG_POP([C++])
])

AC_DEFUN([OIDC_HARDENING_FLAGS], [
  AC_LANG_PUSH([C++])
  HARDEN_CXXFLAGS=
  HARDEN_CPPFLAGS=
  HARDEN_LDFLAGS=
  AS_IF([test "x$enable_hardening" = xyes], [
    AX_APPEND_COMPILE_FLAGS([ \
      -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
      -fno-delete-null-pointer-checks -fno-strict-overflow \
      -fzero-call-used-regs=used-gpr -ftrivial-auto-var-init=zero], [HARDEN_CXXFLAGS], [-Werror])
    AS_IF([test "x$enable_sanitizers" != xyes], [
      # Level 3 needs a libc that knows it, so the probe includes one of its headers.
      save_CPPFLAGS=$CPPFLAGS
      save_CXXFLAGS=$CXXFLAGS
      CXXFLAGS="$CXXFLAGS -O2 -Werror"
      CPPFLAGS="$CPPFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
      AC_MSG_CHECKING([for _FORTIFY_SOURCE=3])
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <cstring>]], [[]])],
        [fortify=3], [fortify=2])
      AC_MSG_RESULT([$fortify])
      CPPFLAGS=$save_CPPFLAGS
      CXXFLAGS=$save_CXXFLAGS
      HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$fortify"
    ])
    AX_APPEND_LINK_FLAGS([-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack], [HARDEN_LDFLAGS])
  ])
  AC_SUBST([HARDEN_CXXFLAGS])
  AC_SUBST([HARDEN_CPPFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
  AC_LANG_POP([C++])
])

AC_DEFUN([OIDC_SANITIZER_FLAGS], [
  SANITIZE_FLAGS=
  AS_IF([test "x$enable_sanitizers" = xyes],
    [SANITIZE_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
     # g++ 12 sees an uninitialised variant side where there is none when ASan is on; clang, which
     # autoconf counts as a GNU compiler, does not know the warning.
     AC_LANG_PUSH([C++])
     AX_APPEND_COMPILE_FLAGS([-Wno-maybe-uninitialized], [SANITIZE_FLAGS], [-Werror])
     SANITIZE_LOADED_FLAGS="-fsanitize=undefined -fno-sanitize=vptr"
     # clang's check of calls through pointers wants type information from a C++ library.
     AX_APPEND_COMPILE_FLAGS([-fno-sanitize=function], [SANITIZE_LOADED_FLAGS], [-Werror])
     # The first is clang's and later g++'s word for it, the second that of g++ 12.
     AX_CHECK_COMPILE_FLAG([-fsanitize=undefined -fsanitize-trap=undefined],
       [SANITIZE_LOADED_FLAGS="$SANITIZE_LOADED_FLAGS -fsanitize-trap=undefined"],
       [SANITIZE_LOADED_FLAGS="$SANITIZE_LOADED_FLAGS -fsanitize-undefined-trap-on-error"], [-Werror])
     AC_LANG_POP([C++])])
  AC_SUBST([SANITIZE_FLAGS])
  AC_SUBST([SANITIZE_LOADED_FLAGS])
])
