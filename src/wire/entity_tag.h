// Entity tags, as clients name versions in If-Match and If-None-Match (RFC 9110, 8.8.3). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kvs {

/// An entity tag as a client sends it (RFC 9110, 8.8.3).
struct EntityTag {
  enum class Strength : std::uint8_t { strong, weak };

  Strength strength = Strength::strong;
  std::string_view opaque;  // without the quotes
};

/// Takes one entity tag off the front of `text`. Nothing, and `text` as it was, if it does not
/// begin with one.
std::optional<EntityTag> take_entity_tag(std::string_view& text);

}  // namespace kvs
