#include "plugins/policy_engine/usage_totals.h"

#include <utility>

namespace gatehouse::policy_engine {
namespace {

class Sum {
 public:
  void Add(const proto::Usage& usage) {
    connections_ += usage.connections();
    for (const proto::PartnerUsage& partner : usage.partners())
      partners_[partner.partner_id()] += partner.streams();
    for (const proto::AddressUsage& address : usage.addresses()) Add(address);
  }
  [[nodiscard]] proto::Usage Words() const {
    proto::Usage usage;
    usage.set_connections(connections_);
    for (const auto& [id, streams] : partners_) {
      proto::PartnerUsage& partner = *usage.add_partners();
      partner.set_partner_id(id);
      partner.set_streams(streams);
    }
    for (const auto& [name, address] : addresses_) *usage.add_addresses() = address;
    return usage;
  }

 private:
  void Add(const proto::AddressUsage& more) {
    proto::AddressUsage& sum = addresses_[more.address()];
    sum.set_address(more.address());
    sum.set_unauthenticated(sum.unauthenticated() + more.unauthenticated());
    sum.set_connections(sum.connections() + more.connections());
    sum.set_verifies(sum.verifies() + more.verifies());
  }

  std::uint32_t connections_ = 0;
  std::map<std::string, std::uint32_t> partners_;
  std::map<std::string, proto::AddressUsage> addresses_;
};

}  // namespace

proto::Usage UsageTotals::Tell(std::string_view instance, proto::Usage own, TimePoint now) {
  told_.insert_or_assign(std::string(instance), Told{std::move(own), now});
  std::erase_if(told_, [now](const auto& each) { return now - each.second.at >= kForgotten; });
  Sum others;
  for (const auto& [name, told] : told_)
    if (name != instance) others.Add(told.usage);
  return others.Words();
}

}  // namespace gatehouse::policy_engine
