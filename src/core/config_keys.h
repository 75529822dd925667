// The keys of the configuration: for each its name, what it means, what is allowed, and its field.
//
// One table, in the order of the documentation. Reading files and the environment, the written
// default file, `kvs check` and the documentation's tests all go by it, so a key is added in one
// place. Values are text here, as a file or a variable gives them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config.h"

namespace kvs {

struct NumberRule {
  std::int64_t min;
  std::int64_t max;
  std::string_view unit;
  std::int64_t (*get)(const Config&);
  void (*set)(Config&, std::int64_t);
};

struct TextRule {
  std::string Config::* field;
  bool (*accepts)(std::string_view);
  std::string_view allowed;
};

struct TruthRule {
  bool Config::* field;
};

/// One of a few words; the n-th word is the n-th member of the field's enumeration.
struct ChoiceRule {
  std::span<const std::string_view> words;
  std::size_t (*get)(const Config&);
  void (*set)(Config&, std::size_t);
};

/// Several addresses; as one text they are separated by commas.
struct AddressesRule {
  std::vector<Address> Config::* field;
};

struct ConfigKey {
  std::string_view name;
  std::string_view meaning;
  std::variant<NumberRule, TextRule, TruthRule, ChoiceRule, AddressesRule> rule;
};

/// All keys.
[[nodiscard]] std::span<const ConfigKey> config_keys();

/// The key of that name, or null.
[[nodiscard]] const ConfigKey* find_config_key(std::string_view name);

/// The known name with the smallest edit distance to `name`, whose case and prefix `KVS_` do not
/// count; the first of several.
[[nodiscard]] std::string_view nearest_config_key(std::string_view name);

/// What the key allows, to be put after "allowed: ".
[[nodiscard]] std::string allowed_values(const ConfigKey& key);

/// The value of the key's field as text, e.g. "8080".
[[nodiscard]] std::string config_value(const Config& config, const ConfigKey& key);

/// Reads `text` into the key's field. False, and nothing changed, if the key does not allow it.
[[nodiscard]] bool set_config_value(Config& config, const ConfigKey& key, std::string_view text);

}  // namespace kvs
