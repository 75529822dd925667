// Who is behind a request: the node's own pages and programs, or a page of another site in the same
// browser. Pure.
#pragma once

#include "wire/http.h"

namespace kvs {

/// True if a browser says that a page of another site made it send this. A POST it sends without
/// asking the node first, as it does before PUT and DELETE. Programs say nothing of sites.
[[nodiscard]] bool comes_from_another_site(const RequestHead& head);

}  // namespace kvs
