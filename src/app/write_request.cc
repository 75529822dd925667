#include "app/write_request.h"

namespace kvs {

WriteRequest::WriteRequest(const WriteCommand& command, Instant posted)
    : ticket_(command.ticket),
      kind_(command.kind),
      condition_(command.condition),
      ttl_(command.ttl),
      posted_(posted),
      key_size_(command.key.text().size()) {
  text_.reserve(key_size_ + command.value.size());
  text_.append(command.key.text()).append(command.value);
}

WriteCommand WriteRequest::command() const {
  const std::string_view text = text_;
  return {.ticket = ticket_,
          .kind = kind_,
          .key = Key::from_store(text.substr(0, key_size_)),
          .value = text.substr(key_size_),
          .condition = condition_,
          .ttl = ttl_};
}

}  // namespace kvs
