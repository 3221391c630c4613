#include "core/ctl/request_wizard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/address/ascii.h"
#include "core/base/utf8_check.h"
#include "core/config/certificate_name.h"
#include "core/ctl/comma_list.h"
#include "core/ctl/request_names.h"
#include "core/ctl/text_table.h"

namespace gatehouse::ctl {
namespace {

constexpr const char* kProposedName = "external-edge";
constexpr int kMaxDays = 3650;

// Takes an answer; gives what is wrong with it, or nothing.
using Take = std::function<std::string(const std::string& answer)>;

std::string Readable(const std::string& file) {
  if (::access(file.c_str(), R_OK) == 0) return {};
  return fmt::format("'{}' cannot be read: {}", file, std::strerror(errno));
}

Take Into(std::string& value) {
  return [&value](const std::string& answer) {
    value = answer;
    return std::string();
  };
}

Take IntoBool(bool& value) {
  return [&value](const std::string& answer) -> std::string {
    const std::string word = ascii::Lower(answer);
    const bool yes = word == "y" || word == "yes";
    if (!yes && word != "n" && word != "no") return "write yes or no";
    value = yes;
    return {};
  };
}

const char* YesNo(bool value) {
  return value ? "yes" : "no";
}

std::string SignerWord(Signer signer) {
  if (signer == Signer::kLater) return "request";
  return signer == Signer::kAuthority ? "ca" : "self";
}

std::string KeyWords() {
  std::string words;
  for (const KeyType type :
       {KeyType::kRsa2048, KeyType::kRsa3072, KeyType::kRsa4096, KeyType::kP256, KeyType::kP384})
    words += fmt::format("{}{}", words.empty() ? "" : ", ", WordOf(type));
  return words;
}

class Dialog {
 public:
  Dialog(CertificateOrder given, const EdgeNames& edge, const AskLine& ask)
      : order_(std::move(given)), edge_(edge), ask_(ask) {
    if (order_.name.empty()) order_.name = kProposedName;
  }

  std::optional<CertificateOrder> Run() {
    AskWhen();
    AskWhat();
    AskSubject();
    AskNames();
    AskWhere();
    bool agreed = false;
    Ask(Summary() + "Do it? yes, no", "no", IntoBool(agreed));
    if (ended_ || !agreed) return std::nullopt;
    return std::move(order_);
  }

 private:
  // Until the answer is good, or there are no more. An empty one is what is `proposed`: a copy, for
  // an answer that is refused may be in its place already.
  // NOLINTNEXTLINE(performance-unnecessary-value-param)
  void Ask(const std::string& question, const std::string proposed, const Take& take) {
    std::string complaint;
    while (!ended_) {
      const auto line = ask_(fmt::format("{}{} [{}]: ", complaint, question,
                                         proposed.empty() ? "none" : Printable(proposed)));
      if (!line) {
        ended_ = true;
        return;
      }
      const std::string answer(ascii::Trim(*line));
      const std::string wrong = IsUtf8(answer)
                                    ? take(answer.empty() ? proposed : answer)
                                    : "write it in UTF-8, in a terminal that is set to it";
      if (wrong.empty()) return;
      complaint = Printable(wrong) + '\n';
    }
  }

  void AskWhen() {
    Ask("Enter takes what stands in brackets; at the end you are asked once more.\n"
        "Make a request now and send it to a CA (request), or sign at once for a laboratory, by a "
        "CA whose key is here (ca) or by itself (self)?",
        SignerWord(order_.signer), [this](const std::string& answer) -> std::string {
          for (const Signer signer : {Signer::kLater, Signer::kAuthority, Signer::kSelf})
            if (SignerWord(signer) == answer) {
              order_.signer = signer;
              return {};
            }
          return "write request, ca or self";
        });
    if (order_.signer != Signer::kAuthority) return;
    AskFile("File with the certificate of the CA", order_.ca_file);
    AskFile("File with its key", order_.ca_key_file);
  }

  void AskFile(const std::string& question, std::string& file) {
    Ask(question, file, [&file](const std::string& answer) {
      if (answer.empty()) return std::string("a file is needed");
      file = answer;
      return Readable(answer);
    });
  }

