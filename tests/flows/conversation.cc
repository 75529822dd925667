#include "flows/conversation.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "core/listing.h"
#include "core/watch_feed.h"

namespace kvs {

namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) {
      words.push_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string_view word_of(WriteStatus status) {
  static constexpr std::string_view kWords[] = {
      "created",      "replaced", "deleted",        "not_found",  "version_mismatch",
      "read_only",    "syncing",  "disk_full",      "overloaded", "shutting_down",
      "corrupt_data", "io_error", "ttl_unsupported"};
  return kWords[static_cast<std::size_t>(status)];
}

WriteStatus status_of(std::string_view word) {
  for (int i = 0; i <= static_cast<int>(WriteStatus::io_error); ++i) {
    if (word_of(static_cast<WriteStatus>(i)) == word) {
      return static_cast<WriteStatus>(i);
    }
  }
  return WriteStatus::io_error;
}

std::string_view word_of(Trace::Kind kind) {
  switch (kind) {
    case Trace::Kind::origin_taken:
      return "a new origin";
    case Trace::Kind::damaged_record_replaced:
      return "a damaged record is replaced";
    case Trace::Kind::clock_behind:
      return "the clock is behind";
    default:
      return "something about the cluster";
  }
}

std::string text_of(Stamp stamp) {
  return fmt::format("{}.{}", stamp.ms(), stamp.bits & 0xffffU);
}

std::string_view value_of(const RecordView& record) {
  switch (record.header.kind) {
    case RecordKind::value:
      return record.value;
    case RecordKind::tombstone:
      return "deleted";
    case RecordKind::expired:
      break;
  }
  return "expired";
}

std::string expiry_of(const RecordHeader& header) {
  return header.expires_ms == 0 ? "" : fmt::format(", expires {}", header.expires_ms);
}

/// Prints the entries of a listing.
class Printer final : public ListSink {
 public:
  Appetite take(const ListEntry& entry) override {
    fmt::format_to(std::back_inserter(text), "{} {}\n", entry.name, entry.value);
    if (entry.value.empty()) {
      text.replace(text.size() - 2, 2, "\n");
    }
    return Appetite::more;
  }

  std::string text;
};

}  // namespace

Conversation::Conversation() {
  driver_.wall().ms = 1000;
  driver_.restart();
}

std::string Conversation::answer(std::string_view command) {
  const Words words = split(command);
  const std::string_view verb = words.front();
  if (verb == "put" || verb == "del") {
    return write(words);
  }
  if (verb == "close") {
    return close();
  }
  if (verb == "commit") {
    return commit();
  }
  if (verb == "fail") {
    return fail(words);
  }
  if (verb == "crash") {
    return crash(words);
  }
  if (verb == "clock") {
    return clock(words.at(1));
  }
  if (verb == "tick") {
    driver_.node().tick(driver_.now(), driver_.open_effects());
    return {};
  }
  if (verb == "damage" || verb == "unreadable") {
    driver_.store().damage(std::string(words.at(1)),
                           verb == "damage" ? Errc::corrupt_data : Errc::io_error);
    return {};
  }
  if (verb == "store") {
    return store();
  }
  if (verb == "list") {
    return list(words);
  }
  return verb == "knows" ? knows() : fmt::format("what is `{}`?\n", verb);
}

std::string Conversation::write(const Words& words) {
  const bool put = words[0] == "put";
  const bool expires = put && words.size() > 3 && words[3].starts_with("ttl=");
  const Condition condition = condition_of(words, put ? (expires ? 4U : 3U) : 2U);
  WriteCommand command =
      put ? driver_.command(WriteCommand::Kind::put, words.at(1), words.at(2), condition)
          : driver_.command(WriteCommand::Kind::del, words.at(1), {}, condition);
  command.ttl = Duration::from_ms(expires ? number_of(words[3].substr(4)) : 0);
  const WriteOutcome outcome = driver_.step(command);
  return fmt::format("decided: {}\n", show(outcome));
}

Condition Conversation::condition_of(const Words& words, std::size_t at) const {
  if (at >= words.size()) {
    return {};
  }
  if (words[at] == "if-absent") {
    return {.kind = Condition::Kind::if_absent, .uuid = {}};
  }
  if (words[at] == "if-exists") {
    return {.kind = Condition::Kind::if_exists, .uuid = {}};
  }
  Condition condition{.kind = Condition::Kind::if_match, .uuid = {}};
  for (const auto& [uuid, name] : version_names_) {
    if (name == words.at(at + 1)) {
      condition.uuid = uuid;
    }
  }
  return condition;
}

std::string Conversation::close() {
  return show(driver_.close());
}

std::string Conversation::commit() {
  if (driver_.closed_batches() == 0) {
    driver_.close();
  }
  return show(driver_.commit());
}

std::string Conversation::fail(const Words& words) {
  return show(driver_.fail(status_of(words.at(1))));
}

std::string Conversation::crash(const Words& words) {
  const bool read_only = words.size() > 1 && words[1] == to_string(Mode::read_only);
  driver_.set_mode(read_only ? Mode::read_only : Mode::normal);
  driver_.restart();
  return {};
}

