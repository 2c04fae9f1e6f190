// SPDX-License-Identifier: Apache-2.0
#include "config/distinguished_name.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace config {
namespace {

struct ShortName {
  std::string_view name;
  std::string_view identifier;
};

// RFC 4514 §3.
constexpr ShortName short_names[] = {
    {"cn", "2.5.4.3"},
    {"l", "2.5.4.7"},
    {"st", "2.5.4.8"},
    {"o", "2.5.4.10"},
    {"ou", "2.5.4.11"},
    {"c", "2.5.4.6"},
    {"street", "2.5.4.9"},
    {"dc", "0.9.2342.19200300.100.1.25"},
    {"uid", "0.9.2342.19200300.100.1.1"},
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// What a value has as it is, but for the case of letters.  Most names consist of nothing else.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t i = 1; i < plain.size(); ++i) plain[i] = true;
  for (const char c : std::string_view("\\,+#\";<>")) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}
constexpr auto plain = make_plain();

constexpr std::array<char, 256> make_lower() {
  std::array<char, 256> lower{};
  for (std::size_t i = 0; i < lower.size(); ++i) lower[i] = to_lower(static_cast<char>(i));
  return lower;
}
constexpr auto lower_of = make_lower();

void append_lower(std::string_view from, std::string& text) {
  const std::size_t begin = text.size();
  text.resize(begin + from.size());
  char* out = text.data() + begin;
  for (const char c : from) *out++ = lower_of[static_cast<unsigned char>(c)];
}

// Appends a byte of a value.
void spell(char c, std::string& text) {
  if (c == '\\' || c == ',' || c == '+' || c == '#') text += '\\';
  text += to_lower(c);
}

// numericoid of RFC 4512 §1.4: at least two numbers without leading zeros.
bool is_object_identifier(std::string_view text) {
  int numbers = 0;
  while (true) {
    const std::size_t end = std::min(text.find('.'), text.size());
    const std::string_view number = text.substr(0, end);
    if (number.empty() || !std::all_of(number.begin(), number.end(), is_digit) ||
        (number.size() > 1 && number[0] == '0'))
      return false;
    ++numbers;
    if (end == text.size()) return numbers > 1;
    text.remove_prefix(end + 1);
  }
}

// The text in a BER value that is a UTF8String, PrintableString or IA5String (X.690 §8.1).
const char* text_in(std::string_view ber, std::optional<std::string_view>& text) {
  const auto byte = [ber](std::size_t at) { return static_cast<unsigned char>(ber[at]); };
  if (ber.size() < 2) return "has a #value that is no BER";
  std::size_t begin = 2;
  std::size_t size = byte(1);
  if (size > 0x80) {
    const std::size_t bytes = size - 0x80;
    if (bytes > 2 || ber.size() < 2 + bytes) return "has a #value that is no BER";
    for (size = 0; begin < 2 + bytes; ++begin) size = size * 256 + byte(begin);
  } else if (size == 0x80) {
    return "has a #value that is no BER";
  }
  if (ber.size() - begin != size) return "has a #value that is no BER";
  const bool is_text = byte(0) == 0x0c || byte(0) == 0x13 || byte(0) == 0x16;
  if (is_text && base::is_utf8(ber.substr(begin))) text = ber.substr(begin);
  return nullptr;
}

constexpr std::array<bool, 256> make_type() {
  std::array<bool, 256> type{};
  for (std::size_t i = 0; i < type.size(); ++i) {
    const char c = static_cast<char>(i);
    type[i] = is_letter(c) || is_digit(c) || c == '-';
  }
  return type;
}
constexpr auto in_type = make_type();

// Nearly every name that a provider sends: keywords, values of plain characters, no blank beside a
// separator.  One spelling differs from the other in the case of letters only, so it is written in
// one pass, byte for byte.  False: it is another kind of name, or none, and Parser is to say.
bool parse_plainly(std::string_view text, DistinguishedName& name) {
  name.text.resize(text.size());
  name.relative.clear();
  const char* in = text.data();
  const char* const end = in + text.size();
  char* const begin = name.text.data();
  char* out = begin;
  const auto byte = [&in] { return static_cast<unsigned char>(*in); };
  while (in != end && is_letter(*in)) {
    name.relative.push_back(static_cast<std::size_t>(out - begin));
    for (; in != end && in_type[byte()]; ++in) *out++ = lower_of[byte()];
    if (in == end || *in != '=') return false;
    *out++ = *in++;
    const char* const value = in;
    for (; in != end && plain[byte()]; ++in) *out++ = lower_of[byte()];
    if (in != value && (*value == ' ' || in[-1] == ' ')) return false;
    if (in == end) return true;
    if (*in != ',') return false;
    *out++ = *in++;
  }
  return false;
}

class Parser {
 public:
  Parser(std::string_view in, DistinguishedName& out) : in_(in), out_(out) {}

