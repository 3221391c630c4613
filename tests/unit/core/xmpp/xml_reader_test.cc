#include "core/xmpp/xml_reader.h"

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

constexpr std::string_view kHeader =
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns:db='jabber:server:dialback' from='partner.example' to='corp.example' version='1.0'>";

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Reads with every event written down.
class Reading {
 public:
  Reading() : reader_(XmlReader::Create(Events())) {}

  Reading& Feed(std::string_view text) {
    if (result_ && reader_) result_ = reader_->Feed(Bytes(text));
    return *this;
  }
  Reading& FeedByteByByte(std::string_view text) {
    for (const char& c : text) Feed({&c, 1});
    return *this;
  }
  Reading& Verified() {
    reader_->LiftUnverifiedBudget();
    return *this;
  }
  // "ok" or the condition.
  [[nodiscard]] std::string_view Answer() const {
    return result_ ? "ok" : StreamConditionName(result_.error());
  }
  XmlReader& reader() { return *reader_; }

  StreamHeader header_;
  std::vector<std::string> elements_;
  std::vector<std::size_t> sizes_;
  std::vector<std::string> oversized_;
  int headers_ = 0;
  int footers_ = 0;
  std::size_t whitespace_ = 0;
  std::string stop_at_;     // Stop() when this element comes
  std::string destroy_at_;  // destroy the reader when this element comes
  std::string lift_at_;     // LiftUnverifiedBudget() when this element comes

 private:
  XmlReader::Events Events() {
    return {.on_header = [this](const StreamHeader& header) { OnHeader(header); },
            .on_element = [this](proto::Element& e, std::size_t bytes) { OnElement(e, bytes); },
            .on_footer = [this] { ++footers_; },
            .on_oversized = [this](const proto::Element& head) { oversized_.push_back(Xml(head)); },
            .on_whitespace = [this](std::size_t bytes) { whitespace_ += bytes; }};
  }
  static std::string Xml(const proto::Element& element) {
    std::string out;
    AppendXml(out, element);
    return out;
  }
  void OnHeader(const StreamHeader& header) {
    header_ = header;
    ++headers_;
  }
  void OnElement(proto::Element& element, std::size_t bytes) {
    elements_.push_back(Xml(element));
    sizes_.push_back(bytes);
    if (element.name() == lift_at_) reader_->LiftUnverifiedBudget();
    if (element.name() == stop_at_) reader_->Stop();
    if (element.name() == destroy_at_) reader_.reset();
  }

  std::unique_ptr<XmlReader> reader_;
  Result<void, StreamCondition> result_;
};

std::string_view AnswerTo(std::string_view text) {
  return Reading().Feed(text).Answer();
}
std::string_view AnswerBehindHeader(std::string_view text) {
  return Reading().Feed(kHeader).Verified().Feed(text).Answer();
}
std::string Repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(XmlReader, ReadsTheHeader) {
  Reading reading;
  reading.Feed("<?xml version='1.0' encoding='utf-8'?>").Feed(kHeader);
  EXPECT_EQ(reading.Answer(), "ok");
  EXPECT_EQ(reading.header_.prefix, "stream");
  EXPECT_EQ(reading.header_.name, "stream");
  EXPECT_EQ(reading.header_.ns, ns::kStream);
  EXPECT_EQ(reading.header_.default_ns, ns::kServer);
  EXPECT_TRUE(reading.header_.declares_dialback);
  EXPECT_EQ(reading.header_.from, "partner.example");
  EXPECT_EQ(reading.header_.to, "corp.example");
  EXPECT_EQ(reading.header_.version, "1.0");
  EXPECT_TRUE(reading.header_.has_version);
}

TEST(XmlReader, TellsWhatAHeaderLeavesOut) {
  Reading reading;
  reading.Feed("<x:stream xmlns:x='http://etherx.jabber.org/streams' xml:lang='de'>");
  EXPECT_EQ(reading.header_.prefix, "x");
  EXPECT_EQ(reading.header_.default_ns, "");
  EXPECT_EQ(reading.header_.lang, "de");
  EXPECT_FALSE(reading.header_.has_from || reading.header_.has_to || reading.header_.has_version);
  EXPECT_FALSE(reading.header_.declares_dialback);
}

TEST(XmlReader, IgnoresALanguageThatIsNone) {
  Reading reading;
  reading.Feed("<stream xml:lang='d e'>");
  EXPECT_EQ(reading.header_.lang, "");
}

