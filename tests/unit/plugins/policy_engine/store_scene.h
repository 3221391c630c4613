// What the scenes of the store write into one.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/policy/partner_type.h"
#include "plugins/policy_engine/store.h"
#include "tests/unit/plugins/policy_engine/scratch_folder.h"

namespace gatehouse::policy_engine {

inline proto::Partner FullPartner() {
  proto::Partner partner;
  partner.set_id("p1");
  partner.set_domain("partner.example");
  partner.add_additional_domains("z.partner.example");
  partner.add_additional_domains("a.partner.example");
  partner.set_type(kFederated);
  partner.set_tls(proto::OPTIONAL);
  partner.set_sasl(proto::NOT_SUPPORTED);
  partner.set_dialback(true);
  partner.set_connection_limit(7);
  partner.set_keep_alive(true);
  partner.set_proxy("proxy.example:5270");
  partner.set_description("Röntgen & \"Söhne\"");
  partner.set_enabled(true);
  partner.set_trust_anchors("-----BEGIN CERTIFICATE-----\n");
  partner.set_strict_sasl(true);
  partner.set_bidi(true);
  partner.set_same_certificate(true);
  partner.set_dane(proto::ENFORCE);
  partner.set_expires_unix(1'900'000'000);
  return partner;
}

inline AuditEntry Entry(const std::string& action) {
  AuditEntry entry;
  entry.at_unix_ms = 1'700'000'000'000;
  entry.actor = "alice";
  entry.uid = 1001;
  entry.action = action;
  entry.subject = "partner.example";
  entry.reason = "they asked";
  return entry;
}

// In place of whatever stands under its id.
inline Result<void> Put(Store& store, const proto::Partner& partner) {
  AuditEntry entry = Entry("partner set");
  proto::RecordChange& change = entry.changes.emplace_back();
  *change.mutable_before()->mutable_partner() = partner;
  *change.mutable_after()->mutable_partner() = partner;
  GATEHOUSE_TRY_VOID(store.Write(std::move(entry)));
  return {};
}

inline Result<void> Remove(Store& store, const proto::Partner& partner) {
  AuditEntry entry = Entry("partner remove");
  *entry.changes.emplace_back().mutable_before()->mutable_partner() = partner;
  GATEHOUSE_TRY_VOID(store.Write(std::move(entry)));
  return {};
}

inline Result<void> PutGateway(Store& store, const proto::GatewaySettings& settings) {
  AuditEntry entry = Entry("gateway set");
  *entry.changes.emplace_back().mutable_after()->mutable_gateway() = settings;
  GATEHOUSE_TRY_VOID(store.Write(std::move(entry)));
  return {};
}

inline Store OpenAt(const std::string& path) {
  Result<Store> store = Store::Open(path);
  EXPECT_TRUE(store.has_value()) << store.error().text;
  return *std::move(store);
}

inline std::string WhyNotOpened(const std::string& path) {
  const Result<Store> store = Store::Open(path);
  return store ? std::string() : store.error().text;
}

}  // namespace gatehouse::policy_engine
