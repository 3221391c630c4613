// Takes the octets of a DNS message from their front. Used by the readers of core/loop.
#pragma once

#include <cstdint>
#include <span>

namespace gatehouse {

// RFC 1035 §3.1, §4.1; RFC 6698 §2.1.
inline constexpr std::size_t kDnsHeaderBytes = 12;
inline constexpr std::size_t kDnsMaxNameBytes = 255;
inline constexpr unsigned char kDnsPointer = 0xc0;  // both bits: the name goes on elsewhere
inline constexpr std::uint16_t kDnsInternet = 1;
inline constexpr std::size_t kDnsTlsaFixedBytes = 3;

// False, and nothing else is taken, where there is not enough.
class DnsOctets {
 public:
  explicit DnsOctets(std::span<const unsigned char> all) : left_(all) {}

  [[nodiscard]] bool Skip(std::size_t count) {
    if (left_.size() < count) return false;
    left_ = left_.subspan(count);
    return true;
  }
  [[nodiscard]] bool Byte(unsigned char& value) {
    if (left_.empty()) return false;
    value = left_.front();
    return Skip(1);
  }
  [[nodiscard]] bool Word(std::uint16_t& value) {
    unsigned char high = 0;
    unsigned char low = 0;
    if (!Byte(high) || !Byte(low)) return false;
    value = static_cast<std::uint16_t>(high << 8 | low);
    return true;
  }
  [[nodiscard]] bool Part(std::size_t count, std::span<const unsigned char>& part) {
    if (left_.size() < count) return false;
    part = left_.first(count);
    return Skip(count);
  }
  [[nodiscard]] std::size_t left() const { return left_.size(); }

 private:
  std::span<const unsigned char> left_;
};

}  // namespace gatehouse
