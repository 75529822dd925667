#include "app/cli.h"

#include <filesystem>
#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/options.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// What a command line did.
struct Ran {
  int exit_code = -1;
  std::string out;
  std::string err;
  /// The path that was served; empty if none was.
  std::string served;
  Config config;
};

class CliTest : public ::testing::Test {
 protected:
  CliTest() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(folder_.path());
  }

  ~CliTest() override { std::filesystem::current_path(before_); }

  static Ran run(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "kvs");
    Ran ran;
    const Serve serve = [&ran](const Config& config, const std::string& path) {
      ran.served = path;
      ran.config = config;
      return 7;
    };
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    ran.exit_code = run_cli(static_cast<int>(arguments.size()), arguments.data(), serve);
    std::fflush(nullptr);
    ran.out = ::testing::internal::GetCapturedStdout();
    ran.err = ::testing::internal::GetCapturedStderr();
    return ran;
  }

  static void write(const std::string& name, const std::string& text) {
    std::ofstream(name) << text;
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path before_;
};

TEST_F(CliTest, ServesTheNamedFile) {
  write("a.yaml", "port: 1234\n");
  const Ran ran = run({"a.yaml"});
  EXPECT_EQ(ran.exit_code, 7);
  EXPECT_EQ(ran.served, "a.yaml");
  EXPECT_EQ(ran.config.port, 1234);
  EXPECT_FALSE(std::filesystem::exists("config.yaml"));
}

TEST_F(CliTest, WithoutAFileWritesTheDefaultOneAndServesIt) {
  const Ran first = run({});
  EXPECT_EQ(first.exit_code, 7) << first.err;
  EXPECT_EQ(first.served, "./config.yaml");
  EXPECT_EQ(first.config.port, 8080);
  EXPECT_TRUE(std::filesystem::exists("config.yaml"));

  write("config.yaml", "port: 4321\n");
  EXPECT_EQ(run({}).config.port, 4321);
}

TEST_F(CliTest, ANamedFileThatIsAbsentIsAnError) {
  const Ran ran = run({"absent.yaml"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_THAT(ran.served, IsEmpty());
  EXPECT_EQ(ran.err,
            "kvs: cannot read absent.yaml: No such file or directory; name a configuration file "
            "that exists and that this user may read\n");
  EXPECT_FALSE(std::filesystem::exists("absent.yaml"));
}

TEST_F(CliTest, EveryErrorOfTheFileIsALine) {
  write("a.yaml", "port: x\nprot: 1\n");
  for (const auto& arguments : {std::vector{"a.yaml"}, std::vector{"check", "a.yaml"}}) {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_THAT(ran.served, IsEmpty());
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_EQ(ran.err,
              "kvs: a.yaml:1: port: \"x\" is not allowed; allowed: a whole number, 0 to 65535\n"
              "kvs: a.yaml:2: unknown key \"prot\"; the nearest known key is \"port\"\n");
  }
}

TEST_F(CliTest, CheckShowsEveryValueWithItsSource) {
  write("a.yaml", "node_id: n\nport: 1\n");
  const Ran ran = run({"check", "a.yaml"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.err, IsEmpty());
  EXPECT_THAT(ran.out, AllOf(StartsWith("node_id: \"n\"                              # a.yaml:1\n"),
                             HasSubstr("port: 1                                   # a.yaml:2\n"),
                             HasSubstr("read_only: false                          # default\n")));
  EXPECT_THAT(ran.served, IsEmpty());
}

TEST_F(CliTest, WhatCheckShowsIsAConfiguration) {
  write("a.yaml", "node_id: 'n # 1'\nseed_nodes: ['[::1]:1', b:2]\nread_only: true\n");
  write("b.yaml", run({"check", "a.yaml"}).out);
  EXPECT_EQ(run({"b.yaml"}).config, run({"a.yaml"}).config);
}

TEST_F(CliTest, CheckWithoutAFileReadsTheDefaultOneAndWritesNone) {
  const Ran absent = run({"check"});
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_THAT(absent.err, StartsWith("kvs: cannot read ./config.yaml: No such file"));
  EXPECT_FALSE(std::filesystem::exists("config.yaml"));
  write("config.yaml", "port: 5\n");
  EXPECT_THAT(run({"check"}).out, HasSubstr("# ./config.yaml:1\n"));
}

TEST_F(CliTest, HelpAndVersionGoToStandardOutput) {
  const Ran help = run({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("kvs [OPTIONS] [CONFIG.yaml]"), HasSubstr("check"),
                              HasSubstr("KVS_PORT")));
  EXPECT_THAT(help.err, IsEmpty());

  const Ran version = run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out, "kvs " KVS_VERSION "\n");

  EXPECT_EQ(run({"check", "--help"}).exit_code, 0);
}

TEST_F(CliTest, AWrongCommandLineIsALineAndExitTwo) {
  for (const auto& arguments :
       {std::vector{"--port"}, std::vector{"a.yaml", "b.yaml"}, std::vector{"a.yaml", "check"},
        std::vector{"check", "a", "b"}, std::vector{"check", "--all"}}) {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.exit_code, 2) << arguments[0];
    EXPECT_THAT(ran.err, StartsWith("kvs: "));
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_THAT(ran.served, IsEmpty());
  }
}

}  // namespace
}  // namespace kvs
