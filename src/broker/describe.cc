// SPDX-License-Identifier: Apache-2.0
#include "broker/describe.h"

namespace broker {

void describe(const LoginRequest& request, audit::Event& event) {
  event.user = request.user;
  event.service = request.service;
  event.rhost = request.rhost;
  event.tty = request.tty;
  event.attempt = request.attempt;
}

void describe(const session::Record& record, audit::Event& event) {
  event.provider = record.provider;
  event.issuer = record.issuer;
  event.subject = record.subject;
  event.client_id = record.client_id;
  event.acr = record.acr;
  event.amr = joined(record.amr);
  event.session = record.id;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ",") + word;
  return all;
}

}  // namespace broker
