// Many streams at once: what it costs to open one, and what an open one costs while nothing is
// said.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/loop/timer.h"
#include "tests/bench/partner_stream.h"
#include "tests/bench/process_usage.h"
#include "tests/bench/sip_end.h"

namespace gatehouse::bench {

struct CrowdOrder {
  enum class Direction { kIn, kOut };  // kOut: Gatehouse opens, one stream for each domain
  Direction direction = Direction::kIn;
  std::size_t streams = 0;
  bool stays = false;  // and is measured while it is idle
  bool fresh = false;  // kIn: each with a certificate that Gatehouse has never seen
};

// "handshakes:in=2000", "handshakes:fresh=500", "idle:out=500".
Result<CrowdOrder> ParseCrowd(const std::string& text);

struct CrowdSetup {
  std::string suffix;  // the partner's domains are d0.SUFFIX, d1.SUFFIX, ...
  std::string local_domain;
  SocketAddress gatehouse, sip_gatehouse;
  std::shared_ptr<const TlsContext> tls;
  // Of CrowdOrder::fresh: the certificate of the stream with this number.
  std::function<Result<std::shared_ptr<const TlsContext>>(std::size_t number)> fresh_tls;
  int partner_fd = -1;  // listening
  int sip_fd = -1;
  std::size_t window = 32;  // negotiations under way
  double settle_s = 5;      // after the last stream has opened
  double idle_s = 10;
  std::vector<WatchedProcess> processes;
};

struct CrowdResult {
  struct OfWorker {
    std::string worker;
    double open_cpu_us = 0;  // for all streams together
    double idle_cpu_us = 0;
    std::int64_t grown_kib = 0;  // PSS
  };
  CrowdOrder order;
  double open_s = 0;
  double idle_s = 0;
  std::size_t left_while_idle = 0;
  std::vector<OfWorker> workers;
};

// One JSON object, without a line end.
[[nodiscard]] std::string ToJson(const CrowdResult& result);

class Crowd {
 public:
  Crowd(Loop& loop, const CrowdSetup& setup, CrowdOrder order);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Opens the streams, measures, closes them, and stops the loop. Fails where one could not be had.
  Result<CrowdResult> Run();

 private:
  using Step = void (Crowd::*)();

  [[nodiscard]] bool out() const { return order_.direction == CrowdOrder::Direction::kOut; }
  [[nodiscard]] std::string DomainOf(std::size_t number) const;
  void After(double seconds, Step step);
  void Begin();
  void OpenMore();
  void OpenOne(std::size_t number);
  void Add(std::unique_ptr<TcpStream> tcp, const std::string& domain,
           std::shared_ptr<const TlsContext> tls);
  void OnOpen();
  void OnGone(PartnerStream& stream, std::string_view why);
  void AwaitAll();
  void MeasureOpening();
  void MeasureIdle();
  void Close();
  void AwaitNone();
  void Fail(const std::string& why);

  Loop& loop_;
  const CrowdSetup& setup_;
  CrowdOrder order_;
  PartnerStream::Events events_;
  SipEnd sip_;
  Timer timer_;
  Step step_ = nullptr;
  std::unique_ptr<TcpAcceptor> acceptor_;
  std::map<PartnerStream*, std::unique_ptr<PartnerStream>> streams_;
  std::map<std::size_t, std::unique_ptr<TcpStream::Connecting>> attempts_;
  std::vector<std::shared_ptr<const TlsContext>> fresh_;
  std::vector<UsageNow> before_;
  TimePoint since_, give_up_at_;
  std::size_t asked_ = 0, opened_ = 0, gone_ = 0;
  bool closing_ = false;
  CrowdResult result_;
  std::string failure_;
};

}  // namespace gatehouse::bench
