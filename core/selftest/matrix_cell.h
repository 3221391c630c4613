// One cell of the matrix proof: a row of 4.2, a direction, and how the simulated partner behaves.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::selftest {

enum class Way : std::uint8_t { kIn, kOut };
// kRequires: as a server it says <required/> and takes nothing in clear; as a client it asks for
// TLS whether it is offered or not, and goes no further without.
enum class StartTls : std::uint8_t { kOffers, kOmits, kRequires };
// What the partner shows on the stream of the cell. As a server it cannot speak TLS without one.
enum class Certificate : std::uint8_t { kValid, kUntrusted, kWrongName, kNone };
// kWrong: as a client it sends a key its authoritative server does not know; as a server it says
// that ours is invalid. kAbsent: as a client it sends none; as a server it does not know dialback.
enum class Dialback : std::uint8_t { kRight, kWrong, kAbsent };

inline constexpr std::array kWays = {Way::kIn, Way::kOut};
inline constexpr std::array kStartTls = {StartTls::kOffers, StartTls::kOmits, StartTls::kRequires};
inline constexpr std::array kCertificates = {Certificate::kValid, Certificate::kUntrusted,
                                             Certificate::kWrongName, Certificate::kNone};
inline constexpr std::array kDialbacks = {Dialback::kRight, Dialback::kWrong, Dialback::kAbsent};

struct Behaviour {
  StartTls starttls = StartTls::kOffers;
  Certificate certificate = Certificate::kValid;
  bool external = true;  // as a client it tries EXTERNAL even where it is not offered
  Dialback dialback = Dialback::kRight;
};

struct MatrixCell {
  int row = 1;  // of 4.2
  Way way = Way::kIn;
  Behaviour partner;
};

// What became of a cell, or must become of it.
struct CellOutcome {
  // "sasl_tls", "tls_dialback", "tcp_dialback", "certificate" (a key that was not looked at because
  // the certificate proves the domain), or "refused: " and why.
  std::string result;
  // What Gatehouse said and offered, in order; words parted by blanks.
  std::string trail;
  bool operator==(const CellOutcome&) const = default;
};

[[nodiscard]] std::string_view WayName(Way way);                          // "in"
[[nodiscard]] std::string_view StartTlsName(StartTls starttls);           // "offers"
[[nodiscard]] std::string_view CertificateName(Certificate certificate);  // "wrong-name"
[[nodiscard]] std::string_view DialbackName(Dialback dialback);           // "right"

// Every combination of behaviours for the rows and directions given, in a fixed order.
[[nodiscard]] std::vector<MatrixCell> CellsOf(const std::vector<int>& rows,
                                              const std::vector<Way>& ways);

}  // namespace gatehouse::selftest
