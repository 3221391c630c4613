// The operator's words for a partner's settings, as gatehousectl takes and prints them and the
// store keeps them.
#pragma once

#include <optional>
#include <string_view>

#include "proto/policy_snapshot.pb.h"

namespace gatehouse {

// "required", "optional", "not-supported"; empty for a value outside the enum.
[[nodiscard]] std::string_view NegotiationWord(proto::Negotiation level);
[[nodiscard]] std::optional<proto::Negotiation> ParseNegotiation(std::string_view word);

// "off", "report", "enforce"; empty for a value outside the enum.
[[nodiscard]] std::string_view DaneWord(proto::Dane dane);
[[nodiscard]] std::optional<proto::Dane> ParseDane(std::string_view word);

// "on", "off", "inbound-only", "outbound-only"; empty for a value outside the enum.
[[nodiscard]] std::string_view FederationWord(proto::GatewaySettings::Federation federation);
[[nodiscard]] std::optional<proto::GatewaySettings::Federation> ParseFederation(
    std::string_view word);

// What `partner new DOMAIN` alone means (1.4): public-unverified, TLS and SASL required, dialback,
// keep-alive, enabled, DANE reported.
[[nodiscard]] proto::Partner DefaultPartner();
// 1000, 20, 300, 60, 600, 28800, false (1.4).
[[nodiscard]] proto::GatewaySettings DefaultGatewaySettings();

}  // namespace gatehouse
