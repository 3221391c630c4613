#include "plugins/policy_engine/certificate_publication.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

#include "proto/link_policy.pb.h"

namespace gatehouse::policy_engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What an asker hears: the name of each certificate, or "error".
struct CertificateAsker {
  std::vector<std::string> heard;
  std::string hash, key;
  CertificatePublication::Reply Reply() {
    return [this](const Result<std::string>& bytes) {
      proto::PolicyAnswer answer;
      const bool good = bytes && answer.ParseFromString(*bytes);
      heard.push_back(good ? answer.certificate().name() : "error");
      hash = answer.certificate().hash();
      key = answer.certificate().key();
    };
  }
};

class CertificatePublicationTest : public testing::Test {
 protected:
  void Show(Slot slot, const std::string& name) {
    names_[slot] = name;
    publication_.Refresh();
  }

  std::map<Slot, std::string> names_;
  CertificatePublication publication_{[this](Slot slot) {
    proto::CertificateGiven given;
    given.set_name(names_[slot]);
    given.set_key(names_[slot].empty() ? "" : "key of " + names_[slot]);
    given.set_hash("hash of " + names_[slot]);
    return given;
  }};
  CertificateAsker listener_, translator_;
};

TEST_F(CertificatePublicationTest, GivesEachWorkerTheCertificateOfItsOwnSlot) {
  Show(Slot::kXmpp, "edge");
  Show(Slot::kSip, "inner");
  publication_.Ask("tls_listener/3", "", listener_.Reply());
  publication_.Ask("sip_translator/0", "", translator_.Reply());
  EXPECT_THAT(listener_.heard, ElementsAre("edge"));
  EXPECT_EQ(listener_.key, "key of edge");
  EXPECT_THAT(translator_.heard, ElementsAre("inner"));
}

TEST_F(CertificatePublicationTest, GivesNobodyElseAnything) {
  Show(Slot::kXmpp, "edge");
  CertificateAsker stranger;
  for (const char* instance : {"acme_client/0", "tls_listenerx/0", "", "/tls_listener"})
    publication_.Ask(instance, "", stranger.Reply());
  EXPECT_THAT(stranger.heard, ElementsAre("error", "error", "error", "error"));
  EXPECT_EQ(publication_.waiting(), 0U);
}

TEST_F(CertificatePublicationTest, SaysThatNoneIsAssigned) {
  publication_.Refresh();
  publication_.Ask("tls_listener/0", "", listener_.Reply());
  EXPECT_THAT(listener_.heard, ElementsAre(""));
}

TEST_F(CertificatePublicationTest, HoldsTheQuestionUntilThatSlotHasAnother) {
  Show(Slot::kXmpp, "edge");
  Show(Slot::kSip, "edge");
  publication_.Ask("tls_listener/0", "hash of edge", listener_.Reply());
  publication_.Ask("sip_translator/0", "hash of edge", translator_.Reply());
  Show(Slot::kXmpp, "edge");
  EXPECT_THAT(listener_.heard, IsEmpty());
  Show(Slot::kXmpp, "next");
  EXPECT_THAT(listener_.heard, ElementsAre("next"));
  EXPECT_EQ(listener_.hash, "hash of next");
  EXPECT_THAT(translator_.heard, IsEmpty());
  EXPECT_EQ(publication_.waiting(), 1U);
}

TEST_F(CertificatePublicationTest, KeepsOneQuestionPerInstanceAndLetsAllGoAtTheEnd) {
  Show(Slot::kXmpp, "edge");
  CertificateAsker older;
  publication_.Ask("tls_listener/0", "hash of edge", older.Reply());
  publication_.Ask("tls_listener/0", "hash of edge", listener_.Reply());
  EXPECT_THAT(older.heard, ElementsAre("error"));
  publication_.Close();
  EXPECT_THAT(listener_.heard, ElementsAre("error"));
}

}  // namespace
}  // namespace gatehouse::policy_engine
