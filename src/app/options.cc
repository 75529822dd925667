#include "app/options.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "app/yaml_entries.h"
#include "base/utf8.h"
#include "core/config_keys.h"
#include "io/file.h"
#include "io/os.h"

namespace kvs {
namespace {

constexpr std::string_view kPrefix = "KVS_";
constexpr std::size_t kShownBytesMax = 80;
constexpr std::size_t kProblemBytesMax = 200;
constexpr std::size_t kErrorsMax = 50;

/// `text` for a message: on one line, in UTF-8, without control characters, cut after
/// about `bytes_max`.
std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string shown;
  while (!text.empty()) {
    if (shown.size() >= bytes_max) {
      shown += "...";
      break;
    }
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0 || first < 0x20 || first == 0x7F) {
      shown += fmt::format("\\x{:02X}", first);
    } else {
      shown += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return shown;
}

std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", printable(text, kShownBytesMax));
}

/// A value as a message shows it.
std::string words_for(const YamlValue& value) {
  switch (value.kind) {
    case YamlKind::none:
      return "no value";
    case YamlKind::list:
      return "a list";
    case YamlKind::other:
      return value.text;
    case YamlKind::plain:
    case YamlKind::quoted:
      return quoted(value.text);
  }
  return {};
}

/// Variables that KVS neither reads nor refuses: `KVS_NODE` and `KVS_TEST_*` belong to its tools;
/// the others are set by Kubernetes for every container beside a service called "kvs".
bool is_foreign_variable(std::string_view name) {
  constexpr std::array<std::string_view, 3> kForeignPrefixes = {"KVS_TEST_", "KVS_SERVICE_",
                                                                "KVS_PORT_"};
  return name == "KVS_NODE" || std::ranges::any_of(kForeignPrefixes, [name](auto prefix) {
           return name.starts_with(prefix);
         });
}

/// Puts file and environment together, and gathers every error on the way.
class OptionsReader {
 public:
  explicit OptionsReader(const OptionsInput& input) : input_(input) {
    options_.sources.resize(config_keys().size(), "default");
  }

  Result<Options> read() {
    read_file();
    for (const EnvironmentVariable& variable : input_.environment) {
      if (variable.name.starts_with(kPrefix)) {
        read_variable(variable);
      }
    }
    if (options_.config.node_id.empty()) {
      options_.config.node_id = input_.host_name;
    }
    // Only when all values stand does it make sense to compare them.
    if (errors_.empty()) {
      check_whole();
    }
    if (errors_.empty()) {
      return std::move(options_);
    }
    return fail(Errc::invalid_config, fmt::to_string(fmt::join(errors_, "\n")));
  }

 private:
  void read_file() {
    const YamlEntries file = read_yaml_entries(input_.file_text);
    for (const YamlProblem& problem : file.problems) {
      add_error(place(problem.line), printable(problem.text, kProblemBytesMax));
    }
    for (const YamlEntry& entry : file.entries) {
      read_entry(entry);
    }
  }

  void read_entry(const YamlEntry& entry) {
    const ConfigKey* const key = find_config_key(entry.key);
    if (key == nullptr) {
      return add_error(place(entry.line),
                       fmt::format("unknown key {}; the nearest known key is \"{}\"",
                                   quoted(entry.key), nearest_config_key(entry.key)));
    }
    const auto [first, is_first] = lines_.try_emplace(key->name, entry.line);
    if (!is_first) {
      return add_error(place(entry.line),
                       fmt::format("{}: given a second time; it already stands in line {}",
                                   key->name, first->second));
    }
    read_value(entry, *key);
  }

  void read_value(const YamlEntry& entry, const ConfigKey& key) {
    if (std::holds_alternative<AddressesRule>(key.rule)) {
      return read_addresses(entry, key);
    }
    const YamlValue& value = entry.value;
    if (const auto wrong = wrong_kind(value, key)) {
      return refuse(place(value.line), key, *wrong);
    }
    set(key, value.text, place(entry.line));
  }

  void read_addresses(const YamlEntry& entry, const ConfigKey& key) {
    if (entry.value.kind != YamlKind::list) {
      return refuse(place(entry.value.line), key, words_for(entry.value));
    }
    std::string joined;
    const std::size_t errors_before = errors_.size();
    for (const YamlValue& item : entry.items) {
      const bool is_text = item.kind == YamlKind::plain || item.kind == YamlKind::quoted;
      if (!is_text || !parse_address(item.text)) {
        refuse(place(item.line), key, is_text ? quoted(item.text) : words_for(item));
      }
      joined += (joined.empty() ? "" : ",") + item.text;
    }
    if (errors_.size() == errors_before) {
      set(key, joined, place(entry.line));
    }
  }

