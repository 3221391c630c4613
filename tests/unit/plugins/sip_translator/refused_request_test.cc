// Requests that nobody translates, as `gatehousectl why` knows them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/sip_translator/refusal_note.h"
#include "tests/unit/plugins/sip_translator/flow_fixture.h"

namespace gatehouse::translator {
namespace {

using testing::HasSubstr;

class RefusedRequest : public FlowTest {
 protected:
  RequestAnswer Refuse(const std::string& method, const std::string& to,
                       const std::string& lines = {}, const std::string& from = "ann") {
    const std::string text =
        method + " " + to +
        " SIP/2.0\r\nVia: SIP/2.0/TCP pool;branch=z9hG4bK1\r\nFrom: <sip:" + from +
        "@corp.example>;tag=c3\r\nTo: <" + to + ">\r\nCall-ID: call-1\r\nCSeq: 1 " + method +
        "\r\n" + lines + "Content-Length: 0\r\n\r\n";
    const auto request = SipMessage::Parse(text, true);
    EXPECT_TRUE(request) << request.error().reason;
    const std::vector<std::string> own = {"edge.corp.example:5061"};
    auto answer = AnswerWithoutTranslation(*request, true, own);
    EXPECT_TRUE(answer.has_value());
    NoteRequest(context, gatehouse::RefusedRequest::Of(*request), *answer);
    return *answer;
  }
  static std::string WarningOf(const RequestAnswer& answer) {
    for (const SipExtraHeader& header : answer.headers)
      if (header.name == "Warning") return header.value;
    return {};
  }
  proto::RefusalRecord Record(const std::string& id) {
    const proto::RefusalRecords found = context.refusals.Find(id);
    EXPECT_EQ(found.refusals_size(), 1) << id;
    return found.refusals_size() == 1 ? found.refusals(0) : proto::RefusalRecord();
  }
};

TEST_F(RefusedRequest, IsRememberedWithItsMethodStatusAndReason) {
  struct Case {
    const char* method;
    const char* lines;
    const char* kind;
    const char* status;
    const char* reason;
  };
  for (const Case& one :
       {Case{"REGISTER", "", "request", "405", "unreadable-content"},
        Case{"NEWMETHOD", "", "request", "501", "unreadable-content"},
        Case{"CANCEL", "", "request", "481", "no-such-dialog"},
        Case{"SUBSCRIBE", "Require: adhoclist\r\n", "subscribe", "420", "unreadable-content"},
        Case{"MESSAGE", "Require: x\r\n", "message", "420", "unreadable-content"}}) {
    const RequestAnswer answer = Refuse(one.method, "sip:bob@partner.example", one.lines);
    const proto::RefusalRecord record = Record(answer.id);
    EXPECT_EQ(record.kind(), one.kind) << one.method;
    EXPECT_EQ(record.answer(), one.status) << one.method;
    EXPECT_EQ(record.reason(), one.reason) << one.method;
    EXPECT_EQ(record.partner(), "partner.example") << one.method;
    EXPECT_EQ(record.from(), "ann@corp.example") << one.method;
    EXPECT_THAT(WarningOf(answer), HasSubstr("(" + answer.id + ")")) << one.method;
  }
}

TEST_F(RefusedRequest, ThatComesOverAndOverIsOneRecordAMinute) {
  const std::string id = Refuse("REGISTER", "sip:corp.example").id;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Refuse("REGISTER", "sip:corp.example").id, id);
  EXPECT_EQ(context.refusals.All().refusals_size(), 1);
  EXPECT_NE(Refuse("REGISTER", "sip:corp.example", {}, "ben").id, id);
  for (const char* method : {"MESSAGE", "SUBSCRIBE", "OPTIONS"}) {
    const std::string to = "sip:bob@partner.example";
    const std::string first = Refuse(method, to, "Require: x\r\n").id;
    EXPECT_EQ(Refuse(method, to, "Require: x\r\n").id, first) << method;
  }
}

TEST_F(RefusedRequest, ThatIsForOurselvesTakesNoStrangersPlace) {
  const RequestAnswer strangers = Refuse("REFER", "sip:eve@stranger.example");
  for (int i = 0; i < 100; ++i) Refuse("REGISTER", "sip:corp.example", {}, "u" + std::to_string(i));
  EXPECT_EQ(Record(strangers.id).partner(), "stranger.example");
}

TEST_F(RefusedRequest, OfEachMethodThatExistsIsARecordOfItsOwnAndOfAllOthersOne) {
  const std::string to = "sip:bob@partner.example";
  const std::string first = Refuse("REGISTER", to).id;
  const std::string other = Refuse("PUBLISH", to).id;
  EXPECT_NE(first, other);
  EXPECT_THAT(Record(first).sentence(), HasSubstr("REGISTER"));
  EXPECT_THAT(Record(other).sentence(), HasSubstr("PUBLISH"));
  const std::string invented = Refuse("INVENTED", to).id;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Refuse("INVENTED" + std::to_string(i), to).id, invented);
  EXPECT_EQ(context.refusals.All().refusals_size(), 3);
}

