// XML of the negotiation as the simulated partner writes it, and how its trail names what it reads.
#pragma once

#include <string>
#include <string_view>

#include "proto/stanza.pb.h"

namespace gatehouse::selftest {

inline constexpr std::string_view kStartTlsXml =
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
inline constexpr std::string_view kProceedXml =
    "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
inline constexpr std::string_view kTlsFailureXml =
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>";
inline constexpr std::string_view kSuccessXml =
    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
inline constexpr std::string_view kDialbackFeatureXml =
    "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";

// "[tls! EXT db]"
[[nodiscard]] std::string FeaturesWord(const proto::Element& features);
// The first child that names a condition: "not-authorized"; "none" where there is none.
[[nodiscard]] std::string_view ConditionOf(const proto::Element& error);
// The condition of <db:result type='error'><error/></db:result>.
[[nodiscard]] std::string_view DialbackCondition(const proto::Element& result);

}  // namespace gatehouse::selftest
