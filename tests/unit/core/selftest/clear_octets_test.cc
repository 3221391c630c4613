#include "core/selftest/clear_octets.h"

#include <gtest/gtest.h>

namespace gatehouse::selftest {
namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' to='a.example' version='1.0'>";

TEST(ForeignInClear, LetsTheWordsBeforeTlsPass) {
  EXPECT_EQ(ForeignInClear(""), "");
  EXPECT_EQ(ForeignInClear(std::string(kHeader) +
                           "<stream:features><starttls xmlns='t'><required/></starttls>"
                           "</stream:features><proceed xmlns='t'/>"),
            "");
  EXPECT_EQ(ForeignInClear(std::string(kHeader) + "<starttls xmlns='t'/> </stream:stream>"), "");
  EXPECT_EQ(ForeignInClear("<db:result from='a' to='b' type='error'><error type='modify'>"
                           "<policy-violation xmlns='s'/></error></db:result>"),
            "");
  EXPECT_EQ(
      ForeignInClear("<failure xmlns='s'><encryption-required/></failure>"
                     "<stream:error><not-authorized xmlns='s'/></stream:error></stream:stream>"),
      "");
}

TEST(ForeignInClear, FindsAStanza) {
  const std::string stanza = "<message to='x@a.example'><body>secret</body></message>";
  EXPECT_EQ(ForeignInClear(std::string(kHeader) + stanza), stanza);
}

TEST(ForeignInClear, FindsAKeyAndAnswersThatLetIn) {
  EXPECT_EQ(ForeignInClear("<db:result from='a' to='b'>0f</db:result>"),
            "<db:result from='a' to='b'>0f</db:result>");
  EXPECT_EQ(ForeignInClear("<db:result from='a' to='b' type='valid'/>"),
            "<db:result from='a' to='b' type='valid'/>");
  EXPECT_EQ(ForeignInClear("<auth xmlns='s'>YQ==</auth>"), "<auth xmlns='s'>YQ==</auth>");
}

TEST(ForeignInClear, FindsHalfAStanzaToo) {
  EXPECT_EQ(ForeignInClear(std::string(kHeader) + "<mess"), "<mess");
}

}  // namespace
}  // namespace gatehouse::selftest
