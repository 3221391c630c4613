#include "plugins/policy_engine/certificate_publication.h"

#include <utility>
#include <vector>

#include "core/tls/own_certificate.h"
#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {

std::optional<Slot> SlotOfInstance(std::string_view instance) {
  const std::string_view plugin = instance.substr(0, instance.find('/'));
  if (plugin == "tls_listener" || plugin == "dialback_verifier") return Slot::kXmpp;
  if (plugin == "sip_translator") return Slot::kSip;
  return std::nullopt;
}

bool CertificatePublication::Refresh() {
  bool any = false;
  for (const Slot slot : {Slot::kXmpp, Slot::kSip}) {
    proto::CertificateGiven given = give_(slot);
    Wipe(*given.mutable_key());
    if (given.hash() == std::exchange(hashes_[slot], given.hash())) continue;
    any = true;
    std::vector<Reply> replies;
    for (auto entry = waiting_.begin(); entry != waiting_.end();) {
      const auto next = std::next(entry);
      if (entry->second.slot == slot)
        replies.push_back(std::move(waiting_.extract(entry).mapped().reply));
      entry = next;
    }
    for (const Reply& reply : replies) Answer(slot, reply);
  }
  return any;
}

void CertificatePublication::Ask(std::string_view instance, std::string_view held_hash,
                                 Reply reply) {
  const std::optional<Slot> slot = SlotOfInstance(instance);
  if (!slot) return reply(Trouble("no slot for this worker"));
  if (const auto old = waiting_.extract(std::string(instance)))
    old.mapped().reply(Trouble("asked again meanwhile"));
  const auto known = hashes_.find(*slot);
  if (known != hashes_.end() && held_hash != known->second) return Answer(*slot, reply);
  waiting_.emplace(instance, Waiting{*slot, std::move(reply)});
}

void CertificatePublication::Answer(Slot slot, const Reply& reply) {
  proto::PolicyAnswer answer;
  *answer.mutable_certificate() = give_(slot);
  std::string bytes = answer.SerializeAsString();
  Wipe(*answer.mutable_certificate()->mutable_key());
  reply(bytes);
  Wipe(bytes);
}

void CertificatePublication::Close() {
  for (auto& [instance, waiting] : std::exchange(waiting_, {}))
    waiting.reply(Trouble("the engine is ending"));
}

}  // namespace gatehouse::policy_engine