TEST(XmlReader, GivesEachStanzaAtItsLastByteHoweverTheBytesAreCut) {
  constexpr std::string_view kStanza =
      "<message from='bob@partner.example/home' to='ann@corp.example' type='chat' id='m1'>"
      "<body>Hi &lt;\u00FC\U0001F600</body><x xmlns='urn:x' a='1'/></message>";
  Reading whole;
  whole.Feed(std::string(kHeader) + std::string(kStanza) + " " + std::string(kStanza));
  Reading cut;
  cut.FeedByteByByte(std::string(kHeader) + std::string(kStanza) + " " + std::string(kStanza));
  ASSERT_EQ(whole.elements_.size(), 2U);
  EXPECT_EQ(whole.elements_[0],
            "<message from='bob@partner.example/home' to='ann@corp.example' type='chat' id='m1'>"
            "<body>Hi &lt;\u00FC\U0001F600</body><x xmlns='urn:x' a='1'/></message>");
  EXPECT_EQ(whole.elements_, cut.elements_);
  EXPECT_EQ(whole.sizes_, (std::vector<std::size_t>{kStanza.size(), kStanza.size()}));
  EXPECT_EQ(cut.sizes_, whole.sizes_);
  EXPECT_EQ(whole.whitespace_, 1U);
}

