#include "core/xmpp/ack_count.h"

#include <charconv>

#include "core/base/result.h"
#include "core/xmpp/xml_writer.h"

namespace gatehouse {
namespace {

constexpr std::size_t kMostHandledKept = 1024;  // bits, before they are moved up

}  // namespace

std::uint64_t HandledCount::Take() {
  open_.push_back(false);
  return taken();
}

void HandledCount::Handle(std::uint64_t number) {
  GATEHOUSE_CHECK(number > handled_ && number <= taken());
  open_[first_ + static_cast<std::size_t>(number - handled_ - 1)] = true;
  for (; first_ < open_.size() && open_[first_]; ++first_) ++handled_;
  if (first_ < open_.size() && first_ < kMostHandledKept) return;
  open_.erase(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

// Both wrap at 2^32, so that their difference holds. XEP-0198 §4
std::optional<std::uint32_t> NewlyAcknowledged(std::uint32_t h, std::uint64_t acknowledged,
                                               std::size_t unacknowledged) {
  const std::uint32_t newly = h - static_cast<std::uint32_t>(acknowledged);
  if (newly > unacknowledged) return std::nullopt;
  return newly;
}

std::optional<std::uint32_t> ParseHandled(std::string_view text) {
  std::uint32_t h = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), h);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return h;
}

std::string AckXml(std::uint32_t h) {
  return "<a xmlns='urn:xmpp:sm:3' h='" + std::to_string(h) + "'/>";
}

std::string HandledTooHighXml(std::uint32_t h, std::uint64_t sent) {
  std::string xml =
      "<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
      "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='";
  xml += std::to_string(h) + "' send-count='" + std::to_string(static_cast<std::uint32_t>(sent));
  xml += "'/></stream:error>";
  return xml += kStreamFooter;
}

}  // namespace gatehouse