  const char* parse() {
    out_.text.clear();
    out_.relative.clear();
    while (true) {
      out_.relative.push_back(out_.text.size());
      if (const char* problem = relative_name()) return problem;
      if (at_ == in_.size()) return nullptr;
      ++at_;  // the comma
      out_.text += ',';
    }
  }

 private:
  const char* relative_name() {
    const std::size_t begin = out_.text.size();
    parts_.clear();
    while (true) {
      if (const char* problem = attribute()) return problem;
      if (at_ == in_.size() || in_[at_] == ',') break;
      if (parts_.empty()) parts_.push_back(begin);
      ++at_;  // the plus sign
      out_.text += '+';
      parts_.push_back(out_.text.size());
    }
    if (!parts_.empty()) put_in_order(begin);
    return nullptr;
  }

  // A relative name with several values is a set of them.
  void put_in_order(std::size_t begin) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const std::size_t end = i + 1 < parts_.size() ? parts_[i + 1] - 1 : out_.text.size();
      parts.push_back(out_.text.substr(parts_[i], end - parts_[i]));
    }
    std::sort(parts.begin(), parts.end());
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    out_.text.resize(begin);
    for (const std::string& part : parts) {
      if (out_.text.size() > begin) out_.text += '+';
      out_.text += part;
    }
  }

  const char* attribute() {
    skip_blanks();
    if (const char* problem = type()) return problem;
    skip_blanks();
    if (at_ == in_.size() || in_[at_] != '=') return "has a part without '='";
    ++at_;
    out_.text += '=';
    skip_blanks();
    if (at_ < in_.size() && in_[at_] == '#') return hex_string();
    return string();
  }

  const char* type() {
    const std::size_t begin = at_;
    if (at_ < in_.size() && is_letter(in_[at_])) {
      while (at_ < in_.size() && (is_letter(in_[at_]) || is_digit(in_[at_]) || in_[at_] == '-'))
        ++at_;
      append_lower(in_.substr(begin, at_ - begin), out_.text);
      return nullptr;
    }
    while (at_ < in_.size() && (is_digit(in_[at_]) || in_[at_] == '.')) ++at_;
    const std::string_view identifier = in_.substr(begin, at_ - begin);
    if (!is_object_identifier(identifier)) return "has a part without a type of attribute";
    const auto* known =
        std::find_if(std::begin(short_names), std::end(short_names),
                     [identifier](const ShortName& one) { return one.identifier == identifier; });
    out_.text += known == std::end(short_names) ? identifier : known->name;
    return nullptr;
  }

  // Up to an unescaped separator, without the unescaped blanks before it.
  const char* string() {
    const std::size_t begin = out_.text.size();
    std::size_t end = begin;
    bool has_bytes = false;
    while (at_ < in_.size() && in_[at_] != ',' && in_[at_] != '+') {
      const char c = in_[at_];
      if (plain[static_cast<unsigned char>(c)]) {
        const std::string_view run = plain_run();
        const std::size_t last = run.find_last_not_of(' ');
        if (last != run.npos) end = out_.text.size() + last + 1;
        append_lower(run, out_.text);
        continue;
      }
      if (c == '\\') {
        char escaped = 0;
        if (const char* problem = escape(escaped, has_bytes)) return problem;
        spell(escaped, out_.text);
      } else if (c == '#') {
        spell(c, out_.text);
      } else {
        return "has a character that needs a backslash";
      }
      end = out_.text.size();
      ++at_;
    }
    out_.text.resize(end);
    if (has_bytes && !base::is_utf8(std::string_view(out_.text).substr(begin)))
      return "has escaped bytes that are not UTF-8";
    return nullptr;
  }

  std::string_view plain_run() {
    const std::size_t begin = at_;
    while (at_ < in_.size() && plain[static_cast<unsigned char>(in_[at_])]) ++at_;
    return in_.substr(begin, at_ - begin);
  }

  // `\,` or `\2C`; leaves at_ on its last character.
  const char* escape(char& escaped, bool& has_bytes) {
    constexpr std::string_view special = " \"#+,;<=>\\";
    if (++at_ == in_.size()) return "ends with a backslash";
    if (special.find(in_[at_]) != special.npos) {
      escaped = in_[at_];
      return nullptr;
    }
    const int high = hex_value(in_[at_]);
    const int low = at_ + 1 < in_.size() ? hex_value(in_[at_ + 1]) : -1;
    if (high < 0 || low < 0) return "has a backslash before a character that needs none";
    ++at_;
    escaped = static_cast<char>(high * 16 + low);
    has_bytes = true;
    return nullptr;
  }

  // `#` and the BER of a value.
  const char* hex_string() {
    const std::size_t begin = ++at_;
    std::string ber;
    while (at_ + 1 < in_.size() && hex_value(in_[at_]) >= 0 && hex_value(in_[at_ + 1]) >= 0) {
      ber += static_cast<char>(hex_value(in_[at_]) * 16 + hex_value(in_[at_ + 1]));
      at_ += 2;
    }
    const std::string_view digits = in_.substr(begin, at_ - begin);
    skip_blanks();
    if (at_ < in_.size() && in_[at_] != ',' && in_[at_] != '+')
      return "has a #value that is not hexadecimal";
    std::optional<std::string_view> text;
    if (const char* problem = text_in(ber, text)) return problem;
    if (!text)
      out_.text += '#' + base::to_lower_ascii(digits);
    else
      for (const char c : *text) spell(c, out_.text);
    return nullptr;
  }

  void skip_blanks() {
    while (at_ < in_.size() && in_[at_] == ' ') ++at_;
  }

  std::string_view in_;
  DistinguishedName& out_;
  std::size_t at_ = 0;
  std::vector<std::size_t> parts_;  // of a relative name with several
};

}  // namespace

const char* parse_distinguished_name(std::string_view text, DistinguishedName& name) {
  return parse_plainly(text, name) ? nullptr : Parser(text, name).parse();
}

bool begins_as_distinguished_name(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return false;
  std::string_view type = text.substr(0, equals);
  while (type.starts_with(' ')) type.remove_prefix(1);
  while (type.ends_with(' ')) type.remove_suffix(1);
  const std::string lower = base::to_lower_ascii(type);
  // RFC 2253 §4 had names like OID.2.5.4.3=x, which RFC 4514 has no more.
  type.remove_prefix(lower.starts_with("oid.") ? 4 : 0);
  if (is_object_identifier(type)) return true;
  return std::any_of(std::begin(short_names), std::end(short_names),
                     [&lower](const ShortName& one) { return one.name == lower; });
}

std::string spelled_attribute(std::string_view type, std::string_view value) {
  std::string text(type);
  text += '=';
  for (const char c : value) spell(c, text);
  return text;
}

}  // namespace config
