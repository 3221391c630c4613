#include "plugins/tls_listener/edge_usage.h"

#include <utility>

namespace gatehouse {
namespace {

constexpr milliseconds kUsageAnswerLimit{2000};

}  // namespace

OtherListeners::OtherListeners(const proto::Usage& sum) : connections_(sum.connections()) {
  for (const proto::PartnerUsage& partner : sum.partners())
    partners_[partner.partner_id()] = partner.streams();
  for (const proto::AddressUsage& address : sum.addresses())
    addresses_[address.address()] = {.connections = address.connections(),
                                     .verifies = address.verifies(),
                                     .unauthenticated = address.unauthenticated()};
}

std::size_t OtherListeners::StreamsOf(std::string_view partner_id) const {
  const auto found = partners_.find(std::string(partner_id));
  return found == partners_.end() ? 0 : found->second;
}

AddressCounts OtherListeners::At(const std::string& address) const {
  const auto found = addresses_.find(address);
  return found == addresses_.end() ? AddressCounts{} : found->second;
}

EdgeUsage::EdgeUsage(Setup setup)
    : setup_(std::move(setup)), timer_(setup_.loop, [this] { Tell(setup_.loop.Now()); }) {
  timer_.StartRepeating(kPeriod);
}

void EdgeUsage::Tell(TimePoint now) {
  if (now - answered_at_ >= kStale) others_ = OtherListeners();
  if (asking_) return;
  proto::Usage own = setup_.own();
  const bool idle = own.ByteSizeLong() == 0 && others_.empty();
  if (idle && now - told_at_ < kIdlePeriod) return;
  proto::PolicyQuestion question;
  *question.mutable_usage() = std::move(own);
  told_at_ = now;
  asking_ = true;
  setup_.engine.Ask<proto::PolicyAnswer>(
      question, kUsageAnswerLimit,
      [this](const Result<proto::PolicyAnswer>& answer) { OnAnswer(answer); });
}

void EdgeUsage::OnAnswer(const Result<proto::PolicyAnswer>& answer) {
  asking_ = false;
  if (!answer || !answer->has_usage_of_others()) return;
  answered_at_ = setup_.loop.Now();
  others_ = OtherListeners(answer->usage_of_others());
  setup_.on_told();
}

}  // namespace gatehouse
