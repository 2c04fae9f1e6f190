// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

#include "confine/privileges.h"

/// \file
/// The broker's numbers: each with its unit and its reason.

namespace broker::limits {

using namespace std::chrono_literals;

/// How long the module may take to say what it wants after it started us.  It sends before it waits
/// for anything, so this is a matter of scheduling alone.
inline constexpr std::chrono::milliseconds begin_wait = 5s;

/// Discovery and the device request together, before the person sees anything.
inline constexpr std::chrono::milliseconds setup_wait = 15s;

/// Kept back from the time that the module waits: after an approval at the last moment, keys and
/// userinfo may still have to be fetched, each of which takes milliseconds when all is well.
inline constexpr std::chrono::milliseconds identity_reserve = 8s;
/// And of that, for the verdict itself to reach the module before it gives up.
inline constexpr std::chrono::milliseconds verdict_reserve = 1s;

/// How long an open prompt is waited for after the login itself has ended.  sshd ends a login at
/// LoginGraceTime (120 s), sudo at passwd_timeout (5 min); whoever has neither gets ten minutes.
inline constexpr std::chrono::milliseconds prompt_wait = 10min;

/// How long the module may take to confirm a verdict; it does so without asking anybody.
inline constexpr std::chrono::milliseconds confirm_wait = 5s;

/// Enter without an approval, so often, ends the login (catalogue F23).
inline constexpr int max_enters = 3;

/// After Enter: how long the terminal may stay silent before the question is asked again.  sshd
/// notices a client that went away only while it asks (measured), so this is kept short; one poll
/// fits in.
inline constexpr std::chrono::milliseconds silent_wait = 8s;

/// Bytes of one part of an access token, below what the ssh client (1,023) and sudo (511) carry.
inline constexpr std::size_t token_part = 1000;
inline constexpr std::size_t token_part_in_sudo = 500;
/// Bytes of a whole token, as in jose::Rules.
inline constexpr std::size_t longest_token = std::size_t{16} * 1024;
/// A word shorter than this may be a password that somebody typed by habit.  The shortest opaque
/// tokens that we know have 22 characters.
inline constexpr std::size_t shortest_token = 20;

/// For telling the provider that a token is not needed any more; the client has gone by then.
inline constexpr std::chrono::milliseconds revoke_wait = 1s;
/// The same when a session has ended and nobody waits, discovery included.
inline constexpr std::chrono::milliseconds session_end = 20s;

/// How often sudo's group plug-in may ask in one conversation: a sudoers file with more groups than
/// this is none that somebody wrote.
inline constexpr int memberships = 4096;
/// Between two of its questions: sudo may have a person type a password meanwhile, for which it
/// waits five minutes.
inline constexpr std::chrono::milliseconds membership_wait = 10min;

inline constexpr confine::Limits process{
    .cpu_seconds = 30,  ///< a login takes about 0.05
    .open_files = 64,   ///< the standard three, the conversation, log, cache and lock
    .file_bytes = std::size_t{4} << 20,   ///< records of sessions are at most 2 MiB
    .data_bytes = std::size_t{96} << 20,  ///< below 16 MiB; a hostile answer may add 8
    .life = 3600s + 600s,  ///< the longest login (1 h on the wire) and the longest open prompt
};

/// The screen that a prompt must fit: a terminal of 80 x 24.  A link of up to 78 bytes makes a QR
/// code of 19 rows, and with the five lines of text the screen is full.
inline constexpr int screen_columns = 80;
/// Above this a QR code is left out: it would hold more than 340 bytes, and no link is like that.
inline constexpr int qr_rows = 34;
/// In ASCII a module takes a row and two columns, so 80 columns are the limit that is met first.
inline constexpr int qr_rows_in_ascii = screen_columns / 2;

}  // namespace broker::limits
