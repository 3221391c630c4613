// What both directions of the translator share. Owned by the worker; outlives both.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/log_sampler.h"
#include "core/base/metrics.h"
#include "core/policy/decide.h"
#include "core/policy/refusal_answer.h"
#include "core/policy/refusal_memory.h"
#include "core/xmpp/jid.h"
#include "plugins/sip_translator/aor_spellings.h"
#include "plugins/sip_translator/contact_states.h"
#include "plugins/sip_translator/date_time.h"
#include "plugins/sip_translator/error_mapping.h"
#include "plugins/sip_translator/listener_links.h"
#include "plugins/sip_translator/result_counters.h"
#include "plugins/sip_translator/sent_stanzas.h"
#include "plugins/sip_translator/served_domains.h"
#include "plugins/sip_translator/sip_endpoint.h"

namespace gatehouse::translator {

struct FlowContext {
  const Clock& clock;
  std::function<WallTime()> wall;
  Metrics& metrics;
  SipEndpoint& endpoint;
  ListenerLinks& listeners;
  ServedDomains served;  // replaced by a reload
  SipProfile profile = SipProfile::kPage;
  PolicyPointer policy;  // null before the first snapshot, then replaced by each later one
  AorSpellings spellings;
  SentStanzas sent;

  LogSampler log_sampler;
  VerdictCounters verdicts;

  ContactStates& contacts;
  RefusalMemory refusals = {};
  // Of refusals, which are put in one order with those of other workers.
  std::function<std::uint64_t()> unix_ms = [] { return UnixNowMs(); };

  // Asks the one evaluator and counts its verdict, with what is known of the contact where that
  // matters; kAskEngine where it is not known here, or something of the pair waits for it already.
  // `policy` is not null; `envelope.contact` is filled in here.
  Verdict DecideOn(Envelope envelope, const Jid& sip_user, const Jid& contact) {
    Verdict verdict = Decide(*policy, envelope);
    if (verdict.decision == Decision::kAskEngine || contacts.anybody_waits()) {
      const ContactPair pair{sip_user.Bare(), contact.Bare()};
      if (contacts.Waits(pair)) return {.decision = Decision::kAskEngine, .rule = verdict.rule};
      envelope.contact = contacts.Find(pair);
      verdict = Decide(*policy, envelope);
    }
    if (verdict.decision != Decision::kAskEngine) verdicts.Count(verdict.reason);
    return verdict;
  }
  // Remembers what was denied or dropped.
  //   gives  its id, for the log and for the answer
  std::string NoteRefusal(TrafficKind kind, const Jid& from, const Jid& to,
                          const Verdict& verdict) {
    const bool outwards = DirectionOf(kind) == Direction::kSipToXmpp;
    const std::string& remote = outwards ? to.domain : from.domain;
    const bool dropped = verdict.decision == Decision::kDrop;
    return refusals
        .Add(PlaceOf(policy.get(), remote),
             {.shelf = dropped ? RefusalShelf::kDropped : RefusalShelf::kTold,
              .remote_domain = remote,
              .from = from.Bare(),
              .to = to.Bare(),
              .kind = KindName(kind),
              .direction = DirectionOf(kind),
              .reason = verdict.reason,
              .rule = verdict.rule,
              .answer = AnswerName(verdict.answer)},
             unix_ms())
        .id;
  }
};

}  // namespace gatehouse::translator
