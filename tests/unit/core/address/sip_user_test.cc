#include "core/address/sip_user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gatehouse {
namespace {

using testing::HasSubstr;

const std::vector<std::string> kServed = {"contoso.example"};

TEST(SipUser, IsTheSameHoweverAnOperatorWritesHim) {
  for (const char* text : {"ann@contoso.example", "Ann@Contoso.EXAMPLE", "sip:ann@contoso.example",
                           "SIP:Ann@contoso.example;transport=tls", "sip:ann@contoso.example:5061",
                           "pres:ann@contoso.example", "IM:Ann@contoso.example"}) {
    const Result<std::string> user = SipUserOf(text, kServed);
    ASSERT_TRUE(user.has_value()) << text << ": " << user.error().text;
    EXPECT_EQ(*user, "ann@contoso.example") << text;
  }
}

TEST(SipUser, ThatIsNoneIsRefusedWithOneThatWouldBe) {
  for (const char* text : {"", "@", "ann", "tel:+15551234", "sip:contoso.example",
                           "ann@contoso.example/desk", "ann;transport=tls@contoso.example@x"}) {
    const Result<std::string> user = SipUserOf(text, kServed);
    ASSERT_FALSE(user.has_value()) << text;
    EXPECT_THAT(user.error().text, HasSubstr("write one like sip:ann@contoso.example")) << text;
  }
  EXPECT_THAT(SipUserOf("ann@elsewhere.example", kServed).error().text,
              HasSubstr("in no domain of ours; they are contoso.example"));
  EXPECT_TRUE(SipUserOf("ann@elsewhere.example", {}).has_value()) << "nobody asked where";
}

TEST(XmppContact, IsBareAndPrepared) {
  EXPECT_EQ(*XmppContactOf("Romeo@Partner.EXAMPLE"), "romeo@partner.example");
  EXPECT_THAT(XmppContactOf("romeo@partner.example/home").error().text,
              HasSubstr("write 'romeo@partner.example'"));
  EXPECT_THAT(XmppContactOf("romeo@").error().text, HasSubstr("write one like"));
}

}  // namespace
}  // namespace gatehouse