  void AskWhat() {
    Ask("Name of the certificate", order_.name, [this](const std::string& answer) {
      order_.name = answer;
      return IsCertificateName(answer) ? std::string() : CertificateNameRefusal(answer);
    });
    if (!order_.offline)
      Ask("Friendly name, for people", order_.friendly_name, Into(order_.friendly_name));
    Ask("Key: " + KeyWords(), std::string(WordOf(order_.key_type)),
        [this](const std::string& answer) -> std::string {
          const auto type = KeyTypeOf(answer);
          if (!type) return fmt::format("write one of {}", KeyWords());
          order_.key_type = *type;
          return {};
        });
    if (!order_.offline)
      Ask("May its key be exported later? yes, no", YesNo(order_.exportable),
          IntoBool(order_.exportable));
    if (order_.signer != Signer::kLater)
      Ask("Days it is valid", std::to_string(order_.days), [this](const std::string& answer) {
        const char* const end = answer.data() + answer.size();
        const auto [at, failed] = std::from_chars(answer.data(), end, order_.days);
        const bool good =
            failed == std::errc() && at == end && order_.days >= 1 && order_.days <= kMaxDays;
        return good ? std::string() : fmt::format("write a number from 1 to {}", kMaxDays);
      });
  }

  void AskSubject() {
    RequestDetails& subject = order_.subject;
    Ask("Organization", subject.organization, Into(subject.organization));
    Ask("Organizational unit", subject.organizational_unit, Into(subject.organizational_unit));
    Ask("Country, two letters", subject.country, [&subject](const std::string& answer) {
      subject.country = answer;
      return answer.empty() || answer.size() == 2 ? "" : "write two letters such as DE";
    });
    Ask("State or province", subject.state, Into(subject.state));
    Ask("City", subject.locality, Into(subject.locality));
  }

  void AskNames() {
    const auto computed = Names();
    if (!ended_ && computed)
      Ask(fmt::format("The certificate will have the names\n  {}\nAn SRV-ID for each domain as "
                      "well? Not every CA issues them. yes, no",
                      fmt::join(computed->dns_names, "\n  ")),
          YesNo(order_.srv_ids), IntoBool(order_.srv_ids));
    Ask("More names, commas between them, such as the host name by which SIP peers know this edge",
        fmt::format("{}", fmt::join(order_.own_names, ",")), [this](const std::string& answer) {
          order_.own_names = SplitAtCommas(answer);
          for (std::string& name : order_.own_names) name = ascii::Trim(name);
          const auto names = Names();
          return names ? std::string() : names.error().text;
        });
  }

  void AskWhere() {
    if (order_.offline) {
      if (order_.key_out.empty()) order_.key_out = order_.name + ".key";
      Ask("File for the key", order_.key_out, [this](const std::string& answer) {
        order_.key_out = answer;
        const bool there = ::access(answer.c_str(), F_OK) == 0;
        return there ? fmt::format("'{}' is there already; name another file", answer)
                     : std::string();
      });
    }
    if (order_.signer != Signer::kLater && !order_.offline) return;
    const bool request = order_.signer == Signer::kLater;
    if (order_.out.empty()) order_.out = order_.name + (request ? ".csr" : ".pem");
    Ask(request ? "File for the request" : "File for the certificate", order_.out,
        Into(order_.out));
  }

  [[nodiscard]] Result<RequestNames> Names() const {
    return NamesToRequest(edge_.domains, order_.own_names, order_.srv_ids);
  }

  [[nodiscard]] std::string Summary() const {
    std::string text = "\n";
    const auto add = [&text](const char* what, const std::string& value) {
      if (!value.empty()) text += fmt::format("{:<22}{}\n", what, Printable(value));
    };
    add("name", order_.name);
    add("friendly name", order_.friendly_name);
    add("key",
        std::string(WordOf(order_.key_type)) + (order_.exportable ? ", may be exported" : ""));
    add("organization", order_.subject.organization);
    add("organizational unit", order_.subject.organizational_unit);
    add("country", order_.subject.country);
    add("state", order_.subject.state);
    add("city", order_.subject.locality);
    if (const auto names = Names()) {
      for (const std::string& name : names->dns_names) add("names it", name);
      for (const std::string& name : names->srv_names) add("SRV-ID", name);
    }
    if (order_.signer == Signer::kAuthority) add("signed by the CA in", order_.ca_file);
    if (order_.signer == Signer::kSelf) add("signed by", "itself");
    if (order_.signer != Signer::kLater) add("days", std::to_string(order_.days));
    add("key goes to", order_.offline ? order_.key_out : "the store of this Gatehouse");
    add(order_.signer == Signer::kLater ? "request goes to" : "certificate goes to", order_.out);
    return text;
  }

  CertificateOrder order_;
  const EdgeNames& edge_;
  const AskLine& ask_;
  bool ended_ = false;  // no more answers come
};

}  // namespace

std::optional<CertificateOrder> AskForOrder(CertificateOrder given, const EdgeNames& edge,
                                            const AskLine& ask) {
  return Dialog(std::move(given), edge, ask).Run();
}

}  // namespace gatehouse::ctl