TEST_F(RefusedRequest, ThatGoesInCirclesOrNamesAnotherUserSaysSo) {
  struct Case {
    const char* lines;
    const char* status;
    const char* reason;
  };
  for (const Case& one :
       {Case{"Max-Forwards: 0\r\n", "483", "routing-loop"},
        Case{"Via: SIP/2.0/TLS edge.corp.example:5061;branch=z9hG4bK0\r\n", "482", "routing-loop"},
        Case{"P-Asserted-Identity: <sip:eve@corp.example>\r\n", "403", "identity-mismatch"}}) {
    const RequestAnswer answer = Refuse("MESSAGE", "sip:bob@partner.example", one.lines);
    const proto::RefusalRecord record = Record(answer.id);
    EXPECT_EQ(record.kind(), "message") << one.lines;
    EXPECT_EQ(record.answer(), one.status) << one.lines;
    EXPECT_EQ(record.reason(), one.reason) << one.lines;
    EXPECT_THAT(WarningOf(answer), HasSubstr(record.id())) << one.lines;
  }
}

TEST_F(RefusedRequest, ThatNobodyAnswersInTimeOrThatIsOneTooManySaysSo) {
  for (const auto& [status, reason] :
       {std::pair{504, Reason::kExpired}, std::pair{500, Reason::kOverloaded}}) {
    RequestAnswer answer{status, ReasonPhrase(status), {}, reason};
    NoteRequest(context, {"MESSAGE", "sip:ann@corp.example", "sip:bob@partner.example"}, answer);
    const proto::RefusalRecord record = Record(answer.id);
    EXPECT_EQ(record.reason(), ReasonCode(reason));
    EXPECT_EQ(record.answer(), std::to_string(status));
    EXPECT_EQ(record.from(), "ann@corp.example");
    EXPECT_EQ(record.partner(), "partner.example");
    EXPECT_THAT(WarningOf(answer), HasSubstr("(" + answer.id + ")"));
  }
}

// What cannot be read names nobody but where it came from.
TEST_F(RefusedRequest, ThatCannotBeReadIsOneRecordOfItsPeerForEachFault) {
  const auto refuse = [this](int status, std::string_view fault, std::string_view peer) {
    SipRefusal refusal;
    refusal.status = status;
    refusal.reason = fault;
    RequestAnswer answer = AnswerTo(refusal);
    NoteRequest(context, {.from = peer}, answer);
    EXPECT_THAT(WarningOf(answer), HasSubstr("(" + answer.id + ")"));
    return answer.id;
  };
  const std::string id = refuse(400, "Malformed From", "192.0.2.1");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(refuse(400, "Malformed From", "192.0.2.1"), id);
  EXPECT_NE(refuse(400, "Malformed From", "192.0.2.2"), id);
  EXPECT_NE(refuse(400, "Malformed CSeq", "192.0.2.1"), id);
  EXPECT_EQ(Record(id).from(), "192.0.2.1");
  EXPECT_EQ(Record(id).reason(), "malformed-request");
  EXPECT_THAT(Record(id).sentence(), HasSubstr("(Malformed From)"));
  const std::string large = refuse(513, "Message Too Large", "192.0.2.1");
  EXPECT_EQ(Record(large).reason(), "too-large");
  EXPECT_EQ(Record(large).answer(), "513");
}

}  // namespace
}  // namespace gatehouse::translator
