// Every message of RFC 4475 as bytes: read, or refused with the status of 12.3.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>

#include "core/sip/sip_framer.h"
#include "core/sip/sip_message.h"

namespace gatehouse {
namespace {

constexpr int kRead = 0;     // must be read; what becomes of it is decided later
constexpr int kDropped = 1;  // a response that is none

struct TortureCase {
  const char* name;
  int answer;
};
void PrintTo(const TortureCase& torture, std::ostream* out) {
  *out << torture.name;
}

std::string Bytes(const std::string& name) {
  std::ifstream file(std::string(RFC4475_DIR) + "/" + name + ".dat", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Torture : public testing::TestWithParam<TortureCase> {};

TEST_P(Torture, IsReadOrRefusedAsDecided) {
  const std::string bytes = Bytes(GetParam().name);
  ASSERT_FALSE(bytes.empty());
  const auto message = SipMessage::Parse(bytes, false);
  if (GetParam().answer == kRead) {
    ASSERT_TRUE(message) << message.error().status << " " << message.error().reason;
    EXPECT_FALSE(message->vias().empty());
    EXPECT_FALSE(message->call_id().empty());
  } else if (GetParam().answer == kDropped) {
    ASSERT_FALSE(message);
    EXPECT_FALSE(message.error().answerable);
  } else {
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().status, GetParam().answer) << message.error().reason;
    EXPECT_TRUE(message.error().answerable);
    EXPECT_FALSE(message.error().top_via.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rfc4475, Torture,
    testing::Values(
        // §3.1.1, valid
        TortureCase{"wsinv", kRead}, TortureCase{"intmeth", kRead}, TortureCase{"esc01", kRead},
        TortureCase{"escnull", kRead}, TortureCase{"esc02", kRead}, TortureCase{"lwsdisp", kRead},
        TortureCase{"longreq", kRead}, TortureCase{"dblreq", kRead}, TortureCase{"semiuri", kRead},
        TortureCase{"transports", kRead}, TortureCase{"mpart01", kRead},
        TortureCase{"unreason", kRead}, TortureCase{"noreason", kRead},
        // §3.1.2, invalid
        TortureCase{"badinv01", 400}, TortureCase{"clerr", 400}, TortureCase{"ncl", 400},
        TortureCase{"scalar02", 400}, TortureCase{"scalarlg", kDropped},
        TortureCase{"quotbal", 400}, TortureCase{"ltgtruri", 400}, TortureCase{"lwsruri", 400},
        TortureCase{"lwsstart", 400}, TortureCase{"trws", 400}, TortureCase{"escruri", 400},
        TortureCase{"baddate", kRead}, TortureCase{"regbadct", 400}, TortureCase{"badaspec", 400},
        TortureCase{"baddn", 400}, TortureCase{"badvers", 505}, TortureCase{"mismatch01", 400},
        TortureCase{"mismatch02", 400}, TortureCase{"bigcode", kDropped},
        // §3.2, transaction layer: whole messages; the endpoint looks at the cookie
        TortureCase{"badbranch", kRead},
        // §3.3, application layer
        TortureCase{"insuf", 400}, TortureCase{"unkscm", 416}, TortureCase{"novelsc", 416},
        TortureCase{"unksm2", kRead}, TortureCase{"bext01", kRead}, TortureCase{"invut", kRead},
        TortureCase{"regaut01", kRead}, TortureCase{"multi01", 400}, TortureCase{"mcl01", 400},
        TortureCase{"bcast", kRead}, TortureCase{"zeromf", kRead}, TortureCase{"cparam01", kRead},
        TortureCase{"cparam02", kRead}, TortureCase{"regescrt", kRead}, TortureCase{"sdp01", kRead},
        // §3.4, backward compatibility
        TortureCase{"inv2543", kRead}),
    [](const testing::TestParamInfo<TortureCase>& torture) {
      return std::string(torture.param.name);
    });

TEST(Rfc4475, HasNoMessageWithoutACase) {
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(RFC4475_DIR))
    ++files;
  EXPECT_EQ(files, 49U);
}

TEST(Rfc4475, ShortTortuousInviteKeepsItsMeaning) {
  const std::string bytes = Bytes("wsinv");
  const auto message = SipMessage::Parse(bytes, true);
  ASSERT_TRUE(message) << message.error().reason;
  EXPECT_EQ(message->method(), "INVITE");
  EXPECT_EQ(message->to().uri, "sip:vivekg@chair-dnrc.example.com");
  EXPECT_EQ(message->to().tag, "1918181833n");
  EXPECT_EQ(message->from().uri, "sip:jdrosen@example.com");
  EXPECT_EQ(message->from().display_name, R"(J Rosenberg \\\")");
  EXPECT_EQ(message->from().tag, "98asjd8");
  EXPECT_EQ(message->max_forwards(), 68);
  EXPECT_EQ(message->cseq().number, 9U);
  EXPECT_EQ(message->cseq().method, "INVITE");
  ASSERT_EQ(message->vias().size(), 3U);
  EXPECT_EQ(message->vias()[0].transport, "UDP");
  EXPECT_EQ(message->vias()[0].host, "192.0.2.2");
  EXPECT_EQ(message->vias()[0].branch, "390skdjuw");
  EXPECT_EQ(message->vias()[1].transport, "TCP");
  EXPECT_EQ(message->vias()[1].host, "spindle.example.com");
  EXPECT_EQ(message->vias()[1].branch, "z9hG4bK9ikj8");
  EXPECT_EQ(message->vias()[2].branch, "z9hG4bK30239");
  EXPECT_EQ(message->subject(), "");
  EXPECT_EQ(message->content_type(), "application/sdp");
  EXPECT_EQ(message->body().size(), 150U);
}

TEST(Rfc4475, TwoRequestsInOneStreamAreTwoMessages) {
  const std::string bytes = Bytes("dblreq");
  SipFramer framer;
  framer.Add(bytes);
  for (const std::string_view method : {"REGISTER", "INVITE"}) {
    auto frame = framer.Next();
    while (frame && *frame && (*frame)->kind != SipFramer::Kind::kMessage) frame = framer.Next();
    ASSERT_TRUE(frame && *frame);
    const auto message = SipMessage::Parse((*frame)->bytes, true);
    ASSERT_TRUE(message) << message.error().reason;
    EXPECT_EQ(message->method(), method);
  }
}

TEST(Rfc4475, WideCharactersInAReasonSurvive) {
  const std::string bytes = Bytes("unreason");
  const auto message = SipMessage::Parse(bytes, true);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->status(), 200);
  EXPECT_TRUE(message->reason().starts_with("= 2**3 * 5**2 "));
}

TEST(Rfc4475, DateInAnotherZoneIsIgnored) {
  const auto message = SipMessage::Parse(Bytes("baddate"), true);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->date(), "");
}

TEST(Rfc4475, BinaryBodyArrivesWhole) {
  const std::string bytes = Bytes("mpart01");
  const auto message = SipMessage::Parse(bytes, true);
  ASSERT_TRUE(message) << message.error().reason;
  EXPECT_EQ(message->content_type(), "multipart/mixed");
  EXPECT_TRUE(bytes.ends_with(message->body()));
  EXPECT_NE(message->body().find('\0'), std::string_view::npos);
}

TEST(Rfc4475, ControlCharactersInAQuotedPairDoNotCutTheAddress) {
  const std::string bytes = Bytes("intmeth");
  const auto message = SipMessage::Parse(bytes, true);
  ASSERT_TRUE(message) << message.error().reason;
  EXPECT_TRUE(message->to().uri.starts_with("sip:1_unusual.URI~"));
  EXPECT_TRUE(message->to().uri.ends_with("@example.com"));
  EXPECT_EQ(message->from().tag, "_token~1'+`*%!-.");
  EXPECT_EQ(message->from().display_name, "token1~` token2'+_ token3*%!.-");
}

}  // namespace
}  // namespace gatehouse
