// Stanza errors that come back after the SIP user's MESSAGE got its 200 (8.2.3).
#pragma once

#include <string>

#include "plugins/sip_translator/flow_context.h"
#include "plugins/sip_translator/message_guard.h"
#include "plugins/sip_translator/stanza_check.h"

namespace gatehouse::translator {

class LateErrors {
 public:
  explicit LateErrors(FlowContext& context);
  // `stanza` is a message of type error. Where it answers a stanza of ours, its sender gets a
  // MESSAGE from the contact that says so, at most one per contact and minute; otherwise nothing
  // happens. Never answered.
  void OnError(const proto::Element& stanza, const StanzaAddresses& addresses);

 private:
  void Notify(const StanzaAddresses& addresses, std::string_view reason);
  FlowContext& context_;
  RecentSet told_;
  double& correlated_;
  double& unknown_;
};

}  // namespace gatehouse::translator
