// Every data and ask link of one worker: made from its proto::LinkEnd list, fed with sibling
// events. The worker host owns one and hands its parts to the plugin.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/loop/loop.h"
#include "ipc/ask_link.h"
#include "ipc/data_link.h"
#include "ipc/identity.h"
#include "ipc/zmq_context.h"

namespace gatehouse::proto {
class LinkEnd;
class Sibling;
}  // namespace gatehouse::proto

namespace gatehouse::ipc {

class Links {
 public:
  // A sibling sent what it must not. Its links are closed already; called once per life of it, in a
  // later turn.
  using OnMalformed = std::function<void(std::string_view instance, std::string_view what)>;
  struct Options {
    LinkConditions conditions{};  // of data links
    // How long closing waits for words not yet sent.
    milliseconds linger{200};
  };

  // All references must outlive this object. Nothing is opened yet.
  Links(Loop& loop, ZmqContext& context, Metrics& metrics, Identity self, Options options,
        OnMalformed on_malformed);
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  // Opens one end: binds (and unlinks what a dead binder left there), or gets ready to connect at
  // SiblingUp.
  //   fails  kConfig when the address is no "ipc://PATH" or PATH is longer than sun_path holds;
  //          kTrouble when it cannot be bound
  Result<void> Open(const proto::LinkEnd& end);

  // A new life of the other end of one of our links, or more configured instances of it. May be
  // repeated. Every unsettled offer and every open question goes out to the new life, in order.
  void SiblingUp(const proto::Sibling& sibling);
  // It will not come back: every unsettled offer to it fails.
  void SiblingGone(const proto::Sibling& sibling);
  // Hears nothing more from this life of `instance` and says nothing to it. The next SiblingUp
  // opens again.
  void Close(std::string_view instance);

  // Null where no such link was opened. Stable as long as this object.
  [[nodiscard]] AskClient* AskLinkTo(std::string_view plugin);
  [[nodiscard]] DataLinkSet* DataLinksWith(std::string_view plugin);
  // `handler` gets every question of every worker that may ask us. Until it is set, questions wait.
  void AnswerAsks(AskServer::Handler handler);
  // Offers held here, of all data links.
  [[nodiscard]] std::size_t unsettled() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gatehouse::ipc
