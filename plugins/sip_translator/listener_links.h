// The way out to the partners: which tls_listener instance owns a domain pair, and offers to it.
#pragma once

#include <string>
#include <string_view>

#include "ipc/data_link.h"
#include "proto/link_listener_translator.pb.h"

namespace gatehouse::translator {

class ListenerLinks {
 public:
  // `links` outlives this object.
  explicit ListenerLinks(ipc::DataLinkSet& links) : links_(links) {}

  // The instance that owns the streams of a pair: a hash of both names, the same in every life of
  // this process; while that one is drained away, the next.
  [[nodiscard]] ipc::DataLink& OwnerOf(std::string_view local, std::string_view remote);
  // What the pair's share of the window is counted under.
  [[nodiscard]] static std::string ShareKey(std::string_view local, std::string_view remote);
  // Offers to the owner of the stanza's pair.
  void Offer(const proto::OutboundStanza& stanza, Deadline expires,
             ipc::DataLink::OnSettled settled);

 private:
  ipc::DataLinkSet& links_;
};

}  // namespace gatehouse::translator
