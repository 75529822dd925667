// Any file and any environment give a valid configuration or errors, and nothing else.
//
// The input is cut at its first NUL: before it a variable `NAME=VALUE`, after it the file; without
// one it is all file.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/default_config.h"
#include "app/options.h"
#include "app/yaml_entries.h"
#include "base/check.h"
#include "base/utf8.h"
#include "core/config_keys.h"

namespace kvs {
namespace {

OptionsInput cut(std::string_view bytes) {
  OptionsInput input{
      .file_name = "f", .file_text = std::string(bytes), .environment = {}, .host_name = "host"};
  const std::size_t nul = bytes.find('\0');
  if (nul != std::string_view::npos) {
    const std::string_view variable = bytes.substr(0, nul);
    const std::size_t equals = variable.find('=');
    input.environment.push_back({.name = std::string(variable.substr(0, equals)),
                                 .value = equals == std::string_view::npos
                                              ? ""
                                              : std::string(variable.substr(equals + 1))});
    input.file_text = bytes.substr(nul + 1);
  }
  return input;
}

/// A configuration that was let through is valid, and written down it reads back the same.
void check_accepted(const Options& options) {
  KVS_CHECK(check_config(options.config).empty(), "a broken rule was let through");
  std::string text;
  for (const ConfigKey& key : config_keys()) {
    text += std::string(key.name) + ": " + yaml_value(options.config, key) + "\n";
  }
  const auto again =
      parse_options({.file_name = "g", .file_text = text, .environment = {}, .host_name = "host"});
  KVS_CHECK(again && again->config == options.config, text);
}

/// Errors are few lines of printable UTF-8, each with a place.
void check_refused(std::string_view detail) {
  KVS_CHECK(!detail.empty() && detail.size() < 50'000, "no message, or an endless one");
  KVS_CHECK(is_utf8(detail), detail);
  for (const char c : detail) {
    KVS_CHECK(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F), detail);
  }
}

}  // namespace
}  // namespace kvs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto options = kvs::parse_options(kvs::cut(bytes));
  if (options) {
    kvs::check_accepted(*options);
  } else {
    kvs::check_refused(options.error().detail);
  }
  return 0;
}
