#include "wire/entity_tag.h"

namespace kvs {

std::optional<EntityTag> take_entity_tag(std::string_view& text) {
  EntityTag tag;
  std::string_view rest = text;
  if (rest.starts_with("W/")) {
    tag.strength = EntityTag::Strength::weak;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) {
    return std::nullopt;
  }
  const std::size_t end = rest.find('"', 1);
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  tag.opaque = rest.substr(1, end - 1);
  // etagc: %x21 / %x23-7E / obs-text. The field's own check has let nothing else but blanks pass.
  if (tag.opaque.find_first_of(" \t") != std::string_view::npos) {
    return std::nullopt;
  }
  text = rest.substr(end + 1);
  return tag;
}

}  // namespace kvs
