// A folder for one test, gone at its end.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace kvs {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = place() / "kvs-test-XXXXXX";
    path_ = ::mkdtemp(name.data()) == nullptr ? std::string() : name;
  }

  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  /// Memory, if there is plenty: syncs cost nothing there, and no unit test is about real disks.
  static std::filesystem::path place() {
    constexpr std::uintmax_t kPlenty = 1ULL << 30U;
    const std::filesystem::path memory = "/dev/shm";
    std::error_code error;
    const auto space = std::filesystem::space(memory, error);
    return !error && space.available >= kPlenty ? memory : std::filesystem::temp_directory_path();
  }

  std::string path_;
};

}  // namespace kvs
