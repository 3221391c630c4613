// Random bytes, digests and MACs, so that nobody else includes BoringSSL's headers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse {

[[nodiscard]] std::string RandomBytes(std::size_t count);  // from the OS
[[nodiscard]] std::string RandomHex(std::size_t bytes);    // lower case, 2 characters each
[[nodiscard]] std::string Sha256(std::string_view data);   // 32 raw octets
using Sha256Digest = std::array<char, 32>;
// Of the parts one after the other, without allocating.
[[nodiscard]] Sha256Digest Sha256Of(std::initializer_list<std::string_view> parts);
[[nodiscard]] std::string HmacSha256(std::string_view key, std::string_view message);
[[nodiscard]] std::string Hex(std::string_view bytes);  // lower case
[[nodiscard]] std::string Base64(std::string_view bytes);
[[nodiscard]] std::string Base64Url(std::string_view bytes);  // no padding
// Strict: no white space, right padding. False when not.
[[nodiscard]] bool DecodeBase64(std::string_view text, std::string& bytes);
// Without padding; nullopt: other octets, or an impossible length.
[[nodiscard]] std::optional<std::string> DecodeBase64Url(std::string_view text);
// Constant time for equal lengths; lengths are not secret.
[[nodiscard]] bool ConstantTimeEqual(std::string_view a, std::string_view b);

}  // namespace gatehouse
