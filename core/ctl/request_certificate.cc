#include "core/ctl/request_certificate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/certificate/certificate_bundle.h"
#include "core/certificate/certificate_request.h"
#include "core/certificate/issuing.h"
#include "core/config/certificate_name.h"
#include "core/ctl/certificate_order.h"
#include "core/ctl/fresh_file.h"
#include "core/ctl/json_text.h"
#include "core/ctl/request_names.h"
#include "core/ctl/request_wizard.h"
#include "core/ctl/response_text.h"
#include "core/ctl/text_table.h"

namespace gatehouse::ctl {
namespace {

// What is made here, before anything is changed anywhere.
struct Made {
  RequestNames names;
  std::string key;
  std::string request;
  std::string chain;  // empty: a CA signs it later

  [[nodiscard]] const std::string& ForOut() const { return chain.empty() ? request : chain; }
};

Result<EdgeNames, Ending> EdgeNamesFor(const Invocation& invocation, const Outside& outside) {
  const CertificateOrder& order = invocation.certificate;
  if (!order.domains.empty()) return EdgeNames{order.domains, {}};
  if (order.offline) {
    const Result<EdgeNames> names = outside.names_in_config(order.config);
    if (names) return *names;
    return std::unexpected(Refused(names.error().text + "; or name the domains with --domain"));
  }
  proto::CtlRequest request;
  request.mutable_status();
  const auto response = GoodAnswer(invocation, request, outside);
  if (!response) {
    Ending ending = response.error();
    ending.err += "without it: gatehousectl cert request NAME --offline --key-out FILE\n";
    return std::unexpected(std::move(ending));
  }
  const auto& domains = response->status().domains();
  return EdgeNames{{domains.begin(), domains.end()}, response->status().sip_host()};
}

Result<std::string> ReadPem(const std::string& file) {
  GATEHOUSE_TRY(std::string text, ReadFileHead(file, kMaxBundleBytes + 1));
  if (text.size() > kMaxBundleBytes)
    return BadConfig(fmt::format("'{}' has more than {} octets", file, kMaxBundleBytes));
  return text;
}

Result<std::string> SignedNow(const CertificateOrder& order, const Made& made) {
  if (order.signer == Signer::kLater) return std::string();
  if (order.signer == Signer::kSelf) return SelfSign(made.request, made.key, order.days);
  GATEHOUSE_TRY(const std::string ca, ReadPem(order.ca_file));
  GATEHOUSE_TRY(const std::string ca_key, ReadPem(order.ca_key_file));
  Result<std::string> chain = IssueBy(ca, ca_key, made.request, order.days);
  if (!chain)
    return BadConfig(
        fmt::format("--ca {},{}: {}", order.ca_file, order.ca_key_file, chain.error().text));
  return chain;
}

Result<Made> Make(const CertificateOrder& order, const EdgeNames& edge) {
  Made made;
  GATEHOUSE_TRY(made.names, NamesToRequest(edge.domains, order.own_names, order.srv_ids));
  RequestDetails details = order.subject;
  details.common_name = CommonNameOf(made.names);
  details.dns_names = made.names.dns_names;
  details.srv_names = made.names.srv_names;
  GATEHOUSE_TRY(made.key, MakePrivateKey(order.key_type));
  GATEHOUSE_TRY(made.request, MakeCertificateRequest(details, made.key));
  GATEHOUSE_TRY(made.chain, SignedNow(order, made));
  return made;
}

std::string RequestedNamesText(const RequestNames& names) {
  std::string text = fmt::format("{}", fmt::join(names.dns_names, ", "));
  if (!names.srv_names.empty()) text += fmt::format(", {}", fmt::join(names.srv_names, ", "));
  return text;
}

// Of what is signed in this laboratory.
std::string Distrust(const CertificateOrder& order) {
  if (order.signer == Signer::kLater) return {};
  return fmt::format(
      "warning: partners will not trust this certificate, for it is signed {}; it is for a "
      "laboratory\n",
      order.signer == Signer::kSelf ? "by itself" : "by a CA of your own");
}

std::string JsonOf(const CertificateOrder& order, const Made& made) {
  std::string names;
  for (const auto* list : {&made.names.dns_names, &made.names.srv_names})
    for (const std::string& name : *list) names += (names.empty() ? "" : ",") + JsonString(name);
  std::string text = fmt::format("{{\"name\":{},\"names\":[{}],\"request\":{}",
                                 JsonString(order.name), names, JsonString(made.request));
  if (!made.chain.empty()) text += fmt::format(",\"chain\":{}", JsonString(made.chain));
  return text + "}\n";
}

// The request, or what is signed already, printed or said where it lies.
Ending ToldOfRequest(const Invocation& invocation, const CertificateOrder& order, const Made& made,
                     const std::string& done) {
  Ending ending;
  ending.err = Distrust(order);
  if (invocation.json) {
    ending.out = JsonOf(order, made);
    return ending;
  }
  const bool printed = order.out.empty() && (order.signer == Signer::kLater || order.offline);
  std::string text = done + fmt::format("it names {}\n", RequestedNamesText(made.names));
  if (!order.out.empty())
    text +=
        fmt::format("the {} is in '{}'\n",
                    order.offline && !made.chain.empty() ? "certificate" : "request", order.out);
  if (order.signer == Signer::kLater)
    text += order.offline
                ? "send the request to your CA, then bring in what it issues with the key: "
                  "gatehousectl cert import FILE " +
                      order.key_out + " --name " + order.name + "\n"
                : "send the request to your CA, then bring in what it issues: gatehousectl cert "
                  "import FILE\n";
  if (printed) {  // what is printed can be piped
    ending.out = made.ForOut();
    ending.err = Printable(text, '\n') + ending.err;
  } else {
    ending.out = Printable(text, '\n');
  }
  return ending;
}

Ending WriteOffline(const Invocation& invocation, const CertificateOrder& order, const Made& made) {
  Result<KeyFile> key = KeyFile::Create(order.key_out);
  if (!key) return Refused(key.error().text);
  if (const Result<void> written = key->Write(made.key); !written)
    return Refused(written.error().text);
  if (!order.out.empty()) {
    FreshFile out(order.out, kReadable, FreshFile::Over::kNothing);
    Result<void> written = out.Write(made.ForOut());
    if (written) written = out.TakeItsPlace();
    if (!written) return Refused(written.error().text);
  }
  key->Keep();
  return ToldOfRequest(
      invocation, order, made,
      fmt::format("the key is in '{}'; keep it, nobody can bring it back\n", order.key_out));
}

// As the command line says, with another command.
proto::CtlRequest Following(const Invocation& invocation) {
  proto::CtlRequest request;
  request.set_id(invocation.request.id());
  request.set_reason(invocation.request.reason());
  return request;
}

proto::CtlRequest ToStore(const Invocation& invocation, const CertificateOrder& order,
                          const Made& made) {
  proto::CtlRequest request = invocation.request;
  proto::CertificateRequested& requested = *request.mutable_certificate_requested();
  requested.set_name(order.name);
  requested.set_request(made.request);
  requested.set_key(made.key);
  requested.set_exportable(order.exportable);
  requested.set_friendly_name(order.friendly_name);
  return request;
}

proto::CtlRequest ToImport(const Invocation& invocation, const CertificateOrder& order,
                           const Made& made) {
  proto::CtlRequest request = Following(invocation);
  proto::CertificateImport& import = *request.mutable_certificate_import();
  import.set_name(order.name);
  import.set_friendly_name(order.friendly_name);
  proto::CertificateFile& file = *import.add_files();
  file.set_file(order.name + ".pem");
  file.set_content(made.chain);
  return request;
}

Ending SendToStore(const Invocation& invocation, const CertificateOrder& order, const Made& made,
                   const Outside& outside) {
  const bool to_file = !order.out.empty();
  std::optional<FreshFile> out;  // whether it can be written is known before anything is stored
  if (to_file) {
    out.emplace(order.out, kReadable, FreshFile::Over::kNothing);
    if (const Result<void> written = out->Write(made.request); !written)
      return Refused(written.error().text);
  }
  outside.when_interrupted(
      "interrupted: the request may be stored or not; see gatehousectl cert list\n");
  const proto::CtlRequest stored = ToStore(invocation, order, made);
  const auto response = GoodAnswer(invocation, stored, outside);
  if (!response) return response.error();
  if (to_file)
    if (const Result<void> done = out->TakeItsPlace(); !done)
      return Refused(fmt::format("{}; the request is stored, see gatehousectl cert show {}",
                                 done.error().text, order.name));
  if (order.signer == Signer::kLater)
    return ToldOfRequest(invocation, order, made, ResponseText(stored, *response));
  const proto::CtlRequest import = ToImport(invocation, order, made);
  const auto imported = GoodAnswer(invocation, import, outside);
  if (!imported) {
    Ending ending = imported.error();
    ending.err += fmt::format("its key and request are stored; see gatehousectl cert show {}\n",
                              Printable(order.name));
    return ending;
  }
  if (invocation.json) return {kDone, Shown(invocation, import, *imported), Distrust(order)};
  return ToldOfRequest(invocation, order, made, ResponseText(import, *imported));
}

}  // namespace

Ending RequestCertificate(const Invocation& invocation, const Outside& outside) {
  CertificateOrder order = invocation.certificate;
  if (order.name.empty() && !outside.ask)
    return {kWrongUsage,
            {},
            "a NAME is missing, and there is no terminal to ask at; see gatehousectl cert request "
            "--help\n"};
  if (!order.name.empty() && !IsCertificateName(order.name))
    return Refused(Printable(CertificateNameRefusal(order.name)));
  const auto edge = EdgeNamesFor(invocation, outside);
  if (!edge) return edge.error();
  if (!edge->sip_host.empty()) order.own_names.insert(order.own_names.begin(), edge->sip_host);
  if (order.name.empty()) {
    std::optional<CertificateOrder> answered = AskForOrder(std::move(order), *edge, outside.ask);
    if (!answered) return Refused("nothing was changed");
    order = *std::move(answered);
  }
  const Result<Made> made = Make(order, *edge);
  if (!made) return Refused(made.error().text);
  return order.offline ? WriteOffline(invocation, order, *made)
                       : SendToStore(invocation, order, *made, outside);
}

}  // namespace gatehouse::ctl
