// Runs a fuzz target over its corpus where libFuzzer is not built in: every file of every folder
// given, in order.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::set<std::filesystem::path> FilesOf(const char* folder) {
  std::set<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, failed))
    if (entry.is_regular_file()) files.insert(entry.path());
  return files;
}

void Replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const auto files = FilesOf(arguments[i]);
    if (files.empty()) {
      std::fprintf(stderr, "no corpus in %s\n", arguments[i]);
      return 1;
    }
    for (const auto& path : files) Replay(path);
    std::printf("%s: %zu inputs\n", arguments[i], files.size());
  }
  return 0;
}