TEST(XmlReader, DeliversAnEmptyElementWithoutWaitingForMore) {
  Reading reading;
  reading.Feed(kHeader).Feed("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  ASSERT_EQ(reading.elements_.size(), 1U);
  EXPECT_EQ(reading.elements_[0], "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
}

TEST(XmlReader, EndsAtTheFooterAndDiscardsWhatFollows) {
  Reading reading;
  reading.Feed(kHeader).Feed("</stream:stream><message/><stream:stream>").Feed("<x>\xFF");
  EXPECT_EQ(reading.Answer(), "ok");
  EXPECT_EQ(reading.footers_, 1);
  EXPECT_TRUE(reading.elements_.empty());
}

TEST(XmlReader, TellsWhatStoodBehindTheElementItStoppedAt) {
  Reading reading;
  reading.stop_at_ = "starttls";
  reading.Feed(kHeader).Feed("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\n<auth/>");
  EXPECT_EQ(reading.Answer(), "ok");
  EXPECT_EQ(reading.elements_.size(), 1U);
  EXPECT_EQ(reading.reader().unread().size(), 8U);
  Reading clean;
  clean.stop_at_ = "starttls";
  clean.Feed(std::string(kHeader) +
             "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></starttls>");
  EXPECT_TRUE(clean.reader().unread().empty());
}

TEST(XmlReader, MayBeDestroyedInsideItsCallback) {
  Reading reading;
  reading.destroy_at_ = "a";
  reading.Feed(kHeader).Feed("<a/><b/>");
  EXPECT_EQ(reading.Answer(), "ok");
  EXPECT_EQ(reading.elements_.size(), 1U);
}

// --- 2.2, nos. 1 to 3 and 13

TEST(XmlReader, TakesADeclarationOfVersionOneInUtf8Only) {
  EXPECT_EQ(AnswerTo("<?xml version='1.0'?><s>"), "ok");
  EXPECT_EQ(AnswerTo("<?xml version='1.0' encoding='Utf-8'?><s>"), "ok");
  EXPECT_EQ(AnswerTo("<?xml version='1.1'?><s>"), "not-well-formed");
  EXPECT_EQ(AnswerTo("<?xml version='1.0' encoding='ISO-8859-1'?><s>"), "unsupported-encoding");
  EXPECT_EQ(AnswerTo("<?xml version='1.0' standalone='yes'?><s>"), "restricted-xml");
  EXPECT_EQ(AnswerTo("<?xml version='1.0' standalone='no'?><s>"), "restricted-xml");
}

TEST(XmlReader, RefusesAByteOrderMark) {
  EXPECT_EQ(AnswerTo("\xEF\xBB\xBF<s>"), "not-well-formed");
  EXPECT_EQ(Reading().FeedByteByByte("\xEF\xBB\xBF<s>").Answer(), "not-well-formed");
}

TEST(XmlReader, RefusesAHeaderWithTooManyOrTooLongAttributes) {
  std::string many = "<s";
  for (int i = 0; i < 17; ++i) many += " a" + std::to_string(i) + "='x'";
  EXPECT_EQ(AnswerTo(many + ">"), "policy-violation");
  EXPECT_EQ(AnswerTo("<s a='" + std::string(3073, 'x') + "'>"), "policy-violation");
  EXPECT_EQ(AnswerTo("<s a='" + std::string(3072, 'x') + "'>"), "ok");
}

// --- 12.1

TEST(XmlReader, X1RefusesADoctypeBeforeExpandingAnything) {
  EXPECT_EQ(AnswerTo("<!DOCTYPE s SYSTEM 'http://evil.example/x.dtd'><s>"), "restricted-xml");
  EXPECT_EQ(AnswerTo("<!DOCTYPE s [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><s>&b;"), "restricted-xml");
  EXPECT_EQ(AnswerTo("<!DOCTYPE s ["), "restricted-xml");
  EXPECT_EQ(AnswerBehindHeader("<!DOCTYPE s>"), "not-well-formed");
}

TEST(XmlReader, X2RefusesEntitiesOtherThanTheFiveAndForbiddenCodePoints) {
  EXPECT_EQ(AnswerBehindHeader("<m>&foo;</m>"), "restricted-xml");
  EXPECT_EQ(AnswerBehindHeader("<m a='&foo;'/>"), "restricted-xml");
  EXPECT_EQ(AnswerBehindHeader("<m>&#0;</m>"), "not-well-formed");
  EXPECT_EQ(AnswerBehindHeader("<m>&#xFFFE;</m>"), "not-well-formed");
  EXPECT_EQ(AnswerBehindHeader("<m>&#xD800;</m>"), "not-well-formed");
  EXPECT_EQ(AnswerBehindHeader("<m>&lt;&gt;&amp;&apos;&quot;&#x41;</m>"), "ok");
}

TEST(XmlReader, X3RefusesCommentsAndProcessingInstructions) {
  EXPECT_EQ(AnswerBehindHeader("<!-- x -->"), "restricted-xml");
  EXPECT_EQ(AnswerBehindHeader("<m><!-- x --></m>"), "restricted-xml");
  EXPECT_EQ(AnswerTo("<?pi x?><s>"), "restricted-xml");
  EXPECT_EQ(AnswerBehindHeader("<m><?pi?></m>"), "restricted-xml");
}

TEST(XmlReader, X4TakesCdataAsTextAndRefusesItsEndInText) {
  Reading reading;
  reading.Feed(kHeader).Feed("<m><![CDATA[<a>&]]></m>");
  ASSERT_EQ(reading.elements_.size(), 1U);
  EXPECT_EQ(reading.elements_[0], "<m>&lt;a&gt;&amp;</m>");
  EXPECT_EQ(AnswerBehindHeader("<m>]]></m>"), "not-well-formed");
}

TEST(XmlReader, X5RefusesOtherEncodings) {
  EXPECT_EQ(AnswerTo("<?xml version='1.0' encoding='UTF-16'?><s>"), "unsupported-encoding");
  EXPECT_EQ(AnswerTo("<?xml version='1.0' encoding='UTF-7'?><s>"), "unsupported-encoding");
  EXPECT_EQ(AnswerTo("\xFE\xFF"), "unsupported-encoding");
  EXPECT_EQ(AnswerTo("\xFF\xFE<"), "unsupported-encoding");
  constexpr std::string_view kLittleEndian("<\0s\0>\0", 6);
  EXPECT_EQ(AnswerTo(kLittleEndian), "unsupported-encoding");
  EXPECT_EQ(AnswerTo(kLittleEndian.substr(1)), "unsupported-encoding");
  EXPECT_EQ(Reading().FeedByteByByte(kLittleEndian).Answer(), "unsupported-encoding");
}

TEST(XmlReader, X6RefusesBrokenUtf8AndTakesASplitSequence) {
  EXPECT_EQ(AnswerBehindHeader("<m>\xC0\xAF</m>"), "unsupported-encoding");
  EXPECT_EQ(AnswerBehindHeader("<m>\xED\xA0\x80</m>"), "unsupported-encoding");
  EXPECT_EQ(AnswerBehindHeader("<m>\xF5</m>"), "unsupported-encoding");
  Reading reading;
  reading.Feed(kHeader).Feed("<m>\xE2\x82").Feed("\xAC</m>");
  EXPECT_EQ(reading.elements_.at(0), "<m>\u20AC</m>");
}

TEST(XmlReader, X6StillDeliversWhatCameBeforeTheBrokenByte) {
  Reading reading;
  reading.Feed(kHeader).Feed("<m/><n>\xFF");
  EXPECT_EQ(reading.elements_.size(), 1U);
  EXPECT_EQ(reading.Answer(), "unsupported-encoding");
}

TEST(XmlReader, X7RefusesDepthAtItsLimit) {
  EXPECT_EQ(AnswerBehindHeader(Repeat("<a>", 32)), "ok");
  EXPECT_EQ(AnswerBehindHeader(Repeat("<a>", 33)), "policy-violation");
  EXPECT_EQ(AnswerBehindHeader(Repeat("<a>", 10000)), "policy-violation");
}

TEST(XmlReader, X7RefusesTooManyAttributesNamespacesAndChildren) {
  std::string attributes = "<a";
  for (int i = 0; i < 32; ++i) attributes += " a" + std::to_string(i) + "=''";
  EXPECT_EQ(AnswerBehindHeader(attributes + "/>"), "ok");
  EXPECT_EQ(AnswerBehindHeader(attributes + " b=''/>"), "policy-violation");
  std::string namespaces = "<a";
  for (int i = 0; i < 16; ++i) namespaces += " xmlns:n" + std::to_string(i) + "='u'";
  EXPECT_EQ(AnswerBehindHeader(namespaces + "/>"), "ok");
  EXPECT_EQ(AnswerBehindHeader(namespaces + " xmlns='u'/>"), "policy-violation");
  EXPECT_EQ(AnswerBehindHeader("<a>" + Repeat("<b/>", 512) + "</a>"), "ok");
  EXPECT_EQ(AnswerBehindHeader("<a>" + Repeat("<b/>", 513)), "policy-violation");
}

TEST(XmlReader, X7RefusesLongNamesAndValues) {
  EXPECT_EQ(AnswerBehindHeader("<a b='" + std::string(8192, 'x') + "'/>"), "ok");
  EXPECT_EQ(AnswerBehindHeader("<a xmlns='" + std::string(8192, 'x') + "'/>"), "ok");
  EXPECT_EQ(AnswerBehindHeader("<a xmlns='" + std::string(8193, 'x') + "'/>"), "policy-violation");
  EXPECT_EQ(AnswerBehindHeader("<a b='" + std::string(8193, 'x') + "'/>"), "policy-violation");
  EXPECT_EQ(AnswerBehindHeader("<" + std::string(256, 'x') + "/>"), "ok");
  EXPECT_EQ(AnswerBehindHeader("<" + std::string(257, 'x') + "/>"), "policy-violation");
  EXPECT_EQ(AnswerBehindHeader("<a " + std::string(257, 'x') + "=''/>"), "policy-violation");
}

TEST(XmlReader, X7RefusesATreeThatGrowsByRepeatingALongNamespace) {
  const std::string ns(8000, 'n');
  const std::string elements = "<a xmlns='" + ns + "'>" + Repeat("<b/>", 500) + "</a>";
  EXPECT_EQ(AnswerBehindHeader(elements), "policy-violation");
  std::string attributes = "<a xmlns:p='" + ns + "'>";
  for (int child = 0; child < 10; ++child) {
    attributes += "<b";
    for (int i = 0; i < 30; ++i) attributes += " p:a" + std::to_string(i) + "=''";
    attributes += "/>";
  }
  EXPECT_EQ(AnswerBehindHeader(attributes + "</a>"), "policy-violation");
  EXPECT_EQ(AnswerBehindHeader("<a xmlns='" + ns + "'>" + Repeat("<b/>", 50) + "</a>"), "ok");
}

TEST(XmlReader, X7RefusesATagThatNeverEndsWhileItGrows) {
  for (const char* begin : {"<a b='", "<", "<a ", "</", "<!--", "<a><![CDATA[x]]><b c=\""}) {
    Reading reading;
    reading.Feed(kHeader).Verified().Feed(begin);
    std::size_t fed = 0;
    while (reading.Answer() == "ok" && fed < 1048576) {
      reading.Feed(std::string(4096, 'x'));
      fed += 4096;
    }
    EXPECT_EQ(reading.Answer(), "policy-violation") << begin;
    EXPECT_LE(fed, 65536U + 4096U) << begin;
  }
}

TEST(XmlReader, X7RefusesDuplicateAttributes) {
  EXPECT_EQ(AnswerBehindHeader("<a b='1' b='2'/>"), "not-well-formed");
  EXPECT_EQ(AnswerBehindHeader("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>"), "not-well-formed");
}

TEST(XmlReader, X8ResolvesByNamespaceNeverByPrefix) {
  EXPECT_EQ(AnswerBehindHeader("<x:a/>"), "not-well-formed");
  EXPECT_EQ(AnswerBehindHeader("<a xmlns:xml='urn:x'/>"), "not-well-formed");
  EXPECT_EQ(AnswerBehindHeader("<a xmlns:p=''/>"), "not-well-formed");
  Reading reading;
  reading.Feed(kHeader).Feed("<m xmlns:stream='urn:x'><stream:a/></m>");
  EXPECT_EQ(reading.elements_.at(0), "<m><a xmlns='urn:x'/></m>");
}

TEST(XmlReader, X8RefusesANamespaceThatImitatesOurSeparator) {
  EXPECT_EQ(AnswerBehindHeader("<a xmlns='u&#12;b'/>"), "not-well-formed");
}

TEST(XmlReader, X9KeepsStreamTagsInTextAsText) {
  Reading reading;
  reading.Feed(kHeader).Feed(
      "<m><![CDATA[</stream:stream><stream:stream>]]></m><n><stream:stream/></n>");
  ASSERT_EQ(reading.elements_.size(), 2U);
  EXPECT_EQ(reading.elements_[0], "<m>&lt;/stream:stream&gt;&lt;stream:stream&gt;</m>");
  EXPECT_EQ(reading.elements_[1], "<n><stream:stream/></n>");
  EXPECT_EQ(reading.footers_, 0);
}

TEST(XmlReader, X10LeavesANestedStanzaInsideItsStanza) {
  Reading reading;
  reading.Feed(kHeader).Feed("<message><presence/><iq xmlns='jabber:client'/></message>");
  EXPECT_EQ(reading.elements_.size(), 1U);
}

TEST(XmlReader, X11TellsTheNamespaceOfAStanza) {
  Reading reading;
  reading.Feed(kHeader).Feed("<message xmlns=''/><message xmlns='jabber:client'/>");
  EXPECT_EQ(reading.elements_.at(0), "<message xmlns=''/>");
  EXPECT_EQ(reading.elements_.at(1), "<message xmlns='jabber:client'/>");
}

TEST(XmlReader, X16GivesLineEndsInAttributesAsTheyAre) {
  Reading reading;
  reading.Feed(kHeader).Feed("<m a='x&#13;y' b='x\ry'/>");
  EXPECT_EQ(reading.elements_.at(0), "<m a='x&#xD;y' b='x y'/>");
}

TEST(XmlReader, RefusesTextBetweenStanzas) {
  EXPECT_EQ(AnswerBehindHeader("hello"), "bad-format");
  EXPECT_EQ(AnswerBehindHeader(" \t\r\n"), "ok");
}

TEST(XmlReader, RefusesUnbalancedTags) {
  EXPECT_EQ(AnswerBehindHeader("<a></b>"), "not-well-formed");
  EXPECT_EQ(AnswerTo("hello "), "not-well-formed");
}

// --- 2.11

TEST(XmlReader, Takes16384OctetsBeforeTheFirstVerifiedPair) {
  const std::string rest(kMaxUnverifiedBytes - kHeader.size(), ' ');
  EXPECT_EQ(Reading().Feed(kHeader).Feed(rest).Answer(), "ok");
  EXPECT_EQ(Reading().Feed(kHeader).Feed(rest).Feed(" ").Answer(), "policy-violation");
  EXPECT_EQ(Reading().Feed(kHeader).Feed(rest + " ").Answer(), "policy-violation");
  EXPECT_EQ(Reading().Feed(kHeader).Verified().Feed(rest + " ").Answer(), "ok");
}

TEST(XmlReader, CountsNoMoreOnceAnElementInTheSameBytesLiftedTheBudget) {
  Reading reading;
  reading.lift_at_ = "result";
  reading.Feed(std::string(kHeader) + "<db:result>key</db:result>" + std::string(40000, ' ') +
               "<m/>");
  EXPECT_EQ(reading.Answer(), "ok");
  EXPECT_EQ(reading.elements_.size(), 2U);
}

std::string MessageOf(std::size_t bytes) {
  constexpr std::string_view kBegin = "<message id='m1'><body>";
  constexpr std::string_view kEnd = "</body></message>";
  return std::string(kBegin) + std::string(bytes - kBegin.size() - kEnd.size(), 'x') +
         std::string(kEnd);
}

TEST(XmlReader, TakesAStanzaOfTheGreatestSize) {
  Reading reading;
  reading.Feed(kHeader).Verified().Feed(MessageOf(kMaxStanzaBytes));
  EXPECT_EQ(reading.Answer(), "ok");
  EXPECT_EQ(reading.elements_.size(), 1U);
  EXPECT_EQ(reading.sizes_.at(0), kMaxStanzaBytes);
}

TEST(XmlReader, GivesOnlyTheHeadOfAStanzaUpToTwiceThatSizeAndReadsOn) {
  for (const std::size_t size : {kMaxStanzaBytes + 1, 2 * kMaxStanzaBytes}) {
    Reading reading;
    reading.Feed(kHeader).Verified();
    const std::string message = MessageOf(size);
    for (std::size_t at = 0; at < message.size(); at += 1460)
      reading.Feed(std::string_view(message).substr(at, 1460));
    reading.Feed("<m/>");
    EXPECT_EQ(reading.Answer(), "ok");
    ASSERT_EQ(reading.oversized_.size(), 1U);
    EXPECT_EQ(reading.oversized_[0], "<message id='m1'/>");
    EXPECT_EQ(reading.elements_.size(), 1U);
  }
}

TEST(XmlReader, RefusesAStanzaOfMoreThanTwiceThatSizeBeforeItsEnd) {
  Reading reading;
  reading.Feed(kHeader).Verified().Feed("<message><body>");
  for (int i = 0; i < 600 && reading.Answer() == "ok"; ++i) reading.Feed(std::string(1024, 'x'));
  EXPECT_EQ(reading.Answer(), "policy-violation");
  EXPECT_TRUE(reading.elements_.empty());
}

// --- 12.5, memory per stream

// expat keeps each name it has met until the stream ends.
TEST(XmlReader, EndsAStreamWhoseNamesAreNeverTheSame) {
  for (const bool as_attributes : {false, true}) {
    Reading reading;
    reading.Feed(kHeader).Verified();
    std::size_t names = 0;
    for (int stanza = 0; stanza < 1000 && reading.Answer() == "ok"; ++stanza) {
      std::string message = "<message>";
      for (int i = 0; i < 100; ++i) {
        const std::string name = std::string(200, 'n') + std::to_string(++names);
        message += as_attributes ? "<a " + name + "=''/>" : "<" + name + "/>";
      }
      reading.Feed(message + "</message>");
    }
    EXPECT_EQ(reading.Answer(), "resource-constraint");
    EXPECT_GE(names, 1000U);
    EXPECT_LE(names * 200, 2U * 1048576);
  }
}

TEST(XmlReader, ALongNamespaceAtEachDepthIsNoHoard) {
  std::string deep;
  for (int depth = 0; depth < 20; ++depth)
    deep += "<a xmlns='" + std::to_string(depth) + std::string(8000, 'u') + "'>";
  Reading reading;
  reading.Feed(kHeader).Verified();
  for (int i = 0; i < 10; ++i) reading.Feed(deep + Repeat("</a>", 20));
  EXPECT_EQ(reading.Answer(), "ok");
}

TEST(XmlReader, StaysDeadAfterItRefused) {
  Reading reading;
  reading.Feed(kHeader).Feed("<!-- x -->");
  EXPECT_FALSE(reading.reader().Feed(Bytes("<m/>")));
  EXPECT_TRUE(reading.elements_.empty());
}

TEST(XmlReader, GivesThousandsOfStanzasOneAfterTheOther) {
  Reading reading;
  reading.Feed(kHeader).Verified();
  for (int i = 0; i < 3000; ++i)
    reading.Feed("<message id='" + std::to_string(i) + "'><body>text</body></message>");
  EXPECT_EQ(reading.elements_.size(), 3000U);
  EXPECT_EQ(reading.elements_.back(), "<message id='2999'><body>text</body></message>");
}

TEST(XmlReader, ReadsOnAfterARestEvenInTheMiddleOfAStanza) {
  Reading reading;
  reading.Feed(kHeader).Verified();
  for (int round = 0; round < 3; ++round) {
    reading.reader().Rest();
    reading.Feed("<message id='a'><body>te");
    reading.reader().Rest();
    reading.Feed("xt</body></message>");
  }
  EXPECT_EQ(reading.elements_,
            std::vector<std::string>(3, "<message id='a'><body>text</body></message>"));
}

}  // namespace
}  // namespace gatehouse
