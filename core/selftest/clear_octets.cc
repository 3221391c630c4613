#include "core/selftest/clear_octets.h"

#include <array>

namespace gatehouse::selftest {
namespace {

constexpr std::size_t kShown = 60;

// What may stand in clear: from `begin` to the first `end` behind it. `with` must stand between.
struct Part {
  std::string_view begin;
  std::string_view end;
  std::string_view with = {};
};
constexpr std::array kParts = {
    Part{"<?xml ", "?>"},
    Part{"<stream:stream ", ">"},
    Part{"<stream:features/>", ""},
    Part{"<stream:features>", "</stream:features>"},
    Part{"<starttls ", "/>"},
    Part{"<proceed ", "/>"},
    Part{"<failure ", "/>"},  // of STARTTLS; of SASL up to its condition, see below
    Part{"</failure>", ""},
    Part{"<db:result ", "</db:result>", "type='error'"},
    Part{"<stream:error>", "</stream:error>"},
    Part{"</stream:stream>", ""},
    Part{" ", ""},
    Part{"\n", ""},
};

// The octets of the part that `text` begins with; 0 where it begins with none.
std::size_t PartSize(std::string_view text) {
  for (const Part& part : kParts) {
    if (!text.starts_with(part.begin)) continue;
    const std::size_t end = text.find(part.end, part.begin.size());
    if (end == std::string_view::npos) continue;
    const std::string_view whole = text.substr(0, end + part.end.size());
    if (whole.find(part.with) != std::string_view::npos) return whole.size();
  }
  return 0;
}

}  // namespace

std::string ForeignInClear(std::string_view octets) {
  while (!octets.empty()) {
    const std::size_t size = PartSize(octets);
    if (size == 0) return std::string(octets.substr(0, kShown));
    octets.remove_prefix(size);
  }
  return {};
}

}  // namespace gatehouse::selftest
