#include "ipc/links.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "ipc/ask_client_side.h"
#include "ipc/ask_server_side.h"
#include "ipc/data_link_side.h"
#include "proto/link_control.pb.h"

namespace gatehouse::ipc {

struct Links::State {
  Loop& loop;
  ZmqContext& context;
  Metrics& metrics;
  Identity self;
  Options options;
  OnMalformed on_malformed;
  AskServer::Handler handler;
  std::vector<std::unique_ptr<AskClientSide>> ask_clients;
  std::vector<std::unique_ptr<AskServerSide>> ask_servers;
  std::vector<std::unique_ptr<DataLinkSide>> data_sides;

  [[nodiscard]] LinkSide::Setup Setup() {
    return {loop, context, metrics, self, options.linger, on_malformed};
  }
  Result<void> OpenData(const proto::LinkEnd& end);
  Result<void> OpenAsk(const proto::LinkEnd& end);
  template <class Visit>
  void ForEachSide(Visit visit) {
    for (const auto& side : ask_clients) visit(static_cast<LinkSide&>(*side));
    for (const auto& side : ask_servers) visit(static_cast<LinkSide&>(*side));
    for (const auto& side : data_sides) visit(static_cast<LinkSide&>(*side));
  }
};

Links::Links(Loop& loop, ZmqContext& context, Metrics& metrics, Identity self, Options options,
             OnMalformed on_malformed)
    : state_(new State{loop,
                       context,
                       metrics,
                       std::move(self),
                       options,
                       std::move(on_malformed),
                       {},
                       {},
                       {},
                       {}}) {}

Links::~Links() = default;

Result<void> Links::Open(const proto::LinkEnd& end) {
  switch (end.kind()) {
    case proto::DATA:
      return state_->OpenData(end);
    case proto::ASK:
      return state_->OpenAsk(end);
    default:  // LINK_UNSET and protobuf's sentinels
      return BadConfig(fmt::format("link with '{}' has no kind", end.sibling_plugin()));
  }
}

Result<void> Links::State::OpenData(const proto::LinkEnd& end) {
  auto side = std::make_unique<DataLinkSide>(Setup(), end, options.conditions);
  GATEHOUSE_TRY_VOID(side->Open());
  data_sides.push_back(std::move(side));
  return {};
}

Result<void> Links::State::OpenAsk(const proto::LinkEnd& end) {
  if (end.asks()) {
    auto side = std::make_unique<AskClientSide>(Setup(), end);
    GATEHOUSE_TRY_VOID(side->Open());
    ask_clients.push_back(std::move(side));
    return {};
  }
  auto side = std::make_unique<AskServerSide>(Setup(), end);
  GATEHOUSE_TRY_VOID(side->Open());
  if (handler) side->Answer(handler);
  ask_servers.push_back(std::move(side));
  return {};
}

void Links::SiblingUp(const proto::Sibling& sibling) {
  state_->ForEachSide([&](LinkSide& side) { side.SiblingUp(sibling); });
}

void Links::SiblingGone(const proto::Sibling& sibling) {
  state_->ForEachSide([&](LinkSide& side) { side.SiblingGone(sibling); });
}

void Links::Close(std::string_view instance) {
  state_->ForEachSide([&](LinkSide& side) { side.Close(instance); });
}

AskClient* Links::AskLinkTo(std::string_view plugin) {
  for (const auto& side : state_->ask_clients)
    if (side->plugin() == plugin) return side.get();
  return nullptr;
}

DataLinkSet* Links::DataLinksWith(std::string_view plugin) {
  for (const auto& side : state_->data_sides)
    if (side->plugin() == plugin) return side.get();
  return nullptr;
}

void Links::AnswerAsks(AskServer::Handler handler) {
  state_->handler = std::move(handler);
  for (const auto& side : state_->ask_servers) side->Answer(state_->handler);
}

std::size_t Links::unsettled() const {
  std::size_t sum = 0;
  for (const auto& side : state_->data_sides) sum += side->unsettled();
  return sum;
}

}  // namespace gatehouse::ipc
