#include "core/policy/partner_words.h"

#include <array>

#include "core/policy/partner_type.h"

namespace gatehouse {
namespace {

template <class Value>
struct Word {
  Value value;
  std::string_view word;
};

constexpr std::array kLevels = {Word{proto::REQUIRED, "required"},
                                Word{proto::OPTIONAL, "optional"},
                                Word{proto::NOT_SUPPORTED, "not-supported"}};
constexpr std::array kDane = {Word{proto::OFF, "off"}, Word{proto::REPORT, "report"},
                              Word{proto::ENFORCE, "enforce"}};

constexpr std::array kFederation = {Word{proto::GatewaySettings::ON, "on"},
                                    Word{proto::GatewaySettings::OFF, "off"},
                                    Word{proto::GatewaySettings::INBOUND_ONLY, "inbound-only"},
                                    Word{proto::GatewaySettings::OUTBOUND_ONLY, "outbound-only"}};

template <class Table, class Value>
std::string_view WordOf(const Table& table, Value value) {
  for (const auto& row : table)
    if (row.value == value) return row.word;
  return {};
}

template <class Value, class Table>
std::optional<Value> ValueOf(const Table& table, std::string_view word) {
  for (const auto& row : table)
    if (row.word == word) return row.value;
  return std::nullopt;
}

}  // namespace

std::string_view NegotiationWord(proto::Negotiation level) {
  return WordOf(kLevels, level);
}

std::optional<proto::Negotiation> ParseNegotiation(std::string_view word) {
  return ValueOf<proto::Negotiation>(kLevels, word);
}

std::string_view DaneWord(proto::Dane dane) {
  return WordOf(kDane, dane);
}

std::optional<proto::Dane> ParseDane(std::string_view word) {
  return ValueOf<proto::Dane>(kDane, word);
}

std::string_view FederationWord(proto::GatewaySettings::Federation federation) {
  return WordOf(kFederation, federation);
}

std::optional<proto::GatewaySettings::Federation> ParseFederation(std::string_view word) {
  return ValueOf<proto::GatewaySettings::Federation>(kFederation, word);
}

proto::Partner DefaultPartner() {
  proto::Partner partner;
  partner.set_type(kPublicUnverified);
  partner.set_tls(proto::REQUIRED);
  partner.set_sasl(proto::REQUIRED);
  partner.set_dialback(true);
  partner.set_keep_alive(true);
  partner.set_enabled(true);
  partner.set_dane(proto::REPORT);
  return partner;
}

proto::GatewaySettings DefaultGatewaySettings() {
  proto::GatewaySettings settings;
  settings.set_connection_limit(1000);
  settings.set_partner_connection_limit(20);
  settings.set_keep_alive_interval_s(300);
  settings.set_stream_establishment_timeout_s(60);
  settings.set_stream_inactivity_timeout_s(600);
  settings.set_subscription_refresh_interval_s(28800);
  settings.set_authorisation_ttl_s(2592000);
  return settings;
}

}  // namespace gatehouse
