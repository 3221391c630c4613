// Ask links over real sockets, both ends in one process.
#include <gmock/gmock.h>

#include <optional>

#include "ipc/zmq_socket.h"
#include "proto/ask_link.pb.h"
#include "tests/unit/ipc/link_scene.h"

namespace gatehouse::ipc {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::uint32_t kMaxMessageBytes = 65536;

struct Asker {
  Asker(LinkScene& a_scene, std::uint64_t epoch, std::uint32_t deadline_ms = 0)
      : scene(a_scene), life(a_scene, "listener/0", epoch) {
    proto::LinkEnd end;
    end.set_kind(proto::ASK);
    end.set_asks(true);
    end.set_sibling_plugin("verifier");
    end.set_max_message_bytes(kMaxMessageBytes);
    end.set_deadline_ms(deadline_ms);
    EXPECT_TRUE(life.links().Open(end));
  }
  void Ask(const std::string& question, milliseconds limit = 30s) {
    life.links()
        .AskLinkTo("verifier")
        ->AskBytes(question, limit, [this](Result<std::string> answer) {
          answers.push_back(answer ? *answer : "error: " + answer.error().text);
        });
  }

  LinkScene& scene;
  Life life;
  std::vector<std::string> answers;
};

struct Question {
  std::string from;
  std::string text;
  AskServer::Reply reply;
};

struct Answerer {
  Answerer(LinkScene& a_scene, std::uint64_t epoch, const std::string& address)
      : scene(a_scene), life(a_scene, "verifier/0", epoch) {
    proto::LinkEnd end;
    end.set_kind(proto::ASK);
    end.set_binds(true);
    end.set_sibling_plugin("listener");
    end.set_address(address);
    end.set_max_message_bytes(kMaxMessageBytes);
    EXPECT_TRUE(life.links().Open(end));
  }
  void Listen() {
    life.links().AnswerAsks(
        [this](std::string_view from, std::string_view text, AskServer::Reply reply) {
          questions.push_back(Question{std::string(from), std::string(text), std::move(reply)});
        });
  }

  LinkScene& scene;
  Life life;
  std::vector<Question> questions;
};

struct AskLinkTest : LinkScene {
  std::string address = folder.Address("ask.sock");

  std::unique_ptr<Answerer> Verifier(std::uint64_t epoch) {
    auto verifier = std::make_unique<Answerer>(*this, epoch, address);
    verifier->Listen();
    return verifier;
  }
  void Introduce(Asker& asker, Answerer& verifier) const {
    asker.life.HearOf(verifier.life, address);
    verifier.life.HearOf(asker.life);
  }
};

TEST_F(AskLinkTest, AnswersEachQuestionOnceInAnyOrder) {
  auto verifier = Verifier(11);
  Asker asker(*this, 21);
  Introduce(asker, *verifier);
  asker.Ask("one");
  asker.Ask("two");
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 2; }));
  EXPECT_EQ(verifier->questions[0].from, "listener/0");
  EXPECT_EQ(verifier->questions[0].text, "one");
  verifier->questions[1].reply(std::string("second"));
  verifier->questions[1].reply(std::string("second again"));
  verifier->questions[0].reply(std::string());
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 2; }));
  Turns(10);
  EXPECT_THAT(asker.answers, ElementsAre("second", ""));
}

TEST_F(AskLinkTest, AnswersFromWithinTheQuestion) {
  auto verifier = Verifier(11);
  verifier->life.links().AnswerAsks(
      [](std::string_view, std::string_view text, const AskServer::Reply& reply) {
        reply("re: " + std::string(text));
      });
  Asker asker(*this, 21);
  Introduce(asker, *verifier);
  asker.Ask("");
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 1; }));
  EXPECT_THAT(asker.answers, ElementsAre("re: "));
}

TEST_F(AskLinkTest, HandsOnWhyThereIsNoAnswer) {
  auto verifier = Verifier(11);
  Asker asker(*this, 21);
  Introduce(asker, *verifier);
  asker.Ask("one");
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 1; }));
  verifier->questions[0].reply(Trouble("DNS failed for caf\xE9.example"));
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 1; }));
  EXPECT_THAT(asker.answers, ElementsAre("error: verifier/0: DNS failed for caf?.example"));
}

TEST_F(AskLinkTest, ADeadlineEndsAQuestionAndTheLateAnswerIsDropped) {
  auto verifier = Verifier(11);
  Asker asker(*this, 21);
  Introduce(asker, *verifier);
  asker.Ask("opens the link");
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 1; }));
  verifier->questions[0].reply(std::string("open"));
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 1; }));
  asker.Ask("slow", 300ms);
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 2; }));
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 2; }));
  EXPECT_THAT(asker.answers[1], HasSubstr("in time"));
  verifier->questions[1].reply(std::string("too late"));
  asker.Ask("next");
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 3; }));
  verifier->questions[2].reply(std::string("good"));
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 3; }));
  EXPECT_EQ(asker.answers[2], "good");
}

TEST_F(AskLinkTest, TheTopologyBoundsEveryDeadline) {
  Asker asker(*this, 21, 20);
  asker.Ask("nobody there", 30s);
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 1; }));
}

