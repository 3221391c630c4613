// The openssl command in a folder of its own, gone with its owner: what others write and read.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace gatehouse {

class OpensslFolder {
 public:
  OpensslFolder() { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  ~OpensslFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  OpensslFolder(const OpensslFolder&) = delete;
  OpensslFolder& operator=(const OpensslFolder&) = delete;

  // `arguments` of openssl, as a shell reads them; its output.
  std::string Run(const std::string& arguments) {
    const std::string command =
        "cd " + path_ + " && openssl " + arguments + " >output 2>errors </dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << arguments << '\n' << Read("errors");
    return Read("output");
  }
  void Write(const std::string& name, const std::string& content) {
    std::ofstream(Path(name), std::ios::binary) << content;
  }
  [[nodiscard]] std::string Read(const std::string& name) const {
    std::ifstream stream(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] std::string Path(const std::string& name) const { return path_ + '/' + name; }

  // NAME.pem and NAME.key: a root.
  void MakeRoot(const std::string& name) {
    Run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=" +
        name + " -keyout " + name + ".key -out " + name +
        ".pem -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign");
  }
  struct Below {
    std::string issuer;
    std::string extensions = "basicConstraints=CA:FALSE";
    std::string key = "ec -pkeyopt ec_paramgen_curve:P-256";  // of -newkey
    std::string options = "-sha256 -days 90";                 // of x509 -req
  };
  // The same, signed by `below.issuer`. An existing NAME.key is used again.
  void Issue(const std::string& name, const Below& below) {
    const bool has_key = std::filesystem::exists(Path(name + ".key"));
    const std::string key =
        has_key ? "-key " + name + ".key" : "-newkey " + below.key + " -keyout " + name + ".key";
    Run("req -new " + key + " -nodes -subj /CN=" + name + " -out " + name + ".csr");
    Write(name + ".ext", below.extensions + '\n');
    Run("x509 -req -in " + name + ".csr -CA " + below.issuer + ".pem -CAkey " + below.issuer +
        ".key -CAcreateserial -extfile " + name + ".ext " + below.options + " -out " + name +
        ".pem");
  }
  static std::string Authority() {
    return "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign";
  }

 private:
  std::string path_ = "/tmp/openssl-folder-XXXXXX";
};

}  // namespace gatehouse
