// The kinds of question a lookup has on its way to c-ares, each answered once. Used by
// dns_lookup.cc.
#pragma once

#include <ares.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "core/loop/dns_lookup.h"
#include "core/loop/dns_replies.h"
#include "core/loop/timer.h"

namespace gatehouse {

using DnsQuestionId = std::uint64_t;

inline constexpr milliseconds kDnsQuestionLimit{5000};  // waiting in the queue included (3.3)

// Who is told what c-ares replied.
class DnsReplyTaker {
 public:
  virtual void Replied(DnsQuestionId id, std::size_t part, const DnsReply& reply) = 0;

 protected:
  ~DnsReplyTaker() = default;
};

// What c-ares hands back with its one callback, which frees it. It outlives the question where that
// met its limit.
struct DnsTicket {
  DnsReplyTaker* taker;
  DnsQuestionId id;
  std::size_t part;
};

// Where questions go. With kLocalServers they ask for AD, in messages of our own.
struct DnsAsker {
  ares_channel channel;
  DnsTrust trust;
};
inline constexpr int kEdnsBytes = 1232;  // what no path has to fragment
// c-ares puts the number into the message for ares_query only; nobody may guess it (RFC 5452 §4.3).
[[nodiscard]] std::uint16_t NewDnsMessageId();

// Answered when c-ares replied to all its parts, or when its time is over.
class DnsQuestion {
 public:
  DnsQuestion(Loop& loop, std::string_view asked)
      : name(asked), limit(loop, [this] { on_limit(); }) {}
  virtual ~DnsQuestion() = default;
  [[nodiscard]] virtual std::size_t parts() const { return 1; }  // questions to c-ares
  virtual void Ask(const DnsAsker& asker, std::size_t part, DnsTicket* ticket) = 0;
  virtual void Take(std::size_t part, const DnsReply& reply) = 0;
  // How long the parts still missing are worth waiting for.
  [[nodiscard]] virtual milliseconds Patience() const { return kDnsQuestionLimit; }
  virtual void Answer() = 0;

  std::string name;
  TimePoint due{};
  std::size_t replies = 0;
  bool answered = false;
  std::function<void()> on_limit;
  Timer limit;
};

template <class Record>
class TypedDnsQuestion : public DnsQuestion {
 public:
  using Done = std::function<void(DnsAnswer<Record>)>;
  TypedDnsQuestion(Loop& loop, std::string_view asked, Done done)
      : DnsQuestion(loop, asked), done_(std::move(done)) {}
  void Answer() override { done_(std::move(answer)); }

 protected:
  DnsAnswer<Record> answer;

 private:
  Done done_;
};

class SrvQuestion final : public TypedDnsQuestion<SrvRecord> {
 public:
  using TypedDnsQuestion::TypedDnsQuestion;
  void Ask(const DnsAsker& asker, std::size_t part, DnsTicket* ticket) override;
  void Take(std::size_t /*part*/, const DnsReply& reply) override { answer = SrvAnswer(reply); }
};

class TlsaQuestion final : public TypedDnsQuestion<TlsaRecord> {
 public:
  using TypedDnsQuestion::TypedDnsQuestion;
  void Ask(const DnsAsker& asker, std::size_t part, DnsTicket* ticket) override;
  void Take(std::size_t /*part*/, const DnsReply& reply) override { answer = TlsaAnswer(reply); }
};

class TxtQuestion final : public TypedDnsQuestion<std::string> {
 public:
  using TypedDnsQuestion::TypedDnsQuestion;
  void Ask(const DnsAsker& asker, std::size_t part, DnsTicket* ticket) override;
  void Take(std::size_t /*part*/, const DnsReply& reply) override { answer = TxtAnswer(reply); }
};

class NaptrQuestion final : public TypedDnsQuestion<NaptrRecord> {
 public:
  using TypedDnsQuestion::TypedDnsQuestion;
  void Ask(const DnsAsker& asker, std::size_t part, DnsTicket* ticket) override;
  void Take(std::size_t /*part*/, const DnsReply& reply) override { answer = NaptrAnswer(reply); }
};

// AAAA and A, asked side by side: a name server that drops one of them delays nobody for long.
class AddressQuestion final : public TypedDnsQuestion<SocketAddress> {
 public:
  AddressQuestion(Loop& loop, std::string_view asked, std::uint16_t port, Done done)
      : TypedDnsQuestion(loop, asked, std::move(done)), port_(port) {}
  [[nodiscard]] std::size_t parts() const override { return families_.size(); }
  void Ask(const DnsAsker& asker, std::size_t part, DnsTicket* ticket) override;
  void Take(std::size_t part, const DnsReply& reply) override;
  void TakeLiteral(const SocketAddress& literal) { families_[0] = {DnsStatus::kOk, {literal}}; }
  [[nodiscard]] milliseconds Patience() const override;
  void Answer() override;

 private:
  static constexpr std::array<int, 2> kFamilies = {AF_INET6, AF_INET};
  std::uint16_t port_;
  std::array<DnsAnswer<SocketAddress>, kFamilies.size()> families_;  // kTemporary until they came
};

}  // namespace gatehouse
