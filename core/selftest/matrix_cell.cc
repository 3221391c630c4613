#include "core/selftest/matrix_cell.h"

namespace gatehouse::selftest {
namespace {

std::vector<Behaviour> AllBehaviours() {
  std::vector<Behaviour> all;
  for (const StartTls starttls : kStartTls)
    for (const Certificate certificate : kCertificates)
      for (const bool external : {true, false})
        for (const Dialback dialback : kDialbacks)
          all.push_back({starttls, certificate, external, dialback});
  return all;
}

}  // namespace

std::string_view WayName(Way way) {
  return way == Way::kIn ? "in" : "out";
}

std::string_view StartTlsName(StartTls starttls) {
  constexpr std::array<std::string_view, 3> kNames = {"offers", "omits", "requires"};
  return kNames.at(static_cast<std::size_t>(starttls));
}

std::string_view CertificateName(Certificate certificate) {
  constexpr std::array<std::string_view, 4> kNames = {"valid", "untrusted", "wrong-name", "none"};
  return kNames.at(static_cast<std::size_t>(certificate));
}

std::string_view DialbackName(Dialback dialback) {
  constexpr std::array<std::string_view, 3> kNames = {"right", "wrong", "absent"};
  return kNames.at(static_cast<std::size_t>(dialback));
}

std::vector<MatrixCell> CellsOf(const std::vector<int>& rows, const std::vector<Way>& ways) {
  std::vector<MatrixCell> cells;
  for (const int row : rows)
    for (const Way way : ways)
      for (const Behaviour& behaviour : AllBehaviours()) cells.push_back({row, way, behaviour});
  return cells;
}

}  // namespace gatehouse::selftest
