#include "io/backup_note.h"

#include <charconv>
#include <iterator>
#include <numeric>

#include <fmt/format.h>

namespace kvs {

namespace {

constexpr int kFormat = 1;
constexpr std::string_view kHead = "kvs backup, format ";
constexpr std::string_view kEnd = "end";
constexpr std::string_view kNoChecksum = "-";

std::unexpected<Error> malformed(std::string_view line) {
  return fail(
      Errc::corrupt_data,
      fmt::format("its note is damaged or not whole: \"{}\" makes no sense", line.substr(0, 80)));
}

/// Cuts the text up to `mark` off its front; all of it if there is no mark.
std::string_view cut(std::string_view& text, char mark) {
  const std::size_t end = text.find(mark);
  const std::string_view front = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return front;
}

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional(value) : std::nullopt;
}

/// A plain name in a folder: what is restored must not lead out of it.
bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of("/ \n") == std::string_view::npos;
}

/// `BYTES CHECKSUM NAME`
std::optional<BackupFile> parse_file(std::string_view text) {
  const auto bytes = number<std::uint64_t>(cut(text, ' '));
  const std::string_view checksum = cut(text, ' ');
  BackupFile file{.name = std::string(text), .bytes = bytes.value_or(0), .crc32c = {}};
  if (checksum != kNoChecksum) {
    file.crc32c = number<std::uint32_t>(checksum, 16);
  }
  const bool told = file.crc32c.has_value() || (checksum == kNoChecksum && is_table(file.name));
  return bytes && told && is_file_name(file.name) ? std::optional(std::move(file)) : std::nullopt;
}

/// Takes one line. False if it makes no sense.
bool take_line(std::string_view line, BackupNote& note) {
  const std::string_view name = cut(line, ' ');
  if (name == "id") {
    const auto id = parse_uuid(line);
    note.id = id.value_or(Uuid{});
    return id.has_value();
  }
  if (name == "taken") {
    const auto ms = number<std::int64_t>(line);
    note.taken.ms = ms.value_or(0);
    return ms.has_value();
  }
  if (name == "node") {
    note.node_id = line;
    return true;
  }
  if (name == "version") {
    note.version = line;
    return true;
  }
  auto file = name == "file" ? parse_file(line) : std::nullopt;
  if (!file) {
    return false;
  }
  note.files.push_back(*std::move(file));
  return true;
}

Result<void> check_head(std::string_view line) {
  const auto format =
      line.starts_with(kHead) ? number<int>(line.substr(kHead.size())) : std::nullopt;
  if (!format) {
    return malformed(line);
  }
  if (*format > kFormat) {
    return fail(Errc::format_too_new,
                fmt::format("it has format {}, this program knows up to {}: take a newer kvs",
                            *format, kFormat));
  }
  return {};
}

}  // namespace

std::uint64_t BackupNote::bytes() const {
  return std::accumulate(
      files.begin(), files.end(), std::uint64_t{0},
      [](std::uint64_t sum, const BackupFile& file) { return sum + file.bytes; });
}

bool is_table(std::string_view name) {
  return name.ends_with(".sst");
}

std::string format_backup_note(const BackupNote& note) {
  std::string text = fmt::format("{}{}\nid {}\ntaken {}\nnode {}\nversion {}\n", kHead, kFormat,
                                 to_string(note.id), note.taken.ms, note.node_id, note.version);
  for (const BackupFile& file : note.files) {
    const std::string checksum =
        file.crc32c ? fmt::format("{:08x}", *file.crc32c) : std::string(kNoChecksum);
    fmt::format_to(std::back_inserter(text), "file {} {} {}\n", file.bytes, checksum, file.name);
  }
  return text.append(kEnd).append("\n");
}

Result<BackupNote> parse_backup_note(std::string_view text) {
  KVS_TRY(check_head(cut(text, '\n')));
  BackupNote note;
  while (!text.empty()) {
    const std::string_view line = cut(text, '\n');
    if (line == kEnd && text.empty()) {
      return note.id == Uuid{} ? malformed(line) : Result<BackupNote>(std::move(note));
    }
    if (!take_line(line, note)) {
      return malformed(line);
    }
  }
  return malformed("");
}

}  // namespace kvs
