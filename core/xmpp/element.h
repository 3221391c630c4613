// Reading and building proto::Element, the element tree every process shares.
#pragma once

#include <string_view>

#include "proto/stanza.pb.h"

namespace gatehouse {

namespace ns {
inline constexpr std::string_view kStream = "http://etherx.jabber.org/streams";
inline constexpr std::string_view kServer = "jabber:server";
inline constexpr std::string_view kDialback = "jabber:server:dialback";
inline constexpr std::string_view kDialbackFeature = "urn:xmpp:features:dialback";
inline constexpr std::string_view kTls = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr std::string_view kSasl = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view kStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr std::string_view kStanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view kXml = "http://www.w3.org/XML/1998/namespace";
inline constexpr std::string_view kPing = "urn:xmpp:ping";
inline constexpr std::string_view kDelay = "urn:xmpp:delay";
inline constexpr std::string_view kStreamManagement = "urn:xmpp:sm:3";
inline constexpr std::string_view kBidi = "urn:xmpp:bidi";
inline constexpr std::string_view kBidiFeature = "urn:xmpp:features:bidi";
}  // namespace ns

[[nodiscard]] bool Is(const proto::Element& element, std::string_view name, std::string_view ns);
// The value of an unprefixed attribute (or of `ns`); empty when absent: `HasAttribute` tells the
// two apart.
[[nodiscard]] std::string_view Attribute(const proto::Element& element, std::string_view name,
                                         std::string_view ns = {});
[[nodiscard]] bool HasAttribute(const proto::Element& element, std::string_view name,
                                std::string_view ns = {});
void SetAttribute(proto::Element& element, std::string_view name, std::string_view value,
                  std::string_view ns = {});
// First child element of that name and namespace, or null.
[[nodiscard]] const proto::Element* FindChild(const proto::Element& element, std::string_view name,
                                              std::string_view ns);
[[nodiscard]] const proto::Element* FirstChild(const proto::Element& element);
// All character data directly below, joined.
[[nodiscard]] std::string TextOf(const proto::Element& element);

[[nodiscard]] proto::Element MakeElement(std::string_view name, std::string_view ns);
proto::Element& AddChild(proto::Element& parent, std::string_view name, std::string_view ns);
void AddText(proto::Element& parent, std::string_view text);

// The XML word of a condition ("item-not-found") and back; CONDITION_NONE for an unknown word.
[[nodiscard]] std::string_view ConditionName(proto::StanzaCondition condition);
[[nodiscard]] proto::StanzaCondition ConditionFromName(std::string_view name);
// The default error type of a condition: auth, cancel, modify, wait. RFC 6120 §8.3.3
[[nodiscard]] std::string_view DefaultErrorType(proto::StanzaCondition condition);
// Who answers `stanza`: its `to`, prepared as the domain was that a stream of ours proves.
[[nodiscard]] std::string AnswersFrom(const proto::Element& stanza);
// The error reply to `stanza`: from and to swapped, id kept, type='error', payload not echoed
// (2.9). `text` may be empty; `type` empty: the default.
[[nodiscard]] proto::Element MakeErrorReply(const proto::Element& stanza,
                                            proto::StanzaCondition condition,
                                            std::string_view text = {}, std::string_view type = {});
// Gives the <error/> of `reply`, its first child, words for whoever reads it there.
void AddErrorText(proto::Element& reply, std::string_view text);

}  // namespace gatehouse
