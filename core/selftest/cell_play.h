// One cell being played: what was seen of it so far, and how it ended.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/loop/loop.h"
#include "core/loop/socket_address.h"
#include "core/selftest/matrix_cell.h"
#include "core/selftest/sip_agent.h"
#include "core/tls/tls_context.h"

namespace gatehouse::selftest {

// What all cells are played on.
struct MatrixStage {
  Loop& loop;
  SipAgent& sip;
  std::string local_domain;  // Gatehouse's
  std::string passphrase;    // of Gatehouse's dialback keys
  SocketAddress gatehouse;
  // By Certificate. As a server nobody can do without one: kNone then makes the handshake fail.
  std::array<std::shared_ptr<const TlsContext>, 4> certificates;
};

class CellPlay {
 public:
  // `name` is unlike that of every other cell: the first label of the partner's domain, and the
  // mark in the body of its stanza.
  CellPlay(const MatrixStage& stage, const MatrixCell& cell, const std::string& name,
           std::function<void(CellPlay&)> on_end)
      : stage_(stage),
        cell_(cell),
        domain_(DomainOf(name)),
        mark_("mark-" + name + "-end"),
        on_end_(std::move(on_end)) {}
  virtual ~CellPlay() = default;
  CellPlay(const CellPlay&) = delete;
  CellPlay& operator=(const CellPlay&) = delete;

  virtual void Start() = 0;
  // The stanza of this cell has come out at the SIP side.
  virtual void OnSipMessage() = 0;
  virtual void OnSipAnswer(int status) = 0;
  // It did not end by itself.
  void OnTimeout() { End("no end, after: " + refusal_); }

  // A word for the trail; void once the cell has ended.
  void Note(std::string_view word);
  // Why there may be no method; the last one counts.
  void SetRefusal(std::string_view why) { refusal_ = why; }
  // How the pair was proven, as the partner sees it.
  void SetMethod(std::string_view method) { method_ = method; }
  // The stanza of this cell stood in `text`: noted even after the end.
  void SawStanza() { stanza_seen_ = true; }
  // Octets that Gatehouse sent in clear on a connection of this cell that is over.
  void AddClearOctets(std::string_view octets) { clear_octets_ += octets; }
  // Lets go of the cell's own connection; not from inside its callbacks.
  virtual void Disconnect() = 0;

  [[nodiscard]] static std::string DomainOf(const std::string& name) {
    return name + ".matrix.example";
  }
  [[nodiscard]] const MatrixCell& cell() const { return cell_; }
  [[nodiscard]] const MatrixStage& stage() const { return stage_; }
  [[nodiscard]] const std::string& domain() const { return domain_; }
  [[nodiscard]] const std::string& mark() const { return mark_; }
  [[nodiscard]] const std::string& method() const { return method_; }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] const std::string& clear_octets() const { return clear_octets_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const CellOutcome& outcome() const { return outcome_; }
  // The stanza went through although the cell ended with a refusal.
  [[nodiscard]] bool leaked() const { return stanza_seen_ && method_.empty(); }

 protected:
  void End(std::string result);
  void EndRefused() { End("refused: " + refusal_); }

 private:
  const MatrixStage& stage_;
  MatrixCell cell_;
  std::string domain_;
  std::string mark_;
  std::function<void(CellPlay&)> on_end_;
  std::string method_;
  std::string refusal_ = "no method";
  std::string clear_octets_;
  CellOutcome outcome_;
  bool stanza_seen_ = false;
  bool ended_ = false;
};

// The dialback key of XEP-0185.
[[nodiscard]] std::string KeyBy(std::string_view passphrase, std::string_view receiving,
                                std::string_view originating, std::string_view stream_id);
// The partner's own: its server knows the first; the second is what a liar would send.
[[nodiscard]] std::string PartnerKey(const CellPlay& play, std::string_view stream_id);
[[nodiscard]] std::string WrongKey(const CellPlay& play, std::string_view stream_id);

}  // namespace gatehouse::selftest
