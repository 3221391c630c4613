// The stream header of a peer that answers a stream of ours.
#pragma once

#include "core/xmpp/element.h"
#include "core/xmpp/xml_reader.h"

namespace gatehouse {

// From partner.example, version 1.0, stream id "s1".
inline StreamHeader PeerHeader(bool dialback = true) {
  StreamHeader header;
  header.prefix = header.name = "stream";
  header.ns = ns::kStream;
  header.default_ns = ns::kServer;
  header.declares_dialback = dialback;
  header.from = "partner.example";
  header.id = "s1";
  header.version = "1.0";
  header.has_from = header.has_version = true;
  return header;
}

}  // namespace gatehouse
