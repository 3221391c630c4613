// What both directions of the translator share. Owned by the worker; outlives both.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/policy/decide.h"
#include "plugins/sip_translator/aor_spellings.h"
#include "plugins/sip_translator/date_time.h"
#include "plugins/sip_translator/error_mapping.h"
#include "plugins/sip_translator/listener_links.h"
#include "plugins/sip_translator/log_sampler.h"
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

  // Asks the one evaluator and counts its verdict. `policy` is not null.
  Verdict DecideOn(const Envelope& envelope) {
    const Verdict verdict = Decide(*policy, envelope);
    verdicts.Count(verdict.reason);
    return verdict;
  }
};

}  // namespace gatehouse::translator
