// What a check of a domain's records found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop/socket_address.h"

namespace gatehouse::dnscheck {

enum class Weight : std::uint8_t {
  kMistake,  // partners do not get through, or only some of them
  kWarning,  // it works, or may work; somebody should look
  kNote,     // good to know
};

struct Finding {
  std::string code;  // a word for scripts: "wrong-port"
  Weight weight = Weight::kMistake;
  std::string name;      // whose records it is about
  std::string sentence;  // what is wrong and what would be right
  std::string line;  // of a zone file, to be added or to stand in place of another; may be empty
  std::string resolver = {};  // where only one of several sees it
  bool operator==(const Finding&) const = default;
};

// What is known of our own side; of partners nothing is.
struct OurSide {
  std::vector<SocketAddress> xmpp;  // where it listens
  std::vector<SocketAddress> xmpps;
  std::vector<SocketAddress> addresses;  // public ones; empty: not known
  std::string host;                      // the name to give to partners, if there is one
  std::string chain_pem;                 // our certificates; empty: not known
};

// Loopback, link-local, private (RFC 1918, 4193, 6598), multicast or unspecified: nobody outside
// gets there.
[[nodiscard]] bool IsPublic(const SocketAddress& address);
// Of the addresses where it listens those that are public; wildcards are not.
[[nodiscard]] std::vector<SocketAddress> PublicAddresses(const OurSide& ours);

}  // namespace gatehouse::dnscheck
