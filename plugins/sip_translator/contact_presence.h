// What is known of an XMPP contact's presence, and the PIDF document a watcher is told. 9.7, 9.8;
// RFC 3863, RFC 4480. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sip_translator/error_mapping.h"
#include "proto/stanza.pb.h"

namespace gatehouse::translator {

inline constexpr std::size_t kMaxNoteOctets = 1024;  // 9.8

class ContactPresence {
 public:
  // One more takes the place of the one that spoke longest ago.
  static constexpr std::size_t kMaxResources = 16;

  // Takes a <presence/> without a type, or of type unavailable, from `resource`; from the bare
  // address an unavailable ends all of them.
  //   gives  false when watchers have been told all of it already
  bool Take(const proto::Element& presence, std::string_view resource);
  [[nodiscard]] bool known() const { return known_; }

  // `entity`: the contact's SIP URI. One tuple a resource, or a closed one where there is none;
  // profile lync takes a single tuple and gets the resource that speaks for the contact.
  [[nodiscard]] std::string Pidf(std::string_view entity, SipProfile profile) const;

 private:
  struct Resource {
    std::string name;
    std::string show;  // "away", "chat", "dnd", "xa"; empty: available
    std::string note;
    std::string language;  // of the note
    int priority = 0;
    std::uint64_t at = 0;  // when it spoke, in the order of all
    [[nodiscard]] bool SameBut(const Resource& other) const;
  };
  static Resource Read(const proto::Element& presence, std::string_view resource);
  static void AddTuple(proto::Element& document, std::string_view entity, const Resource& resource,
                       bool open);
  [[nodiscard]] const Resource& Spokesman() const;

  std::vector<Resource> resources_;  // those that are available
  Resource gone_;                    // the one that left last
  std::uint64_t last_ = 0;
  bool known_ = false;
};

// A closed document without anything else: what is said at the end of a subscription. 9.3
[[nodiscard]] std::string ClosedPidf(std::string_view entity);

}  // namespace gatehouse::translator