  /// What is wrong with the YAML kind of a value, in words, or nothing.
  static std::optional<std::string> wrong_kind(const YamlValue& value, const ConfigKey& key) {
    const bool is_text =
        std::holds_alternative<TextRule>(key.rule) || std::holds_alternative<ChoiceRule>(key.rule);
    if (value.kind == YamlKind::plain || (value.kind == YamlKind::quoted && is_text)) {
      return std::nullopt;
    }
    if (value.kind == YamlKind::quoted) {
      return words_for(value) + " in quotes";
    }
    const bool may_be_empty = value.kind == YamlKind::none && is_text;
    return words_for(value) + (may_be_empty ? " (write \"\" for an empty one)" : "");
  }

  void read_variable(const EnvironmentVariable& variable) {
    const ConfigKey* const key = key_of_variable(variable.name);
    if (key == nullptr) {
      if (!is_foreign_variable(variable.name)) {
        add_error(printable(variable.name, kShownBytesMax),
                  fmt::format("unknown variable; the nearest known one is {}",
                              variable_of(nearest_config_key(variable.name))));
      }
      return;
    }
    if (key->name == "port" && variable.value.starts_with("tcp://")) {
      // Kubernetes sets KVS_PORT so, for a service that is called "kvs".
      return add_error(variable.name,
                       fmt::format("{} was set by Kubernetes for a service called kvs; put "
                                   "`enableServiceLinks: false` into the pod's spec",
                                   quoted(variable.value)));
    }
    set(*key, variable.value, variable.name);
  }

  static const ConfigKey* key_of_variable(std::string_view variable) {
    const auto keys = config_keys();
    const auto found = std::ranges::find_if(
        keys, [variable](const ConfigKey& key) { return variable_of(key.name) == variable; });
    return found == keys.end() ? nullptr : &*found;
  }

  /// Rules between keys. A key that was left at its default is not the one to blame, unless there
  /// is no other.
  void check_whole() {
    const auto problems = check_config(options_.config);
    for (const ConfigProblem& problem : problems) {
      const ConfigKey& key = *find_config_key(problem.key);
      const bool is_default = source_of(key) == "default";
      if (!is_default || problems.size() == 1) {
        refuse(is_default ? input_.file_name : source_of(key),
               {.key = key, .value = quoted(problem.value), .allowed = problem.allowed});
      }
    }
  }

  void set(const ConfigKey& key, std::string_view text, const std::string& source) {
    if (set_config_value(options_.config, key, text)) {
      source_of(key) = source;
    } else {
      refuse(source, key, quoted(text));
    }
  }

  std::string& source_of(const ConfigKey& key) {
    return options_.sources[static_cast<std::size_t>(&key - config_keys().data())];
  }

  [[nodiscard]] std::string place(int line) const {
    return line == 0 ? input_.file_name : fmt::format("{}:{}", input_.file_name, line);
  }

  struct Refusal {
    const ConfigKey& key;
    std::string value;
    std::string allowed;
  };

  void refuse(const std::string& where, const Refusal& refusal) {
    const std::string_view name = refusal.key.name;
    // A variable's name says the key already.
    add_error(where, fmt::format("{}{} is not allowed; allowed: {}",
                                 where == variable_of(name) ? "" : fmt::format("{}: ", name),
                                 refusal.value, refusal.allowed));
  }

  void refuse(const std::string& where, const ConfigKey& key, std::string_view value) {
    refuse(where, {.key = key, .value = std::string(value), .allowed = allowed_values(key)});
  }

  void add_error(std::string_view where, std::string_view what) {
    if (errors_.size() < kErrorsMax) {
      errors_.push_back(fmt::format("{}: {}", where, what));
    }
  }

  const OptionsInput& input_;
  Options options_;
  std::map<std::string_view, int> lines_;
  std::vector<std::string> errors_;
};

std::vector<EnvironmentVariable> read_environment() {
  std::vector<EnvironmentVariable> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      variables.push_back({.name = std::string(text.substr(0, equals)),
                           .value = std::string(text.substr(equals + 1))});
    }
  }
  return variables;
}

}  // namespace

Result<Options> parse_options(const OptionsInput& input) {
  return OptionsReader(input).read();
}

Result<Options> load_options(const std::string& path) {
  auto text = read_file(path, kYamlBytesMax);
  if (!text) {
    return fail(text.error().code, text.error().detail +
                                       "; name a configuration file that exists and that this user "
                                       "may read");
  }
  const OptionsInput input{.file_name = path,
                           .file_text = *std::move(text),
                           .environment = read_environment(),
                           .host_name = host_name()};
  return parse_options(input);
}

std::string variable_of(std::string_view key) {
  std::string name(kPrefix);
  for (const char c : key) {
    name.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return name;
}

}  // namespace kvs
