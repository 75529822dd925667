#include "app/default_config.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/options.h"
#include "io/os.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::HasSubstr;

Options parse(const std::string& text) {
  auto options = parse_options(
      {.file_name = "c.yaml", .file_text = text, .environment = {}, .host_name = "elsewhere"});
  EXPECT_TRUE(options) << options.error().detail;
  return options ? *std::move(options) : Options{};
}

std::string read(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string project_file(const std::string& name) {
  return read(std::string(KVS_TEST_DATA) + "/../../" + name);
}

TEST(DefaultConfig, ReadsBackAsTheDefaults) {
  Config expected;
  expected.node_id = "kn\u00f6t \"1\" \\";
  EXPECT_EQ(parse(default_config_text(expected.node_id)).config, expected);
}

TEST(DefaultConfig, HasEveryKeyWithACommentAboveIt) {
  const Options options = parse(default_config_text("n"));
  for (const auto& source : options.sources) {
    EXPECT_THAT(source, HasSubstr("c.yaml:"));
  }
  std::istringstream text(default_config_text("n"));
  std::string previous;
  for (std::string line; std::getline(text, line); previous = line) {
    if (!line.empty() && line[0] != '#') {
      EXPECT_EQ(previous.substr(0, 2), "# ") << line;
    }
  }
}

TEST(DefaultConfig, ValuesAreYaml) {
  Config config;
  config.seed_nodes = {{"a", 1}, {"::1", 2}};
  config.log_file = "a\\b";
  EXPECT_EQ(yaml_value(config, *find_config_key("seed_nodes")), R"(["a:1", "[::1]:2"])");
  EXPECT_EQ(yaml_value(config, *find_config_key("log_file")), R"("a\\b")");
  EXPECT_EQ(yaml_value(config, *find_config_key("read_only")), "false");
  EXPECT_EQ(yaml_value(config, *find_config_key("cache_mb")), "256");
  EXPECT_EQ(yaml_value(config, *find_config_key("durability")), "\"sync\"");
}

TEST(DefaultConfig, IsWrittenWithTheHostName) {
  const TemporaryFolder folder;
  const auto written = write_default_config(folder / "config.yaml");
  ASSERT_TRUE(written) << written.error().detail;
  EXPECT_EQ(*written, FileCreation::created);
  EXPECT_EQ(parse(read(folder / "config.yaml")).config.node_id, host_name());
}

TEST(DefaultConfig, NeverReplacesAFile) {
  const TemporaryFolder folder;
  std::ofstream(folder / "config.yaml") << "port: 1\n";
  const auto written = write_default_config(folder / "config.yaml");
  ASSERT_TRUE(written);
  EXPECT_EQ(*written, FileCreation::existed);
  EXPECT_EQ(read(folder / "config.yaml"), "port: 1\n");
}

TEST(DefaultConfig, SaysWhatToDoWhereItCannotBeWritten) {
  const TemporaryFolder folder;
  const auto written = write_default_config(folder / "absent/config.yaml");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().detail, HasSubstr("No such file or directory; start in a folder"));
}

// The example and the documentation are held to the table of keys, so that they cannot drift.

TEST(DefaultConfig, TheExampleIsTheDefaultFileWithAnEmptyNodeId) {
  EXPECT_EQ(project_file("examples/config.yaml"), default_config_text(""))
      << "write it anew: kvs without an argument, then empty node_id";
}

TEST(DefaultConfig, TheDocumentationHasARowForEachKey) {
  const std::string page = project_file("docs/configuration.md");
  for (const ConfigKey& key : config_keys()) {
    const std::string value = key.name == "node_id" ? "host name" : "`" + yaml_value({}, key) + "`";
    const std::string row = "| `" + std::string(key.name) + "` | " + std::string(key.meaning) +
                            " | " + value + " | " + allowed_values(key) + " | `" +
                            variable_of(key.name) + "` |\n";
    EXPECT_THAT(page, HasSubstr(row));
  }
}

/// What stands between the fences of the first block of that language after "## Errors".
std::string block(const std::string& page, const std::string& language) {
  const std::string fence = "```" + language + "\n";
  const std::size_t start = page.find(fence, page.find("## Errors")) + fence.size();
  return page.substr(start, page.find("```", start) - start);
}

TEST(DefaultConfig, TheDocumentedErrorsAreTheRealOnes) {
  const std::string page = project_file("docs/configuration.md");
  const auto options = parse_options({.file_name = "config.yaml",
                                      .file_text = block(page, "yaml"),
                                      .environment = {{"KVS_LOG_LEVEL", "loud"}},
                                      .host_name = "host"});
  ASSERT_FALSE(options);
  std::string printed;
  std::istringstream lines(options.error().detail);
  for (std::string line; std::getline(lines, line);) {
    printed += "kvs: " + line + "\n";
  }
  EXPECT_EQ(block(page, "text"), printed);
}

}  // namespace
}  // namespace kvs
