#include "core/ctl/contact_marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/ctl/carry_out.h"

namespace gatehouse::ctl {
namespace {

// A store with these marks and a contact that its user added.
Outside AsOutside(const ContactMarks& marks) {
  Outside outside;
  outside.call = [&marks](const proto::CtlRequest& request, milliseconds) {
    proto::CtlResponse response;
    response.set_revision(7);
    if (request.has_export_data()) {
      response.mutable_federation_data()->add_partners()->set_domain("partner.example");
    } else {
      *response.mutable_contacts() = ViewsOf(marks);
      proto::ContactView& learned = *response.mutable_contacts()->add_contacts();
      learned.set_sip_user("zoe@contoso.example");
      learned.set_contact("romeo@partner.example");
      learned.set_state("learned");
    }
    return Result<std::optional<proto::CtlResponse>>(response);
  };
  return outside;
}

TEST(ExportContacts, PrintsWhatOperatorsSaidSortedAndApplyReadsIt) {
  const ContactMarks store = {{{"bob@contoso.example", "a@partner.example"}, "blocked"},
                              {{"ann@contoso.example", "z@partner.example"}, "allowed"}};
  Invocation invocation;
  invocation.action = Action::kExport;
  invocation.request.mutable_export_data();
  invocation.contacts = true;
  const Ending ending = CarryOut(invocation, AsOutside(store));
  EXPECT_THAT(ending.out, testing::EndsWith("contacts:\n"
                                            "  - sip_user: \"ann@contoso.example\"\n"
                                            "    contact: \"z@partner.example\"\n"
                                            "    state: allowed\n"
                                            "  - sip_user: \"bob@contoso.example\"\n"
                                            "    contact: \"a@partner.example\"\n"
                                            "    state: blocked\n"));
  invocation.json = true;
  EXPECT_THAT(CarryOut(invocation, AsOutside(store)).out,
              testing::EndsWith(R"(,"contacts":[{"sip_user":"ann@contoso.example","contact":)"
                                R"("z@partner.example","state":"allowed"},{"sip_user":)"
                                R"("bob@contoso.example","contact":"a@partner.example",)"
                                R"("state":"blocked"}]})"
                                "\n"));
}

}  // namespace
}  // namespace gatehouse::ctl
