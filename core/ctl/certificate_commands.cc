#include "core/ctl/certificate_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "core/ctl/certificate_files.h"
#include "core/ctl/comma_list.h"
#include "core/ctl/write_options.h"

namespace gatehouse::ctl {
namespace {

constexpr const char* kDefaultConfig = "/etc/gatehouse/gatehouse.yaml";
const std::vector<std::string> kKeys = {"rsa-2048", "rsa-3072", "rsa-4096", "p-256", "p-384"};
const std::vector<std::string> kSlots = {"xmpp", "sip"};

void AddCertificateName(CLI::App& command, std::string& into) {
  command.add_option("NAME", into, "The certificate's name")->required();
}

}  // namespace

void CertificateCommands::AddSubject(CLI::App& command) {
  const auto add = [&command](const char* flag, std::string& into) {
    command.add_option(flag, into, "Of the subject")->type_name("TEXT");
  };
  add("--organization", order_.subject.organization);
  add("--organizational-unit", order_.subject.organizational_unit);
  add("--country", order_.subject.country);
  add("--state", order_.subject.state);
  add("--locality", order_.subject.locality);
  command
      .add_option("--domain", domains_,
                  "In place of the domains that are served: each gives its name and its sip. name")
      ->type_name("A,B")
      ->join(',');
  command
      .add_option("--san", own_names_,
                  "More names, such as the host name by which SIP peers know this edge")
      ->type_name("X,Y")
      ->join(',');
  command.add_flag("--srv-id", order_.srv_ids,
                   "An SRV-ID _xmpp-server.DOMAIN for each domain as well; not every CA issues "
                   "them");
}

void CertificateCommands::AddOffline(CLI::App& command) {
  command
      .add_option("--out", order_.out,
                  "File that is made for the request, and never written over; printed when left "
                  "out")
      ->type_name("FILE");
  CLI::Option* self =
      command.add_flag("--self-sign", self_sign_,
                       "Signed by itself at once, for a laboratory: no partner trusts it");
  command
      .add_option("--ca", ca_,
                  "Signed at once by a CA of your own, for a laboratory: its certificate and key "
                  "in PEM")
      ->type_name("CERT,KEY")
      ->excludes(self);
  command.add_option("--days", order_.days, "How long it is valid, with --self-sign and --ca")
      ->type_name("N")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  CLI::Option* offline = command.add_flag("--offline", order_.offline,
                                          "Without a supervisor: the key goes to --key-out");
  command
      .add_option("--key-out", order_.key_out,
                  "File for the key, which is made and never written over")
      ->type_name("FILE")
      ->needs(offline);
  order_.config = kDefaultConfig;
  command.add_option("--config", order_.config, "Says which domains are served")
      ->type_name("FILE")
      ->capture_default_str()
      ->needs(offline);
}

std::string CertificateCommands::FinishOrder(const CLI::App& command) {
  const auto given = [&command](const char* flag) { return command.count(flag) > 0; };
  order_.domains = SplitAtCommas(domains_);
  order_.own_names = SplitAtCommas(own_names_);
  if (!key_.empty()) order_.key_type = *KeyTypeOf(key_);  // the check has let no other word pass
  if (self_sign_) order_.signer = Signer::kSelf;
  if (!ca_.empty()) {
    const std::vector<std::string> files = SplitAtCommas(ca_);
    if (files.size() != 2 || files[0].empty() || files[1].empty())
      return "--ca takes two files, CERT,KEY";
    order_.signer = Signer::kAuthority;
    order_.ca_file = files[0];
    order_.ca_key_file = files[1];
  }
  if (given("--days") && order_.signer == Signer::kLater && !order_.name.empty())
    return "--days is for --self-sign and --ca; otherwise the CA says how long it is valid";
  if (!order_.offline) return {};
  if (given("--exportable") || given("--friendly-name"))
    return "with --offline nothing is stored; give --exportable and --friendly-name to cert import";
  if (order_.key_out.empty() && !order_.name.empty())
    return "--offline needs --key-out FILE for the key";
  return {};
}

void CertificateCommands::AddRequest(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand(
      "request",
      "Makes a key and a signing request with the names of our domains, as a CA wants it; asks "
      "step by step where NAME is left out. For a name that has a certificate it is a renewal: the "
      "present one stays until the new one is imported");
  command->add_option("NAME", order_.name, "The certificate's name, such as external-edge");
  command->add_option("--key", key_, "p-256 when left out")
      ->type_name("WORD")
      ->check(CLI::IsMember(kKeys));
  command->add_option("--friendly-name", order_.friendly_name, "For people")->type_name("TEXT");
  command->add_flag("--exportable", order_.exportable, "The key can be had by cert export-key");
  AddSubject(*command);
  AddOffline(*command);
  AddWriteOptions(*command, invocation);
  command->callback([this, command, &invocation] {
    invocation.misuse = FinishOrder(*command);
    invocation.action = Action::kRequestCertificate;
    invocation.changes = false;  // not before it is sent
    invocation.certificate = order_;
  });
}

void CertificateCommands::AddImport(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand(
      "import",
      "Takes in what a CA has issued, for the request it was made for, or a certificate with its "
      "key: PEM, DER, PKCS #12 (.pfx, .p12) or PKCS #7 (.p7b), in any order, with its chain");
  command->add_option("FILE", files_, "The certificate, its chain, its key")
      ->required()
      ->expected(1, static_cast<int>(kMaxCertificateFiles));
  command->add_option("--name", name_, "The certificate's name; that of its request when left out");
  command
      ->add_option("--passphrase-file", passphrase_file_,
                   "Holds what opens a PKCS #12 or an encrypted key")
      ->type_name("FILE");
  command->add_flag("--exportable", exportable_,
                    "A key that comes with it can be had by cert export-key");
  command->add_option("--friendly-name", friendly_name_, "For people")->type_name("TEXT");
  AddWriteOptions(*command, invocation);
  command->callback([this, &invocation] {
    invocation.action = Action::kImportCertificate;
    invocation.files = files_;
    invocation.passphrase_file = passphrase_file_;
    proto::CertificateImport& import = *invocation.request.mutable_certificate_import();
    import.set_name(name_);
    import.set_exportable(exportable_);
    import.set_friendly_name(friendly_name_);
  });
}

void CertificateCommands::AddAssign(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand(
      "assign", "Shows a certificate to XMPP partners and SIP peers, live, without a restart");
  command->add_option("NAME", name_, "The certificate's name");
  command->add_option("--slot", slot_, "Where alone: xmpp or sip; both when left out")
      ->type_name("WORD")
      ->check(CLI::IsMember(kSlots));
  command->add_flag("--none", none_, "Takes the assignment away: what gatehouse.yaml says holds");
  AddWriteOptions(*command, invocation);
  command->callback([this, &invocation] {
    if (none_ != name_.empty()) invocation.misuse = "give either a NAME or --none";
    invocation.action = Action::kAsk;
    proto::CertificateAssign& assign = *invocation.request.mutable_certificate_assign();
    assign.set_name(name_);
    if (!slot_.empty()) assign.add_slots(slot_ == "sip" ? proto::SLOT_SIP : proto::SLOT_XMPP);
  });
}

void CertificateCommands::AddReading(CLI::App& parent, Invocation& invocation) {
  parent.add_subcommand("list", "All certificates with the days they have left")
      ->callback([&invocation] {
        invocation.action = Action::kAsk;
        invocation.request.mutable_certificate_get();
      });
  CLI::App* show = parent.add_subcommand(
      "show", "One certificate with its chain, and its request where that is pending");
  AddCertificateName(*show, name_);
  show->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_certificate_get()->set_name(name_);
  });
  CLI::App* key = parent.add_subcommand(
      "export-key", "Writes the key of an exportable certificate to a file of your own");
  AddCertificateName(*key, name_);
  key->add_option("--out", file_, "File that is made, and never written over")
      ->type_name("FILE")
      ->required();
  key->callback([this, &invocation] {
    invocation.action = Action::kExportKey;
    invocation.file = file_;
    invocation.request.mutable_certificate_key_get()->set_name(name_);
  });
}

