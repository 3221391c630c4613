#include "plugins/tls_listener/outbound_stream_table.h"

#include <algorithm>
#include <utility>

namespace gatehouse {

OutboundStream& OutboundStreamTable::Add(Kind kind, std::uint64_t id, const std::string& remote,
                                         const std::string& partner_id) {
  OutboundStream& stream = streams_.try_emplace(id, id, remote, partner_id).first->second;
  Serve(stream, remote);
  if (kind == Kind::kOwn && own_.insert(id).second) ++own_of_[partner_id];
  return stream;
}

void OutboundStreamTable::Serve(OutboundStream& stream, const std::string& remote) {
  std::vector<std::string>& remotes = remotes_[stream.id()];
  if (std::ranges::find(remotes, remote) != remotes.end()) return;
  remotes.push_back(remote);
  to_[remote].push_back(&stream);
}

void OutboundStreamTable::Erase(std::uint64_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const auto remotes = remotes_.extract(id);
  for (const std::string& remote : remotes.mapped()) {
    const auto to = to_.find(remote);
    std::erase(to->second, &found->second);
    if (to->second.empty()) to_.erase(to);
  }
  if (own_.erase(id) > 0) {
    const auto of = own_of_.find(found->second.partner_id());
    if (--of->second == 0) own_of_.erase(of);
  }
  streams_.erase(found);
}

OutboundStream* OutboundStreamTable::Find(std::uint64_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

std::span<OutboundStream* const> OutboundStreamTable::To(std::string_view remote) const {
  const auto found = to_.find(remote);
  if (found == to_.end()) return {};
  return found->second;
}

std::size_t OutboundStreamTable::OwnOf(std::string_view partner_id) const {
  const auto found = own_of_.find(partner_id);
  return found == own_of_.end() ? 0 : found->second;
}

}  // namespace gatehouse
