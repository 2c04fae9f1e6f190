// SPDX-License-Identifier: Apache-2.0
#include "module/bed.h"

#include <sched.h>
#include <security/pam_ext.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/cmocka_cc.h"

namespace bed {
namespace {

namespace fs = std::filesystem;

const std::string the_broker_path = OIDC_BROKER_PATH;
std::string the_directory;

[[noreturn]] void cannot(const std::string& why) {
  std::printf("1..0 # SKIP %s\n", why.c_str());
  std::exit(77);
}

std::string environment(const char* name, const std::string& other) {
  const char* const value = std::getenv(name);
  return value == nullptr ? other : value;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) cannot("cannot read " + path.string());
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void write_file(const fs::path& path, const std::string& content, mode_t mode) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file || ::chmod(path.c_str(), mode) != 0) cannot("cannot write " + path.string());
}

void put_over(const fs::path& source, const char* target) {
  if (::mount(source.c_str(), target, nullptr, MS_BIND, nullptr) != 0)
    cannot(std::string("cannot cover ") + target + ": " + std::strerror(errno));
}

bool is_writable_by_others(const fs::path& place) {
  return (fs::status(place).permissions() & (fs::perms::group_write | fs::perms::others_write)) !=
         fs::perms::none;
}

/// The nearest directory above the broker that exists, or the highest that others can write (a
/// build below /tmp): the module trusts no broker below such a one.  It is covered, so it must not
/// be one that programs need to run.
fs::path place_to_cover() {
  fs::path place = fs::path(the_broker_path).parent_path();
  while (!fs::is_directory(place)) place = place.parent_path();
  for (fs::path above = place; above != above.root_path(); above = above.parent_path())
    if (is_writable_by_others(above)) place = above;
  for (const char* const needed : {"/", "/usr", "/usr/lib", "/lib", "/etc"})
    if (place == needed) cannot("no directory to cover above " + the_broker_path);
  return place;
}

/// Everything is read before anything is covered: the build may lie below what is covered.
struct Setup {
  Setup() {
    const std::string build = environment("builddir_top", "../..");
    const std::string module =
        content_of(environment("PAM_OIDC_TEST_MODULE", build + "/src/.libs/pam_oidc.so"));
    const std::string plugin = content_of(
        environment("PAM_OIDC_TEST_PLUGIN", build + "/src/.libs/pam_oidc_sudo_groups.so"));
    const std::string broker =
        content_of(environment("PAM_OIDC_TEST_BROKER", build + "/tests/module/fake_broker"));
    if (::geteuid() != 0) cannot("needs root, to put a scripted broker in the broker's place");
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      cannot("no mount namespace of our own");
    const fs::path place = place_to_cover();
    if (::mount("bed", place.c_str(), "tmpfs", 0, "mode=0755") != 0)
      cannot("no tmpfs on " + place.string());
    ::umask(022);
    fs::create_directories(fs::path(the_broker_path).parent_path());
    the_directory = place / "pam-oidc-test-bed";
    fs::create_directories(the_directory + "/pam.d");
    write_file(the_directory + "/pam_oidc.so", module, 0644);
    write_file(the_directory + "/pam_oidc_sudo_groups.so", plugin, 0644);
    write_file(the_broker_path, broker, 0755);
    write_file(the_directory + "/passwd",
               "root:x:0:0::/root:/bin/sh\n"
               "alice:x:1001:1001::/:/bin/sh\n"
               "bob:x:1002:1002::/:/bin/sh\n",
               0644);
    write_file(the_directory + "/nsswitch.conf", "passwd: files\ngroup: files\n", 0644);
    put_over(the_directory + "/passwd", "/etc/passwd");
    if (fs::exists("/etc/nsswitch.conf"))
      put_over(the_directory + "/nsswitch.conf", "/etc/nsswitch.conf");
    service("other",
            "auth required pam_deny.so\naccount required pam_deny.so\n"
            "session required pam_deny.so\npassword required pam_deny.so\n");
    for (const char* const name : {"sshd", "sudo", "plain"}) service_with(name, "");
  }
};
const Setup setup;

std::string beside_the_broker(const char* name) {
  return (fs::path(the_broker_path).parent_path() / name).string();
}

