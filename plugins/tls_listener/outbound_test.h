// `gatehousectl test stream`: one stream of its own, each step told with its time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/xmpp/outbound_connection.h"
#include "proto/ctl.pb.h"

namespace gatehouse {

// The report of a stream that was not even tried.
[[nodiscard]] proto::CtlResponse RefusedTest(const OutboundFault& fault);
// The same of one that was asked for before the first snapshot: who is a partner is not known.
[[nodiscard]] proto::CtlResponse TestWithoutPolicy();
// The same where the domain is one of our own.
[[nodiscard]] proto::CtlResponse RefusedTestOfOurs(const std::string& domain);

class OutboundTest {
 public:
  using Answer = std::function<void(proto::CtlResponse)>;
  struct Events {
    Answer answer;  // once
    std::function<void(std::string_view local, std::string_view stream_id)> make_key;
    std::function<void()> gone;  // destroy the test, in a later turn
  };
  OutboundTest(Loop& loop, OutboundDialer& dialer, OutboundConnection::Order order, Events events);

  void Start();
  void GiveKey(std::string_view local, std::string_view key) { connection_.GiveKey(local, key); }

 private:
  OutboundConnection::Events ConnectionEvents();
  void AddStep(std::string_view step, bool ok, std::string detail);
  void Succeed(proto::AuthMethod method);
  void Fail(const OutboundFault& fault);

  Loop& loop_;
  TimePoint begun_;
  int row_;  // of the matrix
  Events events_;
  proto::CtlResponse response_;
  OutboundConnection connection_;
};

}  // namespace gatehouse
