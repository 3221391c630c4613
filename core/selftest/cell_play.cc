#include "core/selftest/cell_play.h"

#include <utility>

#include "core/tls/crypto.h"

namespace gatehouse::selftest {

void CellPlay::Note(std::string_view word) {
  if (ended_) return;
  if (!outcome_.trail.empty()) outcome_.trail += ' ';
  outcome_.trail += word;
}

void CellPlay::End(std::string result) {
  if (std::exchange(ended_, true)) return;
  outcome_.result = std::move(result);
  on_end_(*this);
}

std::string KeyBy(std::string_view passphrase, std::string_view receiving,
                  std::string_view originating, std::string_view stream_id) {
  std::string text(receiving);
  text.append(" ").append(originating).append(" ").append(stream_id);
  return Hex(HmacSha256(Hex(Sha256(passphrase)), text));
}

std::string PartnerKey(const CellPlay& play, std::string_view stream_id) {
  return KeyBy("the partner's own passphrase", play.stage().local_domain, play.domain(), stream_id);
}

std::string WrongKey(const CellPlay& play, std::string_view stream_id) {
  return KeyBy("somebody else's passphrase", play.stage().local_domain, play.domain(), stream_id);
}

}  // namespace gatehouse::selftest
