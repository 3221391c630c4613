// Limits that hold everywhere, each with its reason. Limits of one worker stand in its folder.
#pragma once

#include <cstddef>

namespace gatehouse {

// One stanza with its markup. RFC 6120 §13.12 asks for at least 10000; partners send avatars of 100
// KiB and more.
inline constexpr std::size_t kMaxStanzaBytes = 262144;
// Elements below the stream root. Deep trees exist only in attacks (2.11).
inline constexpr int kMaxDepth = 32;
inline constexpr int kMaxAttributes = 32;
inline constexpr int kMaxNamespaceDeclarations = 16;
inline constexpr int kMaxChildren = 512;
inline constexpr std::size_t kMaxAttributeValueBytes = 8192;
inline constexpr std::size_t kMaxNameBytes = 256;
// All octets before a stream's first verified pair, per phase: headers, features and keys fit many
// times over (2.11).
inline constexpr std::size_t kMaxUnverifiedBytes = 16384;
// Verified and pending pairs of one stream (2.11).
inline constexpr std::size_t kMaxPairsPerStream = 32;
// One part of a JID after preparation. RFC 7622 §3.2
inline constexpr std::size_t kMaxJidPartBytes = 1023;
// struct sockaddr_un holds this many bytes of path with its NUL.
inline constexpr std::size_t kMaxUnixPathBytes = 108;

}  // namespace gatehouse
