// SPDX-License-Identifier: Apache-2.0
#include "module/conversation.h"

#include <cstdlib>
#include <cstring>

#include "module/text.h"

namespace module {
namespace {

// Looked up each time: the item is the application's to change.
const pam_conv* conversation_of(const pam_handle_t* pamh) {
  const void* value = nullptr;
  if (pam_get_item(pamh, PAM_CONV, &value) != PAM_SUCCESS) return nullptr;
  const auto* const conversation = static_cast<const pam_conv*>(value);
  return conversation == nullptr || conversation->conv == nullptr ? nullptr : conversation;
}

struct Exchange {
  int code = PAM_CONV_ERR;
  char* text = nullptr;  ///< malloc'd, or nullptr
};

// Not pam_prompt(3): that one logs by itself, formats text that came from outside, and takes a copy
// of the text that nobody wipes.
Exchange exchange(const pam_conv& conversation, int style, const char* text) {
  Exchange result;
  // The text stands in the packet, which a process that is forked meanwhile does not see: sudo -A
  // forks first and looks at the prompt then.
  char* const copy = ::strdup(text);
  if (copy == nullptr) {
    result.code = PAM_BUF_ERR;
    return result;
  }
  const pam_message message{style, copy};
  const pam_message* messages[] = {&message};
  pam_response* responses = nullptr;
  result.code = conversation.conv(1, messages, &responses, conversation.appdata_ptr);
  if (responses != nullptr) {
    // Ours even when the function reports an error: libpam does the same with it.
    result.text = responses->resp;
    std::free(responses);
  }
  std::free(copy);
  return result;
}

}  // namespace

Answer::Answer(char* text) : text_(text), size_(text == nullptr ? 0 : std::strlen(text)) {}

Answer::~Answer() {
  if (text_ == nullptr) return;
  ::explicit_bzero(text_, size_);
  std::free(text_);
}

const char* Conversation::kept_answer() const {
  const void* value = nullptr;
  if (pam_get_item(pamh_, PAM_AUTHTOK, &value) != PAM_SUCCESS) return nullptr;
  return static_cast<const char*>(value);
}

bool Conversation::is_available() const { return conversation_of(pamh_) != nullptr; }

void Conversation::show(ipc::Style style, char* text, std::size_t size) const {
  const pam_conv* const conversation = conversation_of(pamh_);
  if (silent_ || conversation == nullptr || size == 0) return;
  make_displayable(text, size);
  const int pam_style = style == ipc::Style::error ? PAM_ERROR_MSG : PAM_TEXT_INFO;
  const Answer ignored(exchange(*conversation, pam_style, text).text);
}

Conversation::Reply Conversation::ask(ipc::Echo echo, char* text, std::size_t size) const {
  const pam_conv* const conversation = conversation_of(pamh_);
  if (conversation == nullptr) return {Answer(), ipc::NoAnswer::no_conversation};
  make_displayable(text, size);
  const int pam_style = echo == ipc::Echo::visible ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF;
  const Exchange result = exchange(*conversation, pam_style, text);
  Answer answer(result.text);
  // PAM_CONV_AGAIN too: we cannot be called again in the middle of a login.
  if (result.code != PAM_SUCCESS) return {Answer(), ipc::NoAnswer::conversation_error};
  if (!answer.has_value()) return {Answer(), ipc::NoAnswer::null_answer};
  return {std::move(answer), ipc::NoAnswer::null_answer};
}

}  // namespace module
