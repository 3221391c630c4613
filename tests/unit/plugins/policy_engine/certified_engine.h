// An engine with certificates, commanded as by an operator; certificates are made as they are
// needed.
#pragma once

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/certificate/certificate_request.h"
#include "core/certificate/issuing.h"
#include "core/certificate/private_key.h"
#include "tests/unit/plugins/policy_engine/commanded_engine.h"

namespace gatehouse::policy_engine {

inline constexpr const char* kOurs = "contoso.example";

struct Made {
  std::string key, request, chain;
};

// Signed by itself, valid from an hour ago for `days`.
inline Made Make(const std::vector<std::string>& names, int days = 90) {
  Made made;
  made.key = *MakePrivateKey(KeyType::kP256);
  RequestDetails details;
  details.common_name = names.front();
  details.dns_names = names;
  made.request = *MakeCertificateRequest(details, made.key);
  made.chain = *SelfSign(made.request, made.key, days);
  return made;
}

class EngineCertificates : public CommandedEngine {
 protected:
  EngineCertificates() { Keep(); }

  void Keep(const std::string& named = {}, const std::string& sip_host = {}) {
    CertificateEdge edge = edge_of_files_;
    edge.named = named;
    edge.sip_host = sip_host;
    edge.domains = {kOurs};
    EXPECT_TRUE(engine_.KeepCertificates(folder_.File("certificate.key"), edge).has_value());
  }
  void Restart() {
    std::destroy_at(&engine_);
    std::construct_at(&engine_, Open());
    Keep();
  }
  proto::CtlResponse Run(proto::CtlRequest request) {
    request.set_actor("alice");
    request.set_actor_uid(1001);
    return Answer(request, UnixNow());
  }
  proto::CtlResponse Request(const std::string& name, const Made& made, bool exportable = false) {
    proto::CtlRequest request;
    auto& command = *request.mutable_certificate_requested();
    command.set_name(name);
    command.set_request(made.request);
    command.set_key(made.key);
    command.set_exportable(exportable);
    return Run(request);
  }
  proto::CtlResponse Import(const std::string& name, const std::vector<std::string>& files,
                            bool exportable = false) {
    proto::CtlRequest request;
    auto& command = *request.mutable_certificate_import();
    command.set_name(name);
    command.set_exportable(exportable);
    for (const std::string& content : files) {
      auto& file = *command.add_files();
      file.set_file("edge.pem");
      file.set_content(content);
    }
    return Run(request);
  }
  proto::CtlResponse Assign(const std::string& name,
                            const std::vector<proto::CertificateSlot>& slots = {}) {
    proto::CtlRequest request;
    request.mutable_certificate_assign()->set_name(name);
    for (const proto::CertificateSlot slot : slots)
      request.mutable_certificate_assign()->add_slots(slot);
    return Run(request);
  }
  proto::CtlResponse Get(const std::string& name = {}) {
    proto::CtlRequest request;
    request.mutable_certificate_get()->set_name(name);
    return Run(request);
  }
  proto::CtlResponse Remove(const std::string& name) {
    proto::CtlRequest request;
    request.mutable_certificate_remove()->set_name(name);
    return Run(request);
  }
  proto::CtlResponse KeyOf(const std::string& name) {
    proto::CtlRequest request;
    request.mutable_certificate_key_get()->set_name(name);
    return Run(request);
  }
  proto::CertificateView View(const std::string& name) {
    const proto::CtlResponse response = Get(name);
    EXPECT_EQ(response.certificates().certificates_size(), 1) << response.error();
    return response.certificates().certificates_size() == 1
               ? response.certificates().certificates(0)
               : proto::CertificateView();
  }
  std::string Shown(Slot slot) { return engine_.certificates().Given(slot).name(); }
  static void Works(const proto::CtlResponse& response) {
    EXPECT_EQ(response.exit_code(), 0U) << response.error();
  }
  static std::string Why(const proto::CtlResponse& response) {
    EXPECT_EQ(response.exit_code(), 1U);
    return response.error();
  }
  static std::string Content(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // Of the key's text, so that a line of it is found anywhere.
  static std::string KeyLine(const Made& made) { return made.key.substr(30, 40); }

  // What an audit line says that changed: "slot xmpp: certificate a -> b".
  std::vector<std::string> Told(int line) {
    proto::CtlRequest request;
    request.mutable_audit_get()->set_last(10);
    std::vector<std::string> told;
    const proto::CtlResponse response = Run(request);
    for (const proto::ChangeView& change : response.audit().records(line).changes())
      for (const proto::FieldChange& field : change.fields())
        told.push_back(change.kind() + " " + change.key() + ": " + field.field() + " " +
                       field.before() + " -> " + field.after());
    return told;
  }

  CertificateEdge edge_of_files_;
  const Made edge_ = Make({kOurs});
};

}  // namespace gatehouse::policy_engine
