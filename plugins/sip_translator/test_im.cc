#include "plugins/sip_translator/test_im.h"

#include <string>
#include <utility>

#include "core/address/sip_address.h"
#include "plugins/sip_translator/test_report.h"

namespace gatehouse::translator {
namespace {

std::string RemedyFor(const HandOverAnswer& answer) {
  if (const std::string_view remedy = EntryOf(answer.reason).remedy; !remedy.empty())
    return std::string(remedy);
  switch (answer.status) {
    case 403:
      return "the From must be a user of a domain in gatehouse.yaml whose access policy has XMPP "
             "(`gatehousectl policy list`), and the partner's type must allow the message";
    case 404:
      return "create the partner with `gatehousectl partner new DOMAIN`, or check its DNS records";
    case 408:
    case 480:
      return "run `gatehousectl test stream DOMAIN` to see where the connection fails";
    case 500:
      return "the edge is busy: try again";
    default:
      return "check both addresses";
  }
}

}  // namespace

void TestIm(FlowContext& context, SipToXmpp& flow, const proto::TestIm& test,
            std::function<void(proto::CtlResponse)> answer) {
  TestReport report(context.clock.Now());
  if (!context.policy)
    return answer(report.Finish(Reason::kPolicyUnavailable, "no policy snapshot yet",
                                "wait until policy_engine runs"));
  const auto jid = Jid::Parse(test.to_jid());
  const auto to_uri =
      jid ? JidToSipUri(*jid, ResourceUse::kAsGruu) : std::unexpected(proto::JID_MALFORMED);
  if (!to_uri)
    return answer(report.Finish(Reason::kNoAddress, "'" + test.to_jid() + "' is no JID",
                                "write it as user@partner.example"));
  report.Step(context.clock.Now(), "address", true, *to_uri);
  flow.Test(
      test.from_sip_uri(), *to_uri,
      [&context, report, answer = std::move(answer)](const HandOverAnswer& result) mutable {
        const bool ok = result.status == 200;
        report.Step(
            context.clock.Now(), "result", ok,
            ok ? "handed to a verified stream" : std::to_string(result.status) + " " + result.why);
        answer(ok ? report.Finish(Reason::kNone, {}, {})
                  : report.Finish(result.reason, "the message was not delivered: " + result.why,
                                  RemedyFor(result)));
      });
}

}  // namespace gatehouse::translator