std::string Conversation::clock(std::string_view time) {
  const bool relative = time.starts_with('+') || time.starts_with('-');
  const std::int64_t number = number_of(time.starts_with('+') ? time.substr(1) : time);
  driver_.wall().ms = relative ? driver_.wall().ms + number : number;
  return {};
}

std::string Conversation::store() const {
  std::string text;
  for (const auto& [key, slot] : driver_.store().slots()) {
    const RecordHeader& header = slot.record.header;
    const auto name = version_names_.find(header.version.uuid);
    fmt::format_to(std::back_inserter(text), "{} = {} ({})\n", key,
                   slot.damage ? std::string_view("damaged") : value_of(slot.record.view()),
                   name == version_names_.end() ? std::string("?") : name->second);
  }
  return text.empty() ? "nothing\n" : text;
}

std::string Conversation::list(const Words& words) {
  ListRequest request{.path = words.at(1) == "/" ? std::string_view() : words[1]};
  for (const std::string_view word : Words(words.begin() + 2, words.end())) {
    if (word == "recursive") {
      request.depth = ListRequest::Depth::below;
    } else if (word.starts_with("limit=")) {
      request.limit = static_cast<std::size_t>(number_of(word.substr(6)));
    } else if (word.starts_with("after=")) {
      request.after = word.substr(6);
    }
  }
  request.expiry_clock = driver_.node().expiry_clock();
  MemoryCursor cursor(driver_.store());
  Listing listing(cursor, request);
  Printer printer;
  const auto progress = listing.step(1000, printer);
  if (!progress) {
    return fmt::format("{}error: {}\n", printer.text, to_string(progress.error().code));
  }
  if (listing.next_after()) {
    fmt::format_to(std::back_inserter(printer.text), "… more after {}\n", *listing.next_after());
  }
  return printer.text.empty() ? "nothing\n" : printer.text;
}

std::string Conversation::knows() {
  std::string text =
      fmt::format("clock {}, ahead by {} ms\n", text_of(driver_.node().replica().last_stamp()),
                  driver_.node().status().clock_ahead_ms);
  std::vector<std::string> lines;
  for (const auto& [origin, known] : driver_.node().replica().knowledge().origins()) {
    lines.push_back(fmt::format("K[{}] = {}\n", name_of(origin), show(known)));
  }
  std::ranges::sort(lines);
  for (const std::string& line : lines) {
    text += line;
  }
  return text;
}

std::string Conversation::show(const Effects& effects) {
  std::string text;
  const auto out = std::back_inserter(text);
  for (const RecordWrite& write : effects.writes) {
    const RecordHeader& header = write.record.header;
    fmt::format_to(out, "write {} = {} ({}, stamp {}, dot {}{}{})\n", write.key.text(),
                   value_of(write.record), name_of(header.version.uuid),
                   text_of(header.version.stamp), name_of(header.version.dot.origin),
                   header.version.dot.seq, expiry_of(header));
  }
  for (const ExpiryPlace& place : effects.expired) {
    fmt::format_to(out, "no entry any more at {}\n", place.expires_ms);
  }
  if (effects.expiry_reserve) {
    fmt::format_to(out, "write: hidden up to {}\n", effects.expiry_reserve->ms);
  }
  for (const KnowledgeWrite& write : effects.knowledge) {
    fmt::format_to(out, "write K[{}] = {}\n", name_of(write.origin), show(write.known));
  }
  if (effects.clock_reserve) {
    fmt::format_to(out, "write reserve {}\n", text_of(*effects.clock_reserve));
  }
  if (effects.identity) {
    fmt::format_to(out, "write identity, joined at {}\n", effects.identity->joined_ms);
  }
  for (const Trace& trace : effects.trace) {
    fmt::format_to(out, "trace: {}\n", word_of(trace.kind));
  }
  for (const auto& news : effects.watched) {
    for (const Change& change : news->changes) {
      if (change.cause == Change::Cause::expiry) {
        fmt::format_to(out, "watchers: {} has expired\n", change.path);
      }
    }
  }
  fmt::format_to(out, "answers waiting: {}\n", effects.replies.size());
  return text;
}

std::string Conversation::show(const WriteOutcome& outcome) {
  return succeeded(outcome.status) ? fmt::format("{} {} at {}", word_of(outcome.status),
                                                 name_of(outcome.uuid), outcome.stamp.ms())
                                   : std::string(word_of(outcome.status));
}

std::string Conversation::show(const std::vector<Reply>& replies) {
  std::string text;
  for (const Reply& reply : replies) {
    fmt::format_to(std::back_inserter(text), "answer {}: {}\n",
                   static_cast<std::uint64_t>(reply.ticket), show(reply.outcome));
  }
  return text;
}

std::string Conversation::show(const OriginKnowledge& known) const {
  std::string text = fmt::to_string(known.upto);
  for (const auto& [first, last] : known.beyond) {
    fmt::format_to(std::back_inserter(text), " +{}-{}", first, last);
  }
  return text;
}

const std::string& Conversation::name_of(const Uuid& uuid) {
  const auto name = fmt::format("v{}", version_names_.size() + 1);
  return version_names_.try_emplace(uuid, name).first->second;
}

const std::string& Conversation::name_of(Origin origin) {
  const std::string name(1, static_cast<char>('A' + origin_names_.size()));
  return origin_names_.try_emplace(origin, name).first->second;
}

}  // namespace kvs
