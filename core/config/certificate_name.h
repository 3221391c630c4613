// The names of our certificates in the store.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse {

inline constexpr std::size_t kMaxCertificateNameBytes = 64;

// 1 to kMaxCertificateNameBytes of A-Z, a-z, 0-9, '.', '_' and '-'; none that reads as an option or
// a place in a folder.
[[nodiscard]] inline bool IsCertificateName(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxCertificateNameBytes && name.front() != '-' &&
         name.front() != '.' && std::ranges::all_of(name, fits);
}

// What is to be said of one that is none: "'the edge' is no name for a certificate; ...".
[[nodiscard]] std::string CertificateNameRefusal(std::string_view name);

}  // namespace gatehouse
