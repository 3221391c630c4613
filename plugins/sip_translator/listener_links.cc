#include "plugins/sip_translator/listener_links.h"

#include <cstdint>
#include <utility>

namespace gatehouse::translator {
namespace {

// FNV-1a. std::hash may differ from life to life; a pair must not change its owner with a restart.
std::uint64_t Mix(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace

ipc::DataLink& ListenerLinks::OwnerOf(std::string_view local, std::string_view remote) {
  const std::uint64_t hash = Mix(Mix(Mix(14695981039346656037ULL, local), " "), remote);
  // The next one takes over what a drained instance owned.
  for (std::size_t step = 0; step < links_.size(); ++step) {
    ipc::DataLink& link = links_.At((hash + step) % links_.size());
    if (!link.gone()) return link;
  }
  return links_.At(hash % links_.size());
}

std::string ListenerLinks::ShareKey(std::string_view local, std::string_view remote) {
  std::string key(local);
  key += ' ';
  key += remote;
  return key;
}

void ListenerLinks::Offer(const proto::OutboundStanza& stanza, Deadline expires,
                          ipc::DataLink::OnSettled settled) {
  const std::string& local = stanza.local_domain();
  const std::string& remote = stanza.remote_domain();
  OwnerOf(local, remote)
      .Offer(ShareKey(local, remote), stanza.SerializeAsString(), expires, std::move(settled));
}

}  // namespace gatehouse::translator
