#include "ipc/link_side.h"

#include <fmt/format.h>
#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/log.h"
#include "core/base/utf8_check.h"
#include "proto/link_control.pb.h"

namespace gatehouse::ipc {
namespace {

// A greeting is repeated soon, because the other end may be about to connect, then less often.
constexpr milliseconds kGreetAgain{10};
constexpr milliseconds kGreetAgainMost{100};
constexpr std::size_t kMaxTextBytes = 256;
// More instances of one plugin than any machine has cores.
constexpr std::size_t kMaxInstances = 1024;

constexpr std::size_t kDefaultMaxMessageBytes = 1048576;

std::size_t MaxMessageBytes(const proto::LinkEnd& end) {
  return end.max_message_bytes() > 0 ? end.max_message_bytes() : kDefaultMaxMessageBytes;
}

ZmqSocket::Options SocketOptions(const LinkSide::Setup& setup, const proto::LinkEnd& end) {
  ZmqSocket::Options options;
  options.routing_id = setup.self.instance;
  // We tell a frame that is too large from a good one; ZeroMQ itself steps in only where memory is
  // at stake.
  options.max_message_bytes = 2 * MaxMessageBytes(end) + kFrameTargetBytes;
  // At most one frame per offer, one per settle of the other end's offers, and greetings.
  options.high_water_messages = static_cast<int>(4 * end.window() + 4096);
  options.linger = setup.linger;
  // What an end holds for a dead sibling is kept once, in its outbox, and not in the socket as
  // well.
  options.queue_unconnected = false;
  return options;
}

}  // namespace

std::optional<std::size_t> IndexOfInstance(std::string_view plugin, std::string_view instance) {
  if (!instance.starts_with(plugin)) return std::nullopt;
  instance.remove_prefix(plugin.size());
  if (!instance.starts_with('/')) return std::nullopt;
  instance.remove_prefix(1);
  std::size_t index = 0;
  const auto [end, failed] =
      std::from_chars(instance.data(), instance.data() + instance.size(), index);
  if (failed != std::errc{} || end != instance.data() + instance.size()) return std::nullopt;
  if (index >= kMaxInstances) return std::nullopt;
  return index;
}

std::string CleanText(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    std::size_t cut = kMaxTextBytes;
    while (cut > kMaxTextBytes - 4 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    text = text.substr(0, cut);
  }
  std::string clean(text);
  if (!IsUtf8(clean))
    std::replace_if(
        clean.begin(), clean.end(), [](char c) { return static_cast<signed char>(c) < 0; }, '?');
  return clean;
}

LinkSide::LinkSide(const Setup& setup, const proto::LinkEnd& end)
    : loop_(setup.loop),
      self_(setup.self),
      plugin_(end.sibling_plugin()),
      address_(end.binds() ? end.address() : std::string()),
      max_message_bytes_(MaxMessageBytes(end)),
      on_malformed_(setup.on_malformed),
      malformed_(setup.metrics.Value("gatehouse_link_malformed_total")),
      strange_(setup.metrics.Value("gatehouse_link_frames_dropped_total")),
      full_(setup.metrics.Value("gatehouse_bugs_total", "{bug=\"link_high_water\"}")),
      port_(setup.loop, setup.context, SocketOptions(setup, end),
            [this](std::string_view instance, const ZmqFrame& frame) { Receive(instance, frame); }),
      greet_again_(setup.loop, [this] { GreetAgain(); }),
      end_of_turn_(setup.loop, [this] { FlushAll(); }) {}

LinkSide::~LinkSide() = default;

Result<void> LinkSide::Open() {
  if (address_.empty()) return {};
  return port_.Bind(address_);
}

void LinkSide::SiblingUp(const proto::Sibling& sibling) {
  const auto index = IndexOfInstance(plugin_, sibling.instance());
  if (!index) return;
  OnInstanceCount(std::clamp<std::size_t>(sibling.instance_count(), *index + 1, kMaxInstances));
  Other* other = Meet(*index);
  if (other == nullptr) return;
  other->gone = false;
  if (address_.empty()) {
    if (const auto connected = port_.ConnectTo(other->name, sibling.address()); !connected) {
      Log(LogLevel::kError, "link-connect",
          {{"sibling", other->name}, {"why", connected.error().text}});
      return;
    }
  }
  if (!other->greeting.Announce(sibling.epoch())) return;
  other->answer_due = false;
  OnReborn(*other);
  Greet(*other);
}

void LinkSide::SiblingGone(const proto::Sibling& sibling) {
  const auto index = IndexOfInstance(plugin_, sibling.instance());
  if (!index) return;
  Other* other = Meet(*index);  // it may have been gone before we came
  if (other == nullptr) return;
  other->gone = true;
  other->greeting.Close();
  OnGone(*other);
  if (sibling.instance_count() > 0)
    OnInstanceCount(std::min<std::size_t>(sibling.instance_count(), kMaxInstances));
}

void LinkSide::Close(std::string_view instance) {
  if (Other* other = Find(instance)) other->greeting.Close();
}

LinkSide::Other& LinkSide::Add(std::unique_ptr<Other> other) {
  std::string name = other->name;
  return *others_.emplace(std::move(name), std::move(other)).first->second;
}

LinkSide::Other* LinkSide::Find(std::string_view instance) {
  const auto found = others_.find(instance);
  return found == others_.end() ? nullptr : found->second.get();
}

void LinkSide::Receive(std::string_view instance, const ZmqFrame& frame) {
  Other* other = Find(instance);
  if (other == nullptr || other->greeting.state() == Greeting::State::kClosed) {
    ++strange_;
    return;
  }
  if (!frame.well_formed) return OnMalformedFrame(*other, "not one part");
  if (frame.body.size() > max_message_bytes_) return OnMalformedFrame(*other, "too large");
  if (const std::string_view wrong = Read(*other, frame.body); !wrong.empty())
    OnMalformedFrame(*other, wrong);
}

void LinkSide::OnMalformedFrame(Other& other, std::string_view what) {
  ++malformed_;
  Log(LogLevel::kError, "link-malformed", {{"sibling", other.name}, {"what", what}});
  other.greeting.Close();
  complaints_.push_back(Complaint{other.name, std::string(what)});
  end_of_turn_.Arm();
}

bool LinkSide::Hear(Other& other, std::uint64_t sender_epoch, std::uint64_t receiver_epoch,
                    std::uint32_t hello) {
  const Greeting::Heard heard = other.greeting.Hear(sender_epoch, receiver_epoch, hello);
  if (!heard.accepted) {
    ++strange_;
    return false;
  }
  if (heard.answer) other.answer_due = true;
  if (heard.opened) OnOpened(other);
  if (heard.opened || heard.answer) FlushLater(other);
  return true;
}

void LinkSide::Greet(Other& other) {
  WriteHello(other);
  GreetSoon();
}

void LinkSide::GreetSoon() {
  greet_delay_ = kGreetAgain;
  greet_again_.Start(greet_delay_);
}

void LinkSide::GreetAgain() {
  bool any = false;
  for (const auto& [name, other] : others_) {
    if (!other->greeting.greets()) continue;
    any = true;
    WriteHello(*other);
  }
  if (!any) return;
  greet_delay_ = std::min(2 * greet_delay_, kGreetAgainMost);
  greet_again_.Start(greet_delay_);
}

void LinkSide::FlushLater(Other& other) {
  if (!other.has_words) to_flush_.push_back(&other);
  other.has_words = true;
  end_of_turn_.Arm();
}

void LinkSide::FlushAll() {
  for (const std::vector<Other*> now = std::exchange(to_flush_, {}); Other * other : now) {
    other->has_words = false;
    Flush(*other);
  }
  for (const Complaint& complaint : std::exchange(complaints_, {}))
    if (on_malformed_) on_malformed_(complaint.instance, complaint.what);
}

bool LinkSide::Send(Other& other, const google::protobuf::MessageLite& frame) {
  const std::size_t size = frame.ByteSizeLong();
  ZmqMessage message(size);
  frame.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(message.data()));
  const ZmqSocket::Sent sent = port_.Send(other.name, message);
  if (sent == ZmqSocket::Sent::kSent) return true;
  if (sent == ZmqSocket::Sent::kFull) ++full_;
  if (other.greeting.open()) GreetSoon();
  other.greeting.Lost();
  return false;
}

}  // namespace gatehouse::ipc
