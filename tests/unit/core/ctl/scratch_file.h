// A file with something in it, gone with its owner.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace gatehouse::ctl {

class ScratchFile {
 public:
  explicit ScratchFile(const std::string& content) {
    const int fd = ::mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    std::ofstream(path_) << content;
    std::fclose(::fdopen(fd, "r"));
  }
  ~ScratchFile() { std::remove(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/scratch-XXXXXX";
};

}  // namespace gatehouse::ctl
