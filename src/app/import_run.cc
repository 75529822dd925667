#include "app/import_run.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/os.h"
#include "wire/ttl.h"

namespace kvs {

namespace {

constexpr Duration kLookInterval = Duration::from_ms(200);
constexpr Duration kDrainTime = Duration::from_seconds(5);
constexpr std::uint32_t kPauseS = 1;  // where the node names none

/// A POST of records with versions is sent with about so much in it.
constexpr std::size_t kBatchBytes = std::size_t{1} << 20U;
constexpr std::size_t kBatchLines = 10'000;

/// What passes by itself.
bool passes(Errc code) {
  return code == Errc::overloaded || code == Errc::syncing || code == Errc::shutting_down ||
         code == Errc::disk_full || code == Errc::address_unusable;
}

/// What is wrong with the node, not with the line.
bool is_nodes_fault(Errc code) {
  return code == Errc::read_only || code == Errc::io_error || code == Errc::corrupt_data ||
         code == Errc::ttl_unsupported;
}

bool has_expired(std::int64_t expires_ms) {
  return expires_ms != 0 && expires_ms <= wall_now().ms;
}

/// What is left of the time that a record was to be seen, at least a second.
std::string ttl_query(std::int64_t expires_ms) {
  if (expires_ms == 0) {
    return {};
  }
  const std::int64_t left_s = (expires_ms - wall_now().ms + 999) / 1000;
  return fmt::format("?ttl={}", std::clamp<std::int64_t>(left_s, 1, kTtlSecondsMax));
}

}  // namespace

ImportRun::ImportRun(ImportRunOptions options, LineSource& source, Refused refused)
    : options_(std::move(options)),
      source_(source),
      refused_(std::move(refused)),
      ledger_(1),
      pool_(options_.pool, *this) {}

ImportOutcome ImportRun::run(const Tell& tell) {
  if (auto opened = pool_.open(); !opened) {
    outcome_.failure = opened.error();
    outcome_.next_line = options_.first_line;
    return outcome_;
  }
  moved_ = monotonic_now();
  while (!at_end()) {
    const Instant now = monotonic_now();
    if (pool_.broken() && !stopping_ && now >= pause_until_) {
      reopen(now);
    }
    keep_patience(now);
    give(now);
    if (!at_end()) {
      wait(now);
    }
    outcome_.next_line = std::max(ledger_.first_open(), options_.first_line);
    tell(outcome_);
  }
  outcome_.next_line = std::max(ledger_.first_open(), options_.first_line);
  outcome_.complete = !stopping_;
  return outcome_;
}

bool ImportRun::at_end() const {
  if (stopping_) {
    return pool_.under_way() == 0 || monotonic_now() >= drained_by_;
  }
  return source_.at_end() && !held_ && units_.empty() && batch_.lines.empty();
}

void ImportRun::wait(Instant now) {
  const bool wants_lines = !stopping_ && !held_ && pool_.has_room();
  const Woken woken = pool_.turn(
      next_look(now), wants_lines ? source_.wanted() : pollfd{.fd = -1, .events = 0, .revents = 0});
  if (woken == Woken::interrupted && !stopping_) {
    stop(std::nullopt);
  }
}

Instant ImportRun::next_look(Instant now) const {
  return stopping_ ? std::min(drained_by_, now + kLookInterval) : now + kLookInterval;
}

/// Gives the pool what it takes: first what has to be sent again.
void ImportRun::give(Instant now) {
  if (now < pause_until_) {
    return;
  }
  while (!stopping_ && pool_.has_room()) {
    if (!give_again() && !give_next()) {
      return;
    }
  }
}

bool ImportRun::give_again() {
  if (again_.empty()) {
    return false;
  }
  const CallNumber number = again_.front();
  again_.pop_front();
  send(number, units_.at(number));
  return true;
}

/// False if there is nothing to give now.
bool ImportRun::give_next() {
  if (batch_.body.size() >= kBatchBytes || batch_.lines.size() >= kBatchLines) {
    return give_batch();
  }
  if (!held_) {
    const auto has_record = read_record();
    if (!has_record) {
      give_batch();  // so that only this line is open
      refuse(last_line_, has_record.error());
      return true;
    }
    if (!*has_record) {
      // Nothing more is here: what there is goes, unless more may come while others are under way.
      return (source_.at_end() || pool_.under_way() == 0) && give_batch();
    }
  }
  if (!held_) {
    return true;  // a line that was passed over, or went to the batch
  }
  if (paths_.contains(held_->path)) {
    return false;
  }
  RecordLine record = *std::move(held_);
  held_.reset();
  begin_unit({.lines = {last_line_},
              .path = std::move(record.path),
              .body = std::move(record.value),
              .expires_ms = record.expires_ms});
  return true;
}

/// False if the batch is empty.
bool ImportRun::give_batch() {
  if (batch_.lines.empty()) {
    return false;
  }
  begin_unit(std::exchange(batch_, {}));
  return true;
}

void ImportRun::begin_unit(Unit unit) {
  const CallNumber number = unit.lines.front();
  const auto [place, is_new] = units_.emplace(number, std::move(unit));
  if (!place->second.path.empty()) {
    paths_.insert(place->second.path);
  }
  send(number, place->second);
}

/// Reads a line into held_. False if none is there now; an error is the line's, or the input's.
Result<bool> ImportRun::read_record() {
  const auto line = source_.next();
  if (!line) {
    stop(line.error());
    return false;
  }
  const auto& text = *line;
  if (!text) {
    return false;
  }
  ++last_line_;
  ledger_.begin();
  const bool blank = text->find_first_not_of(" \t\r") == std::string_view::npos;
  if (last_line_ < options_.first_line || blank) {
    ledger_.end(last_line_);
    return true;
  }
  RecordLine record = KVS_TRY(reader_.read(*text));
  KVS_TRY(take_record(std::move(record), *text));
  return true;
}

/// A record of last_line_.
Result<void> ImportRun::take_record(RecordLine record, std::string_view line) {
  KVS_TRY(choose_way(record));
  if (way_ == Way::versions) {
    KVS_TRY(record_of(std::move(record)));
    batch_.lines.push_back(last_line_);
    batch_.body.append(line).push_back('\n');
  } else if (record.deleted || has_expired(record.expires_ms)) {
    ledger_.end(last_line_);  // it says nothing about a record that others have
  } else {
    held_ = std::move(record);
  }
  return {};
}

/// By the first record; those of the other kind are refused, for a mixture is a mistake.
Result<void> ImportRun::choose_way(const RecordLine& record) {
  const bool has_version = wants_versions() && record.version.has_value();
  const Way way = has_version ? Way::versions : Way::puts;
  if (way_.value_or(way) != way) {
    return fail(Errc::bad_request,
                "some lines have versions and some have none: --new-versions takes all of them");
  }
  way_ = way;
  return {};
}

void ImportRun::send(CallNumber number, const Unit& unit) {
  using Kind = CallCondition::Kind;
  if (unit.path.empty()) {
    pool_.ask(number, {.method = "POST",
                       .target = "/import",
                       .body = unit.body,
                       .condition = {},
                       .content_type = kRecordLinesType});
    return;
  }
  pool_.ask(number, {.method = "PUT",
                     .target = key_target(Key::from_store(unit.path)) + ttl_query(unit.expires_ms),
                     .body = unit.body,
                     .condition = {.kind = options_.keep_existing ? Kind::if_absent : Kind::none,
                                   .uuid = {}}});
}

void ImportRun::answered(CallNumber number, const Answer& answer, Instant /*asked*/) {
  if (answer.head.fine()) {
    outcome_.written += units_.at(number).lines.size();
    return end_lines(number);
  }
  Error error = error_of(answer.head, answer.body);
  if (options_.keep_existing && error.code == Errc::version_mismatch) {
    ++outcome_.kept;
    return end_lines(number);
  }
  if (passes(error.code)) {
    const std::uint32_t pause_s = answer.head.retry_after_s.value_or(kPauseS);
    pause_until_ = std::max(pause_until_, monotonic_now() + Duration::from_seconds(pause_s));
    again_.push_back(number);
    setback_ = std::move(error);
    return;
  }
  if (is_nodes_fault(error.code)) {
    return stop(std::move(error));
  }
  refuse_unit(number, error);
}

/// The node says that a line is wrong. Of several each is sent by itself, to find which.
void ImportRun::refuse_unit(CallNumber number, const Error& why) {
  const Unit& unit = units_.at(number);
  if (unit.lines.size() == 1) {
    const std::string place = unit.path.empty() ? std::string() : unit.path + ": ";
    forget(number);
    return refuse(number, {.code = why.code, .detail = place + why.detail});
  }
  std::string_view rest = unit.body;
  std::vector<Unit> alone;
  for (const std::uint64_t line : unit.lines) {
    const std::size_t end = rest.find('\n') + 1;
    alone.push_back({.lines = {line}, .path = {}, .body = std::string(rest.substr(0, end))});
    rest.remove_prefix(end);
  }
  forget(number);
  for (Unit& one : alone) {
    const CallNumber line = one.lines.front();
    units_.emplace(line, std::move(one));
    again_.push_back(line);
  }
}

void ImportRun::lost(CallNumber number, const Error& why) {
  again_.push_back(number);
  setback_ = why;
}

std::vector<std::uint64_t> ImportRun::forget(CallNumber number) {
  const auto unit = units_.find(number);
  std::vector<std::uint64_t> lines = std::move(unit->second.lines);
  paths_.erase(unit->second.path);
  units_.erase(unit);
  moved_ = monotonic_now();
  return lines;
}

void ImportRun::end_lines(CallNumber number) {
  for (const std::uint64_t line : forget(number)) {
    ledger_.end(line);
  }
}

/// The line is wrong. It stays open for whoever goes on, unless refused ones are skipped.
void ImportRun::refuse(std::uint64_t line, const Error& why) {
  ++outcome_.refused;
  refused_(line, why);
  if (options_.skip_refused) {
    ledger_.end(line);
  } else {
    stop(Error{.code = why.code, .detail = fmt::format("line {}: {}", line, why.detail)});
  }
}

void ImportRun::stop(std::optional<Error> why) {
  if (!stopping_) {
    stopping_ = true;
    drained_by_ = monotonic_now() + kDrainTime;
    outcome_.failure = std::move(why);
  }
}

void ImportRun::reopen(Instant now) {
  if (auto opened = pool_.open(); !opened) {
    setback_ = opened.error();
    pause_until_ = now + Duration::from_seconds(kPauseS);
  }
}

void ImportRun::keep_patience(Instant now) {
  if (units_.empty() && !pool_.broken()) {
    moved_ = now;  // waiting for the input takes no patience
  } else if (setback_ && now - moved_ >= options_.patience) {
    stop(std::exchange(setback_, std::nullopt));
  }
}

}  // namespace kvs
