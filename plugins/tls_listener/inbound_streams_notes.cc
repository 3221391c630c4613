// What InboundStreams tell of their streams to who keeps it: pairs that were verified, and who
// knocked.
#include <chrono>
#include <utility>

#include "core/policy/negotiation.h"
#include "core/base/clock.h"
#include "plugins/tls_listener/inbound_streams.h"
#include "plugins/tls_listener/stranger_watch.h"

namespace gatehouse {
namespace {

}  // namespace

void InboundStreams::NoteStream(const PairVerified& pair, const InboundStream& stream) const {
  const proto::Partner* partner = rules_.FindPartner(pair.from);
  if (!setup_.note_stream || partner == nullptr) return;
  proto::StreamRecord record;
  record.set_partner_id(partner->id());
  record.set_local_domain(std::string(pair.to));
  record.set_remote_domain(std::string(pair.from));
  record.set_method(std::string(MethodName(pair.method)));
  record.set_tls(stream.tls_version());
  record.set_peer(stream.ip());
  record.set_at_unix(UnixNow());
  setup_.note_stream(std::move(record));
}

// 2.2 no. 11 has refused it, or would have; it learns nothing of being remembered.
void InboundStreams::NoteStranger(const InboundStream& stream) const {
  const HeaderFacts* in_clear = stream.machine().stranger();
  const bool named_again = in_clear == nullptr || !stream.machine().from().empty();
  const std::string& from = named_again ? stream.machine().from() : in_clear->from;
  const bool wanted = setup_.note_stranger && rules_.policy->gateway().discover() &&
                      !from.empty() && !rules_.Serves(from) && !rules_.policy->IsDenied(from) &&
                      rules_.FindPartner(from) == nullptr;
  if (!wanted) return;
  proto::Stranger stranger;
  stranger.set_domain(from);
  stranger.set_local_domain(named_again ? stream.machine().to() : in_clear->to);
  stranger.set_peer(stream.ip());
  if (const PeerCertificate* certificate = stream.certificate())
    stranger.set_certificate(CertificateLine(*certificate));
  setup_.note_stranger(std::move(stranger));
}

}  // namespace gatehouse
