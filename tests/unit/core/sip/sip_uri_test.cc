#include "core/sip/sip_uri.h"

#include <gtest/gtest.h>

namespace gatehouse {
namespace {

TEST(SipUri, IsTakenApartWithoutUnescaping) {
  const auto uri =
      SipUri::Parse("sips:al%20ice:pw@[2001:db8::1]:5061;transport=TLS;lr?Subject=a&x=y");
  ASSERT_TRUE(uri);
  EXPECT_TRUE(uri->secure);
  EXPECT_EQ(uri->user, "al%20ice");
  EXPECT_EQ(uri->password, "pw");
  EXPECT_EQ(uri->host, "[2001:db8::1]");
  EXPECT_EQ(uri->port, 5061);
  EXPECT_EQ(uri->Param("Transport"), "TLS");
  EXPECT_EQ(uri->Param("lr"), "");
  EXPECT_EQ(uri->Param("maddr"), std::nullopt);
  EXPECT_EQ(uri->headers, "Subject=a&x=y");
}

TEST(SipUri, UserPartMayHoldSemicolonAndQuestionMark) {
  const auto uri = SipUri::Parse("sip:user;par=u%40example.net?x@example.com");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->user, "user;par=u%40example.net?x");
  EXPECT_EQ(uri->host, "example.com");
  EXPECT_EQ(uri->params, "");
}

TEST(SipUri, HostAloneIsEnough) {
  const auto uri = SipUri::Parse("sip:example.com");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->user, "");
  EXPECT_EQ(uri->port, 0);
}

TEST(SipUri, RefusesWhatIsNoSipUri) {
  for (const char* text :
       {"", "sip:", "sip:@host", "tel:+123", "example.com", "sip:a b@host", "sip:a@host:0",
        "sip:a@host:65536", "sip:a@host:", "sip:a%4@host", "sip:a%zz@host", "<sip:a@host>",
        "sip:a@ho\nst", "sip:a@[::1", "sip:a@ho,st", "sip:a@"})
    EXPECT_FALSE(SipUri::Parse(text)) << text;
}

}  // namespace
}  // namespace gatehouse