int converse(int count, const pam_message** messages, pam_response** responses, void* data) {
  Person& person = *static_cast<Person*>(data);
  auto* const array = static_cast<pam_response*>(
      std::calloc(static_cast<std::size_t>(count), sizeof(pam_response)));
  for (int i = 0; i < count; ++i) {
    const pam_message& message = *messages[i];
    person.seen.push_back({message.msg_style, message.msg});
    if (message.msg_style != PAM_PROMPT_ECHO_ON && message.msg_style != PAM_PROMPT_ECHO_OFF)
      continue;
    person.asked = message.msg;
    if (person.meanwhile) person.meanwhile();
    if (person.answer) {
      array[i].resp = person.answer();
      continue;
    }
    std::string answer;
    if (!person.answers.empty()) {
      answer = person.answers.front();
      person.answers.erase(person.answers.begin());
    }
    if (!person.null_answer) array[i].resp = ::strdup(answer.c_str());
  }
  if (person.null_array) {
    for (int i = 0; i < count; ++i) std::free(array[i].resp);
    std::free(array);
    *responses = nullptr;
  } else {
    *responses = array;
  }
  return person.code;
}

}  // namespace

const char* const grants = "begin\nverdict granted ok\nconfirm\nend\n";
const std::string refuses = "begin\nverdict refused device.denied\nconfirm\nend\n";

const std::string& broker_path() { return the_broker_path; }
const std::string& directory() { return the_directory; }

void script(const std::string& text) {
  write_file(beside_the_broker("script"), text, 0644);
  fs::remove(beside_the_broker("report"));
}

std::string reported(const std::string& key) {
  std::ifstream file(beside_the_broker("report"));
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key + '=')) return line.substr(key.size() + 1);
  return "(absent)";
}

void service(const std::string& name, const std::string& stack) {
  std::string text;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    if (stack[i] == '%' && i + 1 < stack.size() && stack[i + 1] == 'M') {
      text += the_directory + "/pam_oidc.so";
      ++i;
    } else {
      text += stack[i];
    }
  }
  write_file(the_directory + "/pam.d/" + name, text, 0644);
}

void service_with(const std::string& name, const std::string& arguments) {
  std::string stack;
  for (const char* const type : {"auth", "account", "session", "password"})
    stack += std::string(type) + " required %M " + arguments + '\n';
  service(name, stack);
}

std::vector<LogLine> audit() {
  std::vector<LogLine> found;
  for (LogLine& line : log()) {
    const std::size_t at = line.text.find("): event=");
    if (at == std::string::npos) continue;
    line.text.erase(0, at + 3);
    found.push_back(line);
  }
  return found;
}

std::string value_of(const std::string& line, const std::string& key) {
  const std::size_t found = (' ' + line).find(' ' + key + '=');
  if (found == std::string::npos) return "";
  std::size_t at = found + key.size() + 1;
  if (at < line.size() && line[at] == '"') {
    std::size_t end = ++at;
    while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2U : 1U;
    return line.substr(at, end - at);
  }
  return line.substr(at, line.find(' ', at) - at);
}

bool Person::saw(std::string_view text) const {
  for (const Seen& one : seen)
    if (one.text.find(text) != std::string::npos) return true;
  return false;
}

int Person::prompts() const {
  int count = 0;
  for (const Seen& one : seen)
    count += one.style == PAM_PROMPT_ECHO_ON || one.style == PAM_PROMPT_ECHO_OFF ? 1 : 0;
  return count;
}

App::App(const std::string& service, const char* user, bool with_conversation)
    : conversation_{with_conversation ? converse : nullptr, &person} {
  clear_log();
  const std::string stacks = the_directory + "/pam.d";
  if (pam_start_confdir(service.c_str(), user, &conversation_, stacks.c_str(), &handle_) !=
      PAM_SUCCESS)
    handle_ = nullptr;
}

App::~App() { end(); }

void App::set(int item, const void* value) { pam_set_item(handle_, item, value); }

void App::end() {
  if (handle_ != nullptr) pam_end(handle_, last_);
  handle_ = nullptr;
}

int log_in(const char* service) {
  App app(service);
  const int code = app.authenticate();
  return code == PAM_SUCCESS ? app.account() : code;
}

void warm_up() {
  script(grants);
  EXPECT_EQ(log_in(), PAM_SUCCESS);
}

bool has_no_child() {
  errno = 0;
  return ::waitpid(-1, nullptr, WNOHANG | static_cast<int>(__WALL)) == -1 && errno == ECHILD;
}

void expect_denied(App& app, int actual, int code, const std::string& reason) {
  EXPECT_EQ(actual, code);
  const auto lines = audit();
  EXPECT_EQ(lines.size(), 1U);
  const std::string& line = lines[0].text;
  EXPECT_EQ(value_of(line, "event"), "login");
  EXPECT_EQ(value_of(line, "outcome"), "denied");
  EXPECT_EQ(value_of(line, "reason"), reason);
  const std::string attempt = value_of(line, "attempt");
  EXPECT_EQ(attempt.size(), 16U);
  EXPECT(app.person.saw("Sign-in is not possible right now (reference " + attempt + ")."));
}

void expect_no_line() { EXPECT_EQ(audit().size(), 0U); }

}  // namespace bed
