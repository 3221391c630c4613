#include "plugins/sip_translator/contact_presence.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "core/tls/crypto.h"
#include "core/xmpp/element.h"
#include "core/xmpp/xml_writer.h"
#include "plugins/sip_translator/page_mode.h"
#include "plugins/sip_translator/text.h"

namespace gatehouse::translator {
namespace {

constexpr std::string_view kPidf = "urn:ietf:params:xml:ns:pidf";
constexpr std::string_view kDataModel = "urn:ietf:params:xml:ns:pidf:data-model";
constexpr std::string_view kRpid = "urn:ietf:params:xml:ns:pidf:rpid";
// The draft form that Lync-family servers read. 9.6
constexpr std::string_view kRpidDraft = "urn:ietf:params:xml:ns:pidf:status:rpid-status";
constexpr std::string_view kClient = "jabber:client";

// From most to least available, where priorities are equal. 9.7
struct Show {
  std::string_view word;
  int rank;
  std::string_view activity;  // RFC 4480 §3.2; empty: none
};
constexpr std::array kShows = {Show{"chat", 0, ""}, Show{"", 1, ""}, Show{"away", 2, "away"},
                               Show{"xa", 3, "away"}, Show{"dnd", 4, "busy"}};
const Show& ShowOf(std::string_view word) {
  const auto* found = std::ranges::find(kShows, word, &Show::word);
  return found == kShows.end() ? kShows[1] : *found;
}

// "ID-" and 8 hex digits: an xs:ID must not hold what a resource may.
std::string TupleId(std::string_view resource) {
  return "ID-" + Hex(Sha256(resource)).substr(0, 8);
}

// 0..127 in unique steps of a thousandth.
std::string Priority(int priority) {
  constexpr int kHighest = 127;
  if (priority >= kHighest) return "1";
  const std::string steps = std::to_string(priority * 1000 / kHighest);
  return "0." + std::string(3 - steps.size(), '0') + steps;
}

std::string TextOfChild(const proto::Element& presence, std::string_view name) {
  const proto::Element* child = FindChild(presence, name, ns::kServer);
  return child == nullptr ? std::string() : TextOf(*child);
}

proto::Element NewDocument(std::string_view entity) {
  proto::Element document = MakeElement("presence", kPidf);
  SetAttribute(document, "entity", entity);
  return document;
}

std::string Write(const proto::Element& document) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  AppendXml(text, document);
  return text;
}

}  // namespace

bool ContactPresence::Resource::SameBut(const Resource& other) const {
  return std::tie(name, show, note, language, priority) ==
         std::tie(other.name, other.show, other.note, other.language, other.priority);
}

ContactPresence::Resource ContactPresence::Read(const proto::Element& presence,
                                                std::string_view resource) {
  Resource read{.name = std::string(resource), .show = {}, .note = {}, .language = {}};
  const std::string show = TextOfChild(presence, "show");
  if (std::ranges::find(kShows, show, &Show::word) != kShows.end()) read.show = show;
  const std::string priority = TextOfChild(presence, "priority");
  int value = 0;
  const auto [end, error] =
      std::from_chars(priority.data(), priority.data() + priority.size(), value);
  if (error == std::errc{} && end == priority.data() + priority.size() && value >= -128 &&
      value <= 127)
    read.priority = value;
  const proto::Element* status = FindChild(presence, "status", ns::kServer);
  if (status == nullptr) return read;
  read.note = OneLine(TextOf(*status), kMaxNoteOctets);
  std::string_view language = Attribute(*status, "lang", ns::kXml);
  if (language.empty()) language = Attribute(presence, "lang", ns::kXml);
  read.language = FirstLanguage(language);
  return read;
}

bool ContactPresence::Take(const proto::Element& presence, std::string_view resource) {
  const bool first = !known_;
  known_ = true;
  Resource read = Read(presence, resource);
  read.at = ++last_;
  const auto old = std::ranges::find(resources_, resource, &Resource::name);
  if (Attribute(presence, "type") == "unavailable") {
    const bool was_open = !resources_.empty();
    const bool all = resource.empty();
    if (!all && old == resources_.end()) return first;
    if (all)
      resources_.clear();
    else
      resources_.erase(old);
    gone_ = std::move(read);
    return first || was_open;
  }
  if (old != resources_.end()) {
    const bool changed = !old->SameBut(read);
    *old = std::move(read);
    return first || changed;
  }
  if (resources_.size() == kMaxResources)
    resources_.erase(std::ranges::min_element(resources_, {}, &Resource::at));
  resources_.push_back(std::move(read));
  return true;
}

// The highest priority that is not negative, then the most available, then the newest. 9.7
const ContactPresence::Resource& ContactPresence::Spokesman() const {
  return *std::ranges::max_element(resources_, {}, [](const Resource& resource) {
    return std::tuple(std::max(resource.priority, -1), -ShowOf(resource.show).rank, resource.at);
  });
}

void ContactPresence::AddTuple(proto::Element& document, std::string_view entity,
                               const Resource& resource, bool open) {
  proto::Element& tuple = AddChild(document, "tuple", kPidf);
  SetAttribute(tuple, "id", TupleId(resource.name));
  proto::Element& status = AddChild(tuple, "status", kPidf);
  AddText(AddChild(status, "basic", kPidf), open ? "open" : "closed");
  if (open && !resource.show.empty()) {
    AddText(AddChild(status, "show", kClient), resource.show);
    if (const std::string_view activity = ShowOf(resource.show).activity; !activity.empty())
      AddText(AddChild(AddChild(status, "activities", kRpidDraft), "activity", kRpidDraft),
              activity);
  }
  if (open) {
    proto::Element& contact = AddChild(tuple, "contact", kPidf);
    if (resource.priority >= 0) SetAttribute(contact, "priority", Priority(resource.priority));
    AddText(contact, entity);
  }
  if (resource.note.empty()) return;
  proto::Element& note = AddChild(tuple, "note", kPidf);
  if (!resource.language.empty()) SetAttribute(note, "lang", resource.language, ns::kXml);
  AddText(note, resource.note);
}

std::string ContactPresence::Pidf(std::string_view entity, SipProfile profile) const {
  proto::Element document = NewDocument(entity);
  if (resources_.empty()) {
    AddTuple(document, entity, gone_, false);
    return Write(document);
  }
  const Resource& spokesman = Spokesman();
  if (profile == SipProfile::kLync) {
    AddTuple(document, entity, spokesman, true);
  } else {
    for (const Resource& resource : resources_) AddTuple(document, entity, resource, true);
  }
  if (const std::string_view activity = ShowOf(spokesman.show).activity; !activity.empty()) {
    proto::Element& person = AddChild(document, "person", kDataModel);
    SetAttribute(person, "id", "P-" + TupleId(spokesman.name));
    AddChild(AddChild(person, "activities", kRpid), activity, kRpid);
  }
  return Write(document);
}

std::string ClosedPidf(std::string_view entity) {
  return ContactPresence().Pidf(entity, SipProfile::kPage);
}

}  // namespace gatehouse::translator
