// A SIP side without sockets: requests are kept until the test answers them.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/sip_translator/sip_endpoint.h"

namespace gatehouse {

class FakeSipEndpoint final : public SipEndpoint {
 public:
  // As the next hop would read it.
  struct Request {
    std::string method, request_uri, from, to, call_id, branch, content_type, body, next_hop;
    std::string text;
    std::uint32_t cseq = 0;
    std::size_t max_bytes = 0;
  };
  struct Sent {
    Request request;
    OnFinal done;
  };
  Result<void, SipSendRefusal> SendRequest(SipOutgoing request, OnFinal done) override {
    if (refuse_with) return std::unexpected(*refuse_with);
    sent.push_back({Read(std::move(request)), std::move(done)});
    return {};
  }
  std::string SentBy(SipTransport) const override { return "edge.corp.example:5061"; }
  void OnRequests(OnRequest handler) override { on_request = std::move(handler); }
  void OnRefusals(OnRefusal handler) override { on_refusal = std::move(handler); }
  void PauseRequests() override { paused = true; }
  void ResumeRequests() override { paused = false; }
  bool ShowCertificate(const OwnCertificate*) override { return true; }
  Result<void> Reconfigure(const proto::Config&) override { return {}; }
  std::size_t requests_in_flight() const override { return sent.size(); }
  std::size_t replies_owed() const override { return 0; }

  // Answers the oldest request with `status` and further header lines.
  void AnswerFirst(int status, std::string_view reason, std::string_view lines = {}) {
    const Sent first = Take();
    const std::string text = "SIP/2.0 " + std::to_string(status) + " " + std::string(reason) +
                             "\r\nVia: SIP/2.0/TCP edge;branch=" + first.request.branch +
                             "\r\nFrom: " + first.request.from + "\r\nTo: " + first.request.to +
                             ";tag=b\r\nCall-ID: " + first.request.call_id +
                             "\r\nCSeq: " + std::to_string(first.request.cseq) + " " +
                             first.request.method + "\r\n" + std::string(lines) +
                             "Content-Length: 0\r\n\r\n";
    const auto response = SipMessage::Parse(text, true);
    GATEHOUSE_CHECK(response.has_value());
    first.done({SipFailure::kNone, status, &*response});
  }
  void FailFirst(SipFailure failure) { Take().done({failure, 0, nullptr}); }

  std::deque<Sent> sent;
  std::optional<SipSendRefusal> refuse_with;
  OnRequest on_request;
  OnRefusal on_refusal;
  bool paused = true;

 private:
  static Request Read(SipOutgoing outgoing) {
    outgoing.SetVia("TCP", "edge", outgoing.branch(), ";alias");
    const auto message = SipMessage::Parse(outgoing.text(), true);
    GATEHOUSE_CHECK(message.has_value());
    return {std::string(message->method()),
            std::string(message->request_uri()),
            std::string(message->from().text),
            std::string(message->to().text),
            std::string(message->call_id()),
            outgoing.branch(),
            std::string(message->Header("Content-Type").value_or("")),
            std::string(message->body()),
            outgoing.next_hop(),
            outgoing.text(),
            message->cseq().number,
            outgoing.max_bytes()};
  }
  Sent Take() {
    Sent first = std::move(sent.front());
    sent.pop_front();
    return first;
  }
};

// Keeps what the translator answers.
class FakeSipReplies final : public SipReply::Sink {
 public:
  struct Answered {
    int status = 0;
    Reason why = Reason::kNone;
    std::vector<SipExtraHeader> headers;
  };
  void Answer(std::uint64_t, int status, Reason why,
              std::span<const SipExtraHeader> headers) override {
    answers.push_back({status, why, {headers.begin(), headers.end()}});
  }
  std::vector<Answered> answers;
};

}  // namespace gatehouse
