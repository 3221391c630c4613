#include "core/policy/own_domains.h"

#include <gmock/gmock.h>

namespace gatehouse {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(OwnDomains, AreThoseOfTheConfigurationPreparedAndInOrder) {
  proto::Config config;
  config.add_domains()->set_name("Corp.Example.");
  config.add_domains()->set_name("another.example");
  const auto domains = OwnDomains(config);
  ASSERT_TRUE(domains.has_value()) << domains.error().text;
  EXPECT_THAT(*domains, ElementsAre("corp.example", "another.example"));
}

TEST(OwnDomains, NameTheOneThatIsNoDomainAndAskForOne) {
  proto::Config config;
  EXPECT_THAT(OwnDomains(config).error().text, HasSubstr("at least one domain"));
  config.add_domains()->set_name("corp example");
  EXPECT_EQ(OwnDomains(config).error().fault, Fault::kConfig);
  EXPECT_THAT(OwnDomains(config).error().text, HasSubstr("domains: 'corp example': "));
}

}  // namespace
}  // namespace gatehouse
