// base64url (RFC 4648, 5) without padding: opaque bytes in a form that needs no escape in a URL.
#pragma once

#include <string>
#include <string_view>

namespace kvs {

/// Appends the encoded form of `bytes`.
void encode_base64url(std::string_view bytes, std::string& out);

/// Appends what `text` decodes to. False if it is not exactly what encode_base64url gives for some
/// bytes; `out` may then have grown.
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& out);

}  // namespace kvs
