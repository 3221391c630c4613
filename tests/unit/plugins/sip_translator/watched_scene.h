// Watchers of contacts, as the scenes of WatchedContacts see them.
#pragma once

#include <gmock/gmock.h>

#include <deque>
#include <string>
#include <utility>

#include "plugins/sip_translator/watched_contacts.h"
#include "tests/unit/plugins/sip_translator/flow_fixture.h"

namespace gatehouse::translator {

// Ann of corp.example watches Bob of partner.example.
class WatchedContactsTest : public FlowTest {
 protected:
  explicit WatchedContactsTest(DialogLimits limits = {})
      : watched(
            context,
            [this](const proto::PolicyQuestion& question, auto answer) {
              asked.push_back({question, std::move(answer)});
            },
            limits) {}
  struct Wanted {
    std::string expires = "3600";
    std::string call_id = "sub-1";
    std::string tag = "a1";      // Ann's
    std::string local_tag = {};  // ours, in a dialog
    std::string lines = {};
    std::string to = "sip:bob@partner.example";
    std::string from = "sip:ann@corp.example";
    std::string event = "presence";
  };
  void Subscribe(const Wanted& wanted) {
    const std::string branch = "z9hG4bK" + std::to_string(++cseq_);
    std::string text =
        "SUBSCRIBE " + wanted.to + " SIP/2.0\r\nVia: SIP/2.0/TCP pool;branch=" + branch +
        "\r\nMax-Forwards: 70\r\nFrom: <" + wanted.from + ">;tag=" + wanted.tag + "\r\nTo: <" +
        wanted.to + ">" + (wanted.local_tag.empty() ? "" : ";tag=" + wanted.local_tag) +
        "\r\nCall-ID: " + wanted.call_id + "\r\nCSeq: " + std::to_string(cseq_) +
        " SUBSCRIBE\r\nContact: <sip:ann@10.0.0.5:5061;transport=tcp>\r\n" +
        "Event: " + wanted.event + "\r\n" + wanted.lines;
    if (!wanted.expires.empty()) text += "Expires: " + wanted.expires + "\r\n";
    text += "Content-Length: 0\r\n\r\n";
    const auto message = SipMessage::Parse(text, true);
    ASSERT_TRUE(message) << message.error().reason;
    watched.OnSubscribe(*message, SipPeer{SipTransport::kTcp, {}, {}},
                        SipReply(replies, ++transactions_));
  }
  void EngineSays(Result<proto::ContactState> state) {
    ASSERT_FALSE(asked.empty());
    const Asked first = std::move(asked.front());
    asked.pop_front();
    first.answer(std::move(state));
  }
  // What the watcher is told next, which he answers with `status`.
  FakeSipEndpoint::Request TakeNotify(int status = 200) {
    EXPECT_FALSE(endpoint.sent.empty());
    if (endpoint.sent.empty()) return {};
    FakeSipEndpoint::Request request = endpoint.sent.front().request;
    endpoint.AnswerFirst(status, "x");
    return request;
  }
  static std::string StateOf(const FakeSipEndpoint::Request& notify) {
    const auto message = SipMessage::Parse(notify.text, true);
    return std::string(message->Header("Subscription-State").value_or("(none)"));
  }
  std::string NotifiedState(int status = 200) { return StateOf(TakeNotify(status)); }
  void Hear(std::string_view type, std::string_view resource = "", std::string_view show = "") {
    proto::Element presence = MakeElement("presence", ns::kServer);
    SetAttribute(presence, "from", "bob@partner.example" + std::string(resource));
    SetAttribute(presence, "to", "ann@corp.example");
    if (!type.empty()) SetAttribute(presence, "type", type);
    if (!show.empty()) AddText(AddChild(presence, "show", ns::kServer), show);
    HearStanza(presence);
  }
  void HearStanza(const proto::Element& presence) {
    heard = watched.OnPresence(presence, {*Jid::Parse(Attribute(presence, "from")),
                                          *Jid::Parse(Attribute(presence, "to"))});
  }
  std::string SaidType() { return std::string(Attribute(TakeStanza(), "type")); }
  bool SaidNothing() { return links.At(0).offers.empty(); }
  void Wait(seconds span) {
    for (seconds done{0}; done < span; done += seconds{1}) {
      clock.Advance(seconds{1});
      watched.Tick();
    }
  }
  // Ann watches, Bob has agreed, nothing is under way.
  std::string WatchActively() {
    Subscribe({});
    EngineSays(proto::CONTACT_AUTHORISED);
    const std::string to = TakeNotify().from;
    EXPECT_EQ(SaidType(), "subscribe");
    Hear("subscribed");
    EXPECT_EQ(NotifiedState(), "active;expires=3600");
    Hear("", "/home");
    Wait(seconds{5});
    EXPECT_THAT(TakeNotify().body, testing::HasSubstr("<basic>open</basic>"));
    return to.substr(to.find(";tag=") + 5);
  }

  struct Asked {
    proto::PolicyQuestion question;
    std::function<void(Result<proto::ContactState>)> answer;
  };
  std::deque<Asked> asked;
  bool heard = false;
  WatchedContacts watched;

 private:
  std::uint32_t cseq_ = 0;
  std::uint64_t transactions_ = 0;
};

}  // namespace gatehouse::translator