TEST_F(AskLinkTest, TheEarlierDeadlineOfALaterQuestionHolds) {
  Asker asker(*this, 21);
  asker.Ask("long", 30s);
  asker.Ask("short", 20ms);
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 1; }));
}

TEST_F(AskLinkTest, ANewLifeGetsEveryOpenQuestionAgain) {
  auto verifier = Verifier(11);
  Asker asker(*this, 21);
  Introduce(asker, *verifier);
  for (const char* question : {"one", "two", "three"}) asker.Ask(question);
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 3; }));
  verifier->questions[1].reply(std::string("answered"));
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 1; }));
  verifier.reset();
  asker.Ask("four");

  verifier = Verifier(12);
  Introduce(asker, *verifier);
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 3; }));
  EXPECT_EQ(verifier->questions[0].text, "one");
  EXPECT_EQ(verifier->questions[1].text, "three");
  EXPECT_EQ(verifier->questions[2].text, "four");
  for (Question& question : verifier->questions) question.reply(question.text);
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 4; }));
  EXPECT_THAT(asker.answers, ElementsAre("answered", "one", "three", "four"));
}

TEST_F(AskLinkTest, AnAnswerToADeadLifeIsNotTakenForOne) {
  auto verifier = Verifier(11);
  auto asker = std::make_unique<Asker>(*this, 21);
  Introduce(*asker, *verifier);
  asker->Ask("of the first life");
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 1; }));
  asker.reset();
  asker = std::make_unique<Asker>(*this, 22);
  Introduce(*asker, *verifier);
  asker->Ask("of the second life");  // the same number
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 2; }));
  verifier->questions[0].reply(std::string("wrong"));
  verifier->questions[1].reply(std::string("right"));
  ASSERT_TRUE(Until([&] { return asker->answers.size() == 1; }));
  EXPECT_THAT(asker->answers, ElementsAre("right"));
}

TEST_F(AskLinkTest, QuestionsWaitForTheHandler) {
  Answerer verifier(*this, 11, address);
  Asker asker(*this, 21);
  Introduce(asker, verifier);
  asker.Ask("early");
  Turns(50);
  verifier.Listen();
  ASSERT_TRUE(Until([&] { return verifier.questions.size() == 1; }));
  verifier.questions[0].reply(std::string("yes"));
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 1; }));
}

TEST_F(AskLinkTest, WhatIsTooLargeFailsAtItsSender) {
  auto verifier = Verifier(11);
  Asker asker(*this, 21);
  Introduce(asker, *verifier);
  asker.Ask(std::string(kMaxMessageBytes, 'x'));
  EXPECT_THAT(asker.answers, IsEmpty());  // never inside the call
  asker.Ask("small");
  ASSERT_TRUE(Until([&] { return verifier->questions.size() == 1 && asker.answers.size() == 1; }));
  EXPECT_THAT(asker.answers[0], HasSubstr("65536 octets"));
  verifier->questions[0].reply(std::string(kMaxMessageBytes, 'y'));
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 2; }));
  EXPECT_THAT(asker.answers[1], HasSubstr("65536 octets"));
  EXPECT_THAT(asker.life.malformed, IsEmpty());
}

TEST_F(AskLinkTest, ManyQuestionsGoInOneTurn) {
  auto verifier = Verifier(11);
  verifier->life.links().AnswerAsks(
      [](std::string_view, std::string_view text, const AskServer::Reply& reply) {
        reply(std::string(text));
      });
  Asker asker(*this, 21);
  Introduce(asker, *verifier);
  std::vector<std::string> expected;
  for (int i = 0; i < 2000; ++i) {
    expected.push_back(std::to_string(i) + std::string(100, '.'));
    asker.Ask(expected.back());
  }
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 2000; }));
  EXPECT_EQ(asker.answers, expected);
}

TEST_F(AskLinkTest, TooManyOpenQuestionsAreRefused) {
  Asker asker(*this, 21);
  for (int i = 0; i < 8193; ++i) asker.Ask("x");
  ASSERT_TRUE(Until([&] { return asker.answers.size() == 1; }));
  EXPECT_THAT(asker.answers[0], HasSubstr("8192 questions"));
}

TEST_F(AskLinkTest, AnAnswerNobodyAskedForClosesTheLink) {
  ZmqSocket::Options options;
  options.linger = 0ms;
  const auto rogue = ZmqSocket::Create(*context, ZmqKind::kRouter, options).value();
  ASSERT_TRUE(rogue->Bind(address));
  Asker asker(*this, 21);
  const Life announced(*this, "verifier/0", 11);
  asker.life.HearOf(announced, address);
  proto::AskFrame frame;
  frame.set_sender_epoch(11);
  frame.set_receiver_epoch(21);
  frame.add_answers()->set_id(99);
  const std::string bytes = frame.SerializeAsString();
  ASSERT_TRUE(Until([&] {
    ZmqMessage message(bytes.size());
    std::copy(bytes.begin(), bytes.end(), message.data());
    return rogue->Send("listener/0", message) == ZmqSocket::Sent::kSent;
  }));
  ASSERT_TRUE(Until([&] { return !asker.life.malformed.empty(); }));
  EXPECT_THAT(asker.life.malformed,
              ElementsAre(Pair("verifier/0", "an answer to what was never asked")));
}

}  // namespace
}  // namespace gatehouse::ipc
