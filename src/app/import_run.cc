#include "app/import_run.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/os.h"

namespace kvs {

namespace {

constexpr Duration kLookInterval = Duration::from_ms(200);
constexpr Duration kDrainTime = Duration::from_seconds(5);
constexpr std::uint32_t kPauseS = 1;  // where the node names none

/// What passes by itself.
bool passes(Errc code) {
  return code == Errc::overloaded || code == Errc::syncing || code == Errc::shutting_down ||
         code == Errc::disk_full || code == Errc::address_unusable;
}

/// What is wrong with the node, not with the line.
bool is_nodes_fault(Errc code) {
  return code == Errc::read_only || code == Errc::io_error || code == Errc::corrupt_data;
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
  return source_.at_end() && !held_ && records_.empty();
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
  const std::uint64_t line = again_.front();
  again_.pop_front();
  send(line, records_.at(line));
  return true;
}

/// False if there is nothing to give now.
bool ImportRun::give_next() {
  if (!held_) {
    const auto has_record = read_record();
    if (!has_record) {
      refuse(last_line_, has_record.error());
      return true;
    }
    if (!*has_record) {
      return false;
    }
  }
  if (!held_) {
    return true;  // a line that was passed over
  }
  if (paths_.contains(held_->path)) {
    return false;
  }
  const auto [place, is_new] = records_.emplace(last_line_, *std::exchange(held_, std::nullopt));
  paths_.insert(place->second.path);
  send(last_line_, place->second);
  return true;
}

/// Reads a line into held_. False if none is there now; an error is the line's, or the input's.
Result<bool> ImportRun::read_record() {
  const auto line = source_.next();
  if (!line) {
    stop(line.error());
    return false;
  }
  if (!*line) {
    return false;
  }
  ++last_line_;
  ledger_.begin();
  const bool blank = (*line)->find_first_not_of(" \t\r") == std::string_view::npos;
  if (last_line_ < options_.first_line || blank) {
    ledger_.end(last_line_);
    return true;
  }
  held_ = KVS_TRY(reader_.read(**line));
  return true;
}

void ImportRun::send(std::uint64_t line, const ImportedRecord& record) {
  using Kind = CallCondition::Kind;
  pool_.ask(line, {.method = "PUT",
                   .target = key_target(Key::from_store(record.path)),
                   .body = record.value,
                   .condition = {.kind = options_.keep_existing ? Kind::if_absent : Kind::none,
                                 .uuid = {}}});
}

void ImportRun::answered(CallNumber number, const Answer& answer, Instant /*asked*/) {
  if (answer.head.fine()) {
    ++outcome_.written;
    forget(number);
    return ledger_.end(number);
  }
  Error error = error_of(answer.head, answer.body);
  if (options_.keep_existing && error.code == Errc::version_mismatch) {
    ++outcome_.kept;
    forget(number);
    return ledger_.end(number);
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
  error.detail = fmt::format("{}: {}", records_.at(number).path, error.detail);
  forget(number);
  refuse(number, error);
}

void ImportRun::lost(CallNumber number, const Error& why) {
  again_.push_back(number);
  setback_ = why;
}

void ImportRun::forget(CallNumber line) {
  const auto record = records_.find(line);
  paths_.erase(record->second.path);
  records_.erase(record);
  moved_ = monotonic_now();
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
  if (records_.empty() && !pool_.broken()) {
    moved_ = now;  // waiting for the input takes no patience
  } else if (setback_ && now - moved_ >= options_.patience) {
    stop(std::exchange(setback_, std::nullopt));
  }
}

}  // namespace kvs
