#include "wire/request_site.h"

namespace kvs {

bool comes_from_another_site(const RequestHead& head) {
  if (const auto site = head.fields.find("sec-fetch-site")) {
    return *site != "same-origin" && *site != "none";
  }
  // Browsers tell the site only to hosts that they trust (TLS, loopback); the origin they tell all.
  const auto origin = head.fields.find("origin");
  if (!origin) {
    return false;
  }
  const std::size_t scheme = origin->find("://");
  return scheme == std::string_view::npos || origin->substr(scheme + 3) != head.host;
}

}  // namespace kvs
