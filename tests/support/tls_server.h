// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/handle.h"
#include "support/certificates.h"

/// \file
/// A TLS server on 127.0.0.1 in a thread of the test.  It answers each request with bytes that the
/// test gives, right or wrong, and remembers what it was sent.

namespace test {

struct ServerPlan {
  std::string answer{};  ///< sent for each request, as it is
  bool close_after_answer = false;
  std::string proxy_answer{};                  ///< be a proxy first: what to answer to CONNECT
  bool silent = false;                         ///< read, never answer
  bool close_unanswered = false;               ///< read, then close
  std::string later_answer{};                  ///< instead of `answer`
  std::size_t answered_first = 0;              ///< so many requests are, before these three
  bool plain_silent = false;                   ///< accept TCP, never speak TLS
  bool plain_close = false;                    ///< accept TCP and close
  std::function<void(SSL_CTX*)> change_tls{};  ///< versions, ciphers …
};

class TlsServer {
 public:
  TlsServer(const Identity& identity, ServerPlan plan)
      : plan_(std::move(plan)), context_(SSL_CTX_new(TLS_server_method())) {
    ::signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_security_level(context_.get(), 0);  // it is the client that has to refuse
    need(context_ && SSL_CTX_use_certificate(context_.get(), identity.cert.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context_.get(), identity.key.get()) == 1);
    if (plan_.change_tls) plan_.change_tls(context_.get());
    listener_ = base::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    need(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0 &&
         ::listen(listener_.get(), 16) == 0 &&
         ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() {
    stop_ = true;
    thread_.join();
  }

  std::string url(const std::string& path = "/", const std::string& host = "localhost") const {
    return "https://" + host + ':' + std::to_string(port_) + path;
  }
  int connections() const { return connections_; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  using Session = base::Handle<SSL, SSL_free>;

  // Waits for input in short steps, so that the test can end at any time.
  bool readable(int descriptor) const {
    while (!stop_) {
      pollfd one{descriptor, POLLIN, 0};
      if (::poll(&one, 1, 20) > 0) return true;
    }
    return false;
  }

  void serve() {
    while (readable(listener_.get())) {
      const base::UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer) continue;
      ++connections_;
      if (plan_.plain_close) continue;
      if (plan_.plain_silent) {
        while (!stop_) ::poll(nullptr, 0, 20);
        return;
      }
      converse(peer.get());
    }
  }

  void converse(int peer) {
    if (!plan_.proxy_answer.empty() && !stand_in_for_proxy(peer)) return;
    const Session session(SSL_new(context_.get()));
    SSL_set_fd(session.get(), peer);
    if (SSL_accept(session.get()) != 1) {
      drain(peer);
      return;
    }
    std::string request;
    while (take_request(session.get(), peer, request)) {
      keep(request);
      const bool is_later = requests().size() > plan_.answered_first;
      if (is_later && plan_.close_unanswered) break;
      if (is_later && plan_.silent) continue;
      const std::string& answer =
          is_later && !plan_.later_answer.empty() ? plan_.later_answer : plan_.answer;
      if (!answer.empty() &&
          SSL_write(session.get(), answer.data(), static_cast<int>(answer.size())) <= 0)
        return;
      if (plan_.close_after_answer) break;
    }
    SSL_shutdown(session.get());
    drain(peer);
  }

  bool stand_in_for_proxy(int peer) {
    std::string request;
    char one = 0;
    while (!request.ends_with("\r\n\r\n")) {
      if (!readable(peer) || ::recv(peer, &one, 1, 0) != 1) return false;
      request += one;
    }
    keep(request);
    const std::string& answer = plan_.proxy_answer;
    return ::send(peer, answer.data(), answer.size(), 0) > 0 && answer.find(" 200 ") != answer.npos;
  }

  void keep(const std::string& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }

  // Reads what the client still sends: closing over it would reset the connection, and the client
  // might not see what it was told.
  void drain(int peer) const {
    ::shutdown(peer, SHUT_WR);
    char piece[4096];
    while (readable(peer) && ::recv(peer, piece, sizeof piece, 0) > 0) {
    }
  }

  bool take_request(SSL* session, int peer, std::string& request) const {
    request.clear();
    for (;;) {
      const std::size_t end = request.find("\r\n\r\n");
      if (end != request.npos) {
        const std::size_t at = request.find("Content-Length: ");
        const std::size_t body = at == request.npos ? 0 : std::stoul(request.substr(at + 16));
        if (request.size() >= end + 4 + body) return true;
      }
      if (SSL_pending(session) == 0 && !readable(peer)) return false;
      char piece[4096];
      const int got = SSL_read(session, piece, sizeof piece);
      if (got <= 0) return false;
      request.append(piece, static_cast<std::size_t>(got));
    }
  }

  ServerPlan plan_;
  base::Handle<SSL_CTX, SSL_CTX_free> context_;
  base::UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace test
