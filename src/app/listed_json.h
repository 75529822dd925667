// An entry of a listing as one line of JSON: what `ls --json` and `tree --json` print, and `import`
// (wire/record_line) can read. Pure.
//
//   {"path":"users/john","uuid":"...","timestamp":1672531200000,"data":{"a":1}}
//   {"path":"users/"}                                                           a folder
//
// A value with line breaks between its tokens, or with blanks around it, has its exact text as a
// string in `text` behind `data`, so that it comes back byte for byte; line breaks are blanks in
// `data`.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/json.h"
#include "wire/list_page_reader.h"

namespace kvs {

/// The full path of an entry in the listing of `folder`, which has no slash at its end.
[[nodiscard]] std::string full_path(std::string_view folder, std::string_view name);

/// Appends the line, without its line break. `data` only if the entry has a value.
void append_listed_json(std::string& out, std::string_view folder, const ListedEntry& entry);

}  // namespace kvs
