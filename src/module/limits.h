// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

/// \file
/// Every number of the module with its unit and its reason.

namespace module::limits {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// timeout=: sshd ends an unfinished login after LoginGraceTime, 120 s unless configured; ten
/// seconds less, so that the person reads our text and not "Connection closed".
inline constexpr seconds default_timeout{110};
/// Nobody reads a code and approves in less.
inline constexpr seconds min_timeout{20};
inline constexpr seconds max_timeout{3600};

/// How often a waiting module looks for a Ctrl-C that the application holds back.
inline constexpr milliseconds slice{200};
/// What the broker gets for its verdict after a Ctrl-C.
inline constexpr milliseconds after_interrupt{1000};
/// What the broker gets for its verdict when a prompt was answered as the time ran out.
inline constexpr milliseconds after_late_answer{2000};
/// From the confirmed verdict to the closed socket: the broker only has to exit.
inline constexpr milliseconds to_end{2000};
/// From the closed socket to the process's end, and from SIGKILL to it.
inline constexpr milliseconds to_exit{1000};
inline constexpr milliseconds to_die{500};

/// How long setcred waits for the groups of a login, and the beginning of a session for being
/// written down: a local file each.  What takes longer is out of order, and nobody waits for it.
inline constexpr seconds to_begin{5};
/// How long the end of a session waits for the broker to take it over.
inline constexpr seconds to_hand_over{3};
/// How long the broker of sudo's plug-in waits for the next question: a sudoers file is gone
/// through in less, and what sudo then runs may go on for hours.
inline constexpr seconds between_questions{30};
/// How long sudo's plug-in waits for an answer about a group.
inline constexpr seconds to_say_member{5};

/// Messages that one conversation may have.  The longest honest one is a token of 17 KiB asked for
/// in parts of 500 bytes, with retries; a broker beyond this floods the terminal.
inline constexpr unsigned messages = 512;

/// The largest passwd entry.  glibc suggests 1 KiB to begin with; beyond 1 MiB NSS is out of order.
inline constexpr std::size_t first_passwd_buffer = 1024;
inline constexpr std::size_t max_passwd_buffer = std::size_t{1024} * 1024;
/// The largest group entry, which lists its members: the 100,000 of a large directory fit.
inline constexpr std::size_t first_group_buffer = 4096;
inline constexpr std::size_t max_group_buffer = std::size_t{4} * 1024 * 1024;

/// Stack of each of the two short-lived processes that start the broker.  Measured need: under
/// 2 KiB; more for the sanitizers' builds.
inline constexpr std::size_t start_stack = std::size_t{32} * 1024;

/// Bytes of one value in a log line, before escaping.
inline constexpr std::size_t logged_name = 256;
inline constexpr std::size_t logged_detail = 160;

}  // namespace module::limits
