// What both kinds of link share: one side of it with every sibling on the other side. Greets new
// lives (greeting.h), gathers what is to be said until the end of the turn, closes towards a
// sibling that breaks the protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/loop/loop.h"
#include "core/loop/timer.h"
#include "ipc/greeting.h"
#include "ipc/identity.h"
#include "ipc/link_port.h"

namespace google::protobuf {
class MessageLite;
}  // namespace google::protobuf

namespace gatehouse::proto {
class LinkEnd;
class Sibling;
}  // namespace gatehouse::proto

namespace gatehouse::ipc {

// Where a frame ends and the next begins: small enough that the other end starts while we still
// write.
inline constexpr std::size_t kFrameTargetBytes = 65536;
// Everything of a frame but bodies, at most; with it a lone body must fit max_message_bytes.
inline constexpr std::size_t kFrameHeadBytes = 128;

// "tls_listener/3" is 3; nullopt when it is no instance of `plugin`.
std::optional<std::size_t> IndexOfInstance(std::string_view plugin, std::string_view instance);

// At most 256 octets of UTF-8: what a peer may have written must not make the other end refuse the
// frame.
std::string CleanText(std::string_view text);

class LinkSide {
 public:
  using OnMalformed = std::function<void(std::string_view instance, std::string_view what)>;
  struct Setup {
    Loop& loop;
    ZmqContext& context;
    Metrics& metrics;
    const Identity& self;
    milliseconds linger;
    OnMalformed on_malformed;
  };

  virtual ~LinkSide();
  LinkSide(const LinkSide&) = delete;
  LinkSide& operator=(const LinkSide&) = delete;

  // Binds, if this is the side that does.
  Result<void> Open();
  void SiblingUp(const proto::Sibling& sibling);
  void SiblingGone(const proto::Sibling& sibling);
  void Close(std::string_view instance);
  // A frame as the port hands it on. Public so that every decoder can be fuzzed without a socket.
  void Receive(std::string_view instance, const ZmqFrame& frame);
  [[nodiscard]] const std::string& plugin() const { return plugin_; }

 protected:
  // One instance on the other side, by whatever life. Never removed: plugins keep references.
  struct Other {
    Other(std::string instance_name, std::uint64_t own_epoch)
        : name(std::move(instance_name)), greeting(own_epoch) {}
    virtual ~Other() = default;
    Other(const Other&) = delete;
    Other& operator=(const Other&) = delete;

    const std::string name;
    Greeting greeting;
    bool gone = false;
    bool answer_due = false;  // it waits for any frame of ours
    bool has_words = false;   // among those to be flushed
  };

  LinkSide(const Setup& setup, const proto::LinkEnd& end);

  // --- what a kind of link does
  // Finds or makes what stands for `index`. Null: this side has no use for that instance.
  virtual Other* Meet(std::size_t index) = 0;
  virtual void OnInstanceCount(std::size_t /*configured*/) {}
  virtual void OnReborn(Other& other) = 0;  // a new life was announced
  virtual void OnOpened(Other& other) = 0;  // say everything again that still matters
  virtual void OnGone(Other& other) = 0;
  // A frame: calls Hear with its head; returns what is wrong with it, or nothing.
  virtual std::string_view Read(Other& other, std::string_view bytes) = 0;
  virtual void WriteHello(Other& other) = 0;
  // The end of the turn; has_words is false again.
  virtual void Flush(Other& other) = 0;

  // --- what a kind of link needs
  // True when the rest of the frame is for us.
  bool Hear(Other& other, std::uint64_t sender_epoch, std::uint64_t receiver_epoch,
            std::uint32_t hello);
  void FlushLater(Other& other);
  // False: it did not leave, the link is no longer open.
  bool Send(Other& other, const google::protobuf::MessageLite& frame);
  Other& Add(std::unique_ptr<Other> other);
  [[nodiscard]] Other* Find(std::string_view instance);
  [[nodiscard]] std::size_t max_message_bytes() const { return max_message_bytes_; }
  [[nodiscard]] const Identity& self() const { return self_; }
  [[nodiscard]] Loop& loop() { return loop_; }

 private:
  struct Complaint {
    std::string instance;
    std::string what;
  };

  void OnMalformedFrame(Other& other, std::string_view what);
  void Greet(Other& other);
  void GreetSoon();
  void GreetAgain();
  void FlushAll();

  Loop& loop_;
  const Identity& self_;
  std::string plugin_;
  std::string address_;  // where we bind; empty: we connect
  std::size_t max_message_bytes_;
  OnMalformed on_malformed_;
  double& malformed_;
  double& strange_;
  double& full_;
  std::map<std::string, std::unique_ptr<Other>, std::less<>> others_;
  std::vector<Other*> to_flush_;
  std::vector<Complaint> complaints_;
  LinkPort port_;
  milliseconds greet_delay_{0};
  Timer greet_again_;
  EndOfTurn end_of_turn_;
};

}  // namespace gatehouse::ipc
