// The file that an export is written to: new, or the part of one that was interrupted, to go on
// with.
#pragma once

#include <string>

#include "base/result.h"
#include "io/descriptor.h"

namespace kvs {

struct ExportFile {
  Descriptor descriptor;  // at its end
  std::string last_path;  // of the last record in it; empty if it has none
};

/// Makes a new file. io_error if there is one already.
[[nodiscard]] Result<ExportFile> create_export_file(const std::string& name);

/// Opens a file that an export left, or makes it: what follows the last whole line is cut off.
/// io_error also if what is there is no export, and then nothing is cut off.
[[nodiscard]] Result<ExportFile> continue_export_file(const std::string& name);

/// Makes what was written durable.
[[nodiscard]] Result<void> sync_export_file(const ExportFile& file, const std::string& name);

}  // namespace kvs
