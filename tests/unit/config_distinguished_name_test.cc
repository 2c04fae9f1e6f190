// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "config/distinguished_name.h"
#include "config/group_rule.h"
#include "support/cmocka_cc.h"

// Distinguished names of RFC 4514 in one spelling, and which texts are rules about groups (I05).

namespace {

using Kind = config::GroupRule::Kind;

// The one spelling, or "malformed".
std::string spelled(std::string_view text) {
  config::DistinguishedName name;
  if (config::parse_distinguished_name(text, name) != nullptr) return "malformed";
  return name.text;
}

std::string kind_of(std::string_view text) {
  config::GroupRule rule;
  if (config::parse_group_rule(text, rule) != nullptr) return "refused";
  switch (rule.kind) {
    case Kind::text: return "text " + rule.form;
    case Kind::identifier: return "identifier " + rule.form;
    case Kind::name: return "name " + rule.form;
    case Kind::subtree: return "subtree " + rule.form;
    case Kind::common_name: return "common_name " + rule.form;
  }
  return "";
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST(a_name_has_one_spelling) {
  for (const auto& [text, form] : Pairs{
           {"CN=Linux Admins,OU=Groups,DC=corp,DC=example",
            "cn=linux admins,ou=groups,dc=corp,dc=example"},
           // RFC 4514 §4.
           {"UID=jsmith,DC=example,DC=net", "uid=jsmith,dc=example,dc=net"},
           {"OU=Sales+CN=J.  Smith,DC=example,DC=net", "cn=j.  smith+ou=sales,dc=example,dc=net"},
           {R"(CN=James \"Jim\" Smith\, III,DC=example,DC=net)",
            R"(cn=james "jim" smith\, iii,dc=example,dc=net)"},
           {R"(CN=Before\0dAfter,DC=example,DC=net)", "cn=before\rafter,dc=example,dc=net"},
           {"1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=#04024869"},
           {R"(CN=Lu\C4\8Di\C4\87)", "cn=lu\u010di\u0107"},
           // Case: ASCII letters of types and values, and no others.
           {"cN=ADMINS,oU=x,dc=Y", "cn=admins,ou=x,dc=y"},
           {"CN=\u00dcbung,DC=x", "cn=\u00dcbung,dc=x"},
           {"CN=\u00fcbung,DC=x", "cn=\u00fcbung,dc=x"},
           {"CN=\u212aelvin", "cn=\u212aelvin"},
           // Blanks around separators, and those that belong to the value.
           {" CN = a b , DC = x ", "cn=a b,dc=x"},
           {"CN=a + OU=b , DC=x", "cn=a+ou=b,dc=x"},
           {R"(CN=\ a\ ,DC=x)", "cn= a ,dc=x"},
           {R"(CN=a \ ,DC=x)", "cn=a  ,dc=x"},
           {R"(CN=a\20 ,DC=x)", "cn=a ,dc=x"},
           // Escapes of every kind, and what needs none.
           {R"(CN=a\,b,DC=x)", R"(cn=a\,b,dc=x)"},
           {R"(CN=a\2cb,DC=x)", R"(cn=a\,b,dc=x)"},
           {R"(CN=a\2Cb,DC=x)", R"(cn=a\,b,dc=x)"},
           {R"(CN=\#a\+b\;c\<d\>e\=f\\g\"h)", R"(cn=\#a\+b;c<d>e=f\\g"h)"},
           {R"(CN=\41\44min)", "cn=admin"},
           {"CN=a=b#c", R"(cn=a=b\#c)"},
           {"CN=a/b*c(d)", "cn=a/b*c(d)"},
           // Types by number, and only those that have a short name.
           {"2.5.4.3=admins,2.5.4.11=x,0.9.2342.19200300.100.1.25=y", "cn=admins,ou=x,dc=y"},
           {"2.5.4.6=DE,2.5.4.7=b,2.5.4.8=c,2.5.4.9=d,2.5.4.10=e,0.9.2342.19200300.100.1.1=f",
            "c=de,l=b,st=c,street=d,o=e,uid=f"},
           {"commonName=a", "commonname=a"},
           {"1.2.3=a", "1.2.3=a"},
           // BER of a text is that text; of anything else it stays what it is.
           {"CN=#0C0548656C6C6F", "cn=hello"},
           {"2.5.4.3=#130548656c6c6f,DC=#160178", "cn=hello,dc=x"},
           {"CN=#0c810548656c6c6f", "cn=hello"},
           {"CN=#0C820005"
            "48656c6c6f",
            "cn=hello"},
           {"CN=#0C02412C , DC=x", R"(cn=a\,,dc=x)"},
           {"CN=#0c00", "cn="},
           {"CN=#0C01FF", "cn=#0c01ff"},
           {"CN=#1E020041", "cn=#1e020041"},
           // Several values are a set.
           {"OU=b+CN=a,DC=x", "cn=a+ou=b,dc=x"},
           {"CN=a+OU=b+CN=A,DC=x", "cn=a+ou=b,dc=x"},
           {R"(CN=a\+b+OU=c)", R"(cn=a\+b+ou=c)"},
           {"CN=", "cn="},
           {"CN=,DC=", "cn=,dc="},
           {"CN=a,CN=a", "cn=a,cn=a"},
       })
    EXPECT_EQ(spelled(text), form);
}

TEST(what_is_not_well_formed_is_no_name) {
  for (const char* text : {"",
                           " ",
                           "a",
                           "CN",
                           "=a",
                           "CN=a,",
                           ",CN=a",
                           "CN=a,,DC=x",
                           "CN=a+",
                           "+CN=a",
                           "CN=a+,DC=x",
                           "CN=a,b",
                           "CN=a;DC=x",
                           "CN=\"a\"",
                           "CN=\"a,b\",DC=x",
                           "CN=a<b",
                           "CN=a>b",
                           "CN=a\\",
                           "CN=a\\zz",
                           "CN=a\\4",
                           "CN=a\\4g",
                           "CN=a\\/b",
                           "CN=#",
                           "CN=#0",
                           "CN=#0c",
                           "CN=#0c05",
                           "CN=#0c0548656c6c",
                           "CN=#0c0548656c6c6f00",
                           "CN=#zz",
                           "CN=#0c0141x",
                           "CN=#0c80",

                           "CN=#0c83000001"
                           "41",
                           "C N=a",
                           "CN =a b=c,d",
                           "1=a",
                           "1.=a",
                           ".1=a",
                           "01.2=a",
                           "1..2=a",
                           "1.2.a=b",
                           "OID.2.5.4.3=a",
                           "-a=b",
                           "C_N=a",
                           "\u00dc=a",
                           "CN=\\FF",
                           "CN=a\\C3",
                           "CN=\\C3x"})
    EXPECT_EQ(spelled(text), "malformed");
  EXPECT_EQ(spelled(std::string_view("CN=a\0b", 6)), "malformed");
  // Escaped, a NUL is a byte like any other.
  EXPECT_EQ(spelled("CN=a\\00b"), std::string("cn=a\0b", 6));
}

TEST(a_name_knows_where_its_parts_begin) {
  config::DistinguishedName name;
  EXPECT(config::parse_distinguished_name(R"(CN=a\,b+OU=z,OU=c,DC=d)", name) == nullptr);
  EXPECT_EQ(name.text, R"(cn=a\,b+ou=z,ou=c,dc=d)");
  EXPECT((name.relative == std::vector<std::size_t>{0, 13, 18}));
  EXPECT(config::parse_distinguished_name("DC=d", name) == nullptr);
  EXPECT((name.relative == std::vector<std::size_t>{0}));
}

TEST(rules_are_of_five_kinds) {
  for (const auto& [text, kind] : Pairs{
           {"linux-admins", "text linux-admins"},
           {"Linux Admins", "text Linux Admins"},
           {"/corp/linux", "text /corp/linux"},
           {"a=,b", "text a=,b"},
           {"S-1-5-21-1-2-3-1105", "identifier s-1-5-21-1-2-3-1105"},
           {"s-1-5-32-544", "identifier s-1-5-32-544"},
           {"0F8FAD5B-D9CB-469F-A165-70867728950E",
            "identifier 0f8fad5b-d9cb-469f-a165-70867728950e"},
           {"S-1-", "text S-1-"},
           {"S-1-5-", "text S-1-5-"},
           {"S-1-5--2", "text S-1-5--2"},
           {"S-2-5-21", "text S-2-5-21"},
           {"0f8fad5b-d9cb-469f-a165-70867728950g", "text 0f8fad5b-d9cb-469f-a165-70867728950g"},
           {"0f8fad5bd9cb469fa16570867728950e", "text 0f8fad5bd9cb469fa16570867728950e"},
           {"CN=A,DC=x", "name cn=a,dc=x"},
           {"team=Blue", "name team=blue"},
           {"under:OU=Groups,DC=x", "subtree ou=groups,dc=x"},
           {"cn:Linux Admins", "common_name cn=linux admins"},
           {"cn:a, b", R"(common_name cn=a\, b)"},
           {"cn:a=b", "common_name cn=a=b"},
           {"common:a", "text common:a"},
       })
    EXPECT_EQ(kind_of(text), kind);
}

TEST(a_rule_that_would_fit_nobody_by_mistake_is_refused) {
  for (const char* text :
       {"", "CN=a,b", "CN=a;DC=x", "ou=a,", "2.5.4.3=\"a\"", "under:", "under:admins",
        "under:CN=a,b", "Under:OU=a", "UNDER:OU=a", "CN:admins", "Cn:admins", "cn:", "cn: admins",
        "cn:admins ", "a\nb", "\xff", "CN=\\FF"})
    EXPECT_EQ(kind_of(text), "refused");
}

// Whatever a value is, escaped in any way, the name that it is part of has one spelling.
TEST(escaping_does_not_change_a_name) {
  std::mt19937 random(4514);
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  const std::string alphabet = "aZ0 ,+\"\\<>;=#/-\n";
  for (int round = 0; round < 3000; ++round) {
    std::string value;
    for (std::size_t i = below(12) + 1; i > 0; --i) value += alphabet[below(alphabet.size())];
    const auto escaped = [&] {
      std::string text;
      for (std::size_t i = 0; i < value.size(); ++i) {
        const bool must = std::string_view(",+\"\\<>;").find(value[i]) != std::string::npos ||
                          (value[i] == '#' && i == 0) ||
                          (value[i] == ' ' && (i == 0 || i + 1 == value.size()));
        const bool may = std::string_view(" ,+\"\\<>;=#").find(value[i]) != std::string::npos;
        const std::size_t how = below(3);
        char hex[4];
        std::snprintf(hex, sizeof hex, "\\%02x", static_cast<unsigned char>(value[i]));
        if (how == 0)
          text += hex;
        else if (may && (must || how == 1))
          text += {'\\', value[i]};
        else
          text += value[i];
      }
      return text;
    };
    const std::string whole = "CN=" + escaped() + ",DC=x";
    const std::string form = spelled(whole);
    EXPECT_EQ(form, config::spelled_attribute("cn", value) + ",dc=x");
    EXPECT_EQ(spelled("2.5.4.3 = " + escaped() + " , dc=X"), form);
  }
}

// Random bytes never break the parser, and the relative names of what is accepted are in order.
TEST(random_texts_are_refused_or_spelled) {
  std::mt19937 random(8);
  const std::string alphabet = "CNou=,+\\#2c \"; \xc3\xa4";
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t i = random() % 24; i > 0; --i) text += alphabet[random() % alphabet.size()];
    config::DistinguishedName name;
    if (config::parse_distinguished_name(text, name) != nullptr) continue;
    ++accepted;
    EXPECT(std::is_sorted(name.relative.begin(), name.relative.end()));
    EXPECT(name.relative.back() < name.text.size());
  }
  EXPECT(accepted > 100);
}