void CertificateCommands::AddRenewal(CLI::App& parent, Invocation& invocation) {
  parent
      .add_subcommand(
          "renew",
          "Gets the certificate that gatehouse.yaml names at acme.certificate from the "
          "CA now, whatever the back-off says, and waits for it, a quarter of an hour at "
          "most; cert renewal in another terminal says how it stands")
      ->callback([&invocation] {
        invocation.action = Action::kAsk;
        invocation.request.mutable_certificate_renew();
      });
  parent
      .add_subcommand("renewal",
                      "When that certificate is renewed next, and what came of the last time")
      ->callback([&invocation] {
        invocation.action = Action::kAsk;
        invocation.request.mutable_certificate_renewal_get();
      });
}

void CertificateCommands::AddRemove(CLI::App& parent, Invocation& invocation) {
  CLI::App* command = parent.add_subcommand("remove", "Forgets a certificate and its key");
  AddCertificateName(*command, name_);
  AddWriteOptions(*command, invocation);
  command->callback([this, &invocation] {
    invocation.action = Action::kAsk;
    invocation.request.mutable_certificate_remove()->set_name(name_);
  });
}

CertificateCommands::CertificateCommands(CLI::App& app, Invocation& invocation) {
  CLI::App* group = app.add_subcommand("cert", "The certificates that we show");
  group->require_subcommand(1);
  AddRequest(*group, invocation);
  AddImport(*group, invocation);
  AddAssign(*group, invocation);
  AddReading(*group, invocation);
  AddRemove(*group, invocation);
  AddRenewal(*group, invocation);
}

}  // namespace gatehouse::ctl
