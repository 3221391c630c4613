#include "core/worker/lifeline.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "core/loop/owned_fd.h"
#include "proto/link_control.pb.h"

namespace gatehouse {
namespace {

using testing::HasSubstr;

struct Pipe {
  OwnedFd read, write;
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read.Reset(ends[0]);
    write.Reset(ends[1]);
    EXPECT_EQ(::fcntl(write.get(), F_SETFL, O_NONBLOCK), 0);
  }
};

TEST(Lifeline, BringsTheConfigurationBeforeAnybodyReads) {
  Pipe pipe;
  proto::WorkerConfig sent;
  sent.set_instance("echo/0");
  sent.set_state_dir(std::string(200000, 'x'));  // more than a pipe takes by itself
  ASSERT_TRUE(SendWorkerConfig(pipe.write.get(), sent));
  const auto got = ReceiveWorkerConfig(pipe.read.get());
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->SerializeAsString(), sent.SerializeAsString());
}

TEST(Lifeline, RefusesAConfigurationThatDoesNotFit) {
  Pipe pipe;
  proto::WorkerConfig large;
  large.set_state_dir(std::string(2000000, 'x'));
  const auto sent = SendWorkerConfig(pipe.write.get(), large);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().fault, Fault::kConfig);
}

TEST(Lifeline, TellsAnEarlyEndAndWhatIsNoConfiguration) {
  Pipe ended;
  ended.write.Reset();
  EXPECT_THAT(ReceiveWorkerConfig(ended.read.get()).error().text, HasSubstr("ended before"));
  for (const std::string& bytes : {std::string("\1\0\0\0\1", 5), std::string(8, '\xff')}) {
    Pipe pipe;
    ASSERT_EQ(::write(pipe.write.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
    EXPECT_THAT(ReceiveWorkerConfig(pipe.read.get()).error().text,
                HasSubstr("not a configuration"));
  }
}

}  // namespace
}  // namespace gatehouse