// Names without anything special are spelled in one pass.  A blank in front changes no name, and
// takes the other way.
TEST(the_short_way_spells_as_the_long_one) {
  std::mt19937 random(2253);
  const std::string bytes = "aZ09-.= \\,+#\";<>/\xc3\xa4\x7f@[`{\n";
  const char* const types[] = {"CN", "ou", "Dc", "x-Y9", "2.5.4.3", "9a", "", "C N"};
  int accepted = 0, refused = 0;
  for (int round = 0; round < 30000; ++round) {
    std::string text;
    for (std::size_t parts = 1 + random() % 4; parts > 0; --parts) {
      text += types[random() % (random() % 8 == 0 ? 8 : 4)];
      text += random() % 30 == 0 ? " =" : "=";
      for (std::size_t i = random() % 12; i > 0; --i)
        text += random() % 12 == 0 ? bytes[random() % bytes.size()] : "aBcD eF,"[random() % 7];
      if (parts > 1) text += random() % 20 == 0 ? ", " : ",";
    }
    if (random() % 8 == 0) text[random() % text.size()] = bytes[random() % bytes.size()];
    config::DistinguishedName one, other;
    const char* const problem = config::parse_distinguished_name(text, one);
    EXPECT_EQ(std::string(problem == nullptr ? "" : problem), [&] {
      const char* const same = config::parse_distinguished_name(' ' + text, other);
      return std::string(same == nullptr ? "" : same);
    }());
    ++(problem == nullptr ? accepted : refused);
    if (problem != nullptr) continue;
    EXPECT_EQ(one.text, other.text);
    EXPECT(one.relative == other.relative);
  }
  EXPECT(accepted > 3000);
  EXPECT(refused > 3000);
}
