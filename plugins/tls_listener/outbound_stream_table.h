// The streams that take stanzas of ours: each found by its id, its remote domain, its partner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/string_hash.h"
#include "plugins/tls_listener/outbound_stream.h"

namespace gatehouse {

class OutboundStreamTable {
 public:
  enum class Kind : std::uint8_t { kOwn, kLent };
  using Streams = std::map<std::uint64_t, OutboundStream>;

  // `id` is new. The stream stays where it is until it is erased.
  OutboundStream& Add(Kind kind, std::uint64_t id, const std::string& remote,
                      const std::string& partner_id);
  void Erase(std::uint64_t id);

  [[nodiscard]] OutboundStream* Find(std::uint64_t id);
  // A lent one has this remote domain, too: its peer has proven several on one connection.
  void Serve(OutboundStream& stream, const std::string& remote);
  // To one remote domain, in the order in which they were added. Valid until the next Add, Serve or
  // Erase.
  [[nodiscard]] std::span<OutboundStream* const> To(std::string_view remote) const;
  // How many we opened: all, and to one partner.
  [[nodiscard]] std::size_t own() const { return own_.size(); }
  [[nodiscard]] std::size_t OwnOf(std::string_view partner_id) const;

  [[nodiscard]] bool empty() const { return streams_.empty(); }
  [[nodiscard]] Streams::iterator begin() { return streams_.begin(); }
  [[nodiscard]] Streams::iterator end() { return streams_.end(); }
  [[nodiscard]] Streams::const_iterator begin() const { return streams_.begin(); }
  [[nodiscard]] Streams::const_iterator end() const { return streams_.end(); }

 private:
  Streams streams_;
  StringMap<std::vector<OutboundStream*>> to_;
  std::unordered_map<std::uint64_t, std::vector<std::string>> remotes_;  // keys of to_, by stream
  StringMap<std::size_t> own_of_;
  std::unordered_set<std::uint64_t> own_;
};

}  // namespace gatehouse
