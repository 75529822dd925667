#include "app/node_thread.h"

#include <chrono>
#include <utility>

#include "base/check.h"
#include "io/os.h"

namespace kvs {

namespace {

Now read_clocks() {
  return {.instant = monotonic_now(), .wall = wall_now()};
}

/// How a client is told of a commit that failed without doing harm; nothing if it may have done
/// harm.
std::optional<WriteStatus> harmless(Errc code) {
  if (code == Errc::disk_full) {
    return WriteStatus::disk_full;
  }
  if (code == Errc::overloaded) {
    return WriteStatus::overloaded;
  }
  if (code == Errc::corrupt_data) {
    return WriteStatus::corrupt_data;
  }
  return std::nullopt;
}

}  // namespace

NodeThread::NodeThread(const NodeOptions& options, const Recovered& recovered, Parts parts)
    : parts_(std::move(parts)), node_(options, recovered, parts_.store, entropy()) {}

NodeThread::~NodeThread() {
  if (node_thread_.joinable()) {
    stop();
  }
}

Result<void> NodeThread::start() {
  now_ = read_clocks();
  node_.start(now_, open_->effects);
  node_.close_batch(now_, open_->effects);
  if (!open_->effects.nothing_to_store()) {  // on a full disk a node may start and serve reads
    KVS_TRY(parts_.store.commit(open_->effects));
  }
  open_->effects.clear();
  node_.committed(now_, open_->effects);
  publish_node();
  node_thread_ = std::thread([this] { run_node(); });
  commit_thread_ = std::thread([this] { run_committer(); });
  return {};
}

void NodeThread::stop() {
  mailbox_.post(Stop{});
  node_thread_.join();
  {
    const std::lock_guard lock(commit_mutex_);
    no_more_commits_ = true;
  }
  commit_wanted_.notify_one();
  commit_thread_.join();
}

void NodeThread::post(WriteRequest request) {
  bytes_under_way_.fetch_add(request.bytes(), std::memory_order_relaxed);
  mailbox_.post(std::move(request));
}

void NodeThread::post_all(std::vector<WriteRequest>& requests) {
  std::size_t bytes = 0;
  for (const WriteRequest& request : requests) {
    bytes += request.bytes();
  }
  bytes_under_way_.fetch_add(bytes, std::memory_order_relaxed);
  mailbox_.post_all(requests);
}

NodeThreadStatus NodeThread::status() const {
  const std::lock_guard lock(status_mutex_);
  NodeThreadStatus status = status_;
  status.bytes_under_way = bytes_under_way_.load(std::memory_order_relaxed);
  return status;
}

void NodeThread::run_node() {
  std::vector<Mail> letters;
  while (!stopping_ || committing_ != nullptr) {
    mailbox_.wait_and_take(letters);
    now_ = read_clocks();
    take_letters(letters);
    letters = {};
    if (committing_ == nullptr) {
      hand_over();
    }
  }
}

void NodeThread::take_letters(std::vector<Mail>& letters) {
  // Commands point into the letters, so the whole vector stays with the batch that they enter. A
  // finished commit only ever frees the other batch.
  std::vector<Mail>& kept = open_->letters.emplace_back(std::move(letters));
  for (Mail& mail : kept) {
    if (const auto* request = std::get_if<WriteRequest>(&mail)) {
      node_.step(now_, request->command(), open_->effects);
    } else if (const auto* done = std::get_if<CommitDone>(&mail)) {
      commit_done(done->outcome);
    } else {
      stopping_ = true;
    }
  }
}

void NodeThread::commit_done(const Result<void>& outcome) {
  KVS_CHECK(committing_ != nullptr, "a commit ended that was never begun");
  Batch& batch = *std::exchange(committing_, nullptr);
  if (outcome) {
    node_.committed(now_, open_->effects);
    finish(batch);
    return;
  }
  // What was decided since rests on writes that are void: refuse it too, in order.
  const WriteStatus why = harmless(outcome.error().code).value_or(WriteStatus::io_error);
  node_.commit_failed();
  refuse_batch(batch, why);
  finish(batch);
  refuse_batch(*open_, why);
  open_->effects.clear();
}

void NodeThread::refuse_batch(Batch& batch, WriteStatus why) {
  refuse(batch.effects.replies, why);
  parts_.sink.deliver(batch.effects.replies);
}

void NodeThread::finish(Batch& batch) {
  std::size_t bytes = 0;
  for (const std::vector<Mail>& letters : batch.letters) {
    for (const Mail& mail : letters) {
      if (const auto* request = std::get_if<WriteRequest>(&mail)) {
        bytes += request->bytes();
      }
    }
  }
  bytes_under_way_.fetch_sub(bytes, std::memory_order_relaxed);
  batch.effects.clear();
  batch.letters.clear();
}

void NodeThread::hand_over() {
  if (open_->effects.replies.empty()) {
    finish(*open_);  // letters that asked for nothing, such as the end of a commit
    return;
  }
  node_.close_batch(now_, open_->effects);
  trace(*open_);
  publish_node();
  committing_ = open_;
  open_ = open_ == &batches_[0] ? &batches_[1] : &batches_[0];
  {
    const std::lock_guard lock(commit_mutex_);
    to_commit_ = committing_;
  }
  commit_wanted_.notify_one();
}

void NodeThread::trace(const Batch& batch) {
  for (const Trace& event : batch.effects.trace) {
    switch (event.kind) {
      case Trace::Kind::origin_taken:
        parts_.log.debug("this run took an origin", {{"origin", event.number}});
        break;
      case Trace::Kind::damaged_record_replaced:
        parts_.log.warn("a client's write replaced a damaged record");
        break;
      case Trace::Kind::clock_behind:
        parts_.log.warn("stamps run ahead of this machine's clock: was it set back?",
                        {{"ahead_ms", event.number}});
        break;
    }
  }
}

void NodeThread::publish_node() {
  const std::lock_guard lock(status_mutex_);
  status_.node = node_.status();
}

void NodeThread::run_committer() {
  while (true) {
    Batch* batch = nullptr;
    if (!wait_for_batch(batch)) {
      probe();
      continue;
    }
    if (batch == nullptr) {
      return;
    }
    Result<void> outcome;
    if (!batch->effects.nothing_to_store()) {
      outcome = parts_.store.commit(batch->effects);
    }
    require_harmless(outcome);
    account(*batch, outcome);
    if (outcome) {
      parts_.sink.deliver(batch->effects.replies);
    }
    mailbox_.post(CommitDone{std::move(outcome)});
  }
}

bool NodeThread::wait_for_batch(Batch*& batch) {
  constexpr std::chrono::milliseconds kProbeInterval(500);
  const auto ready = [this] {
    return to_commit_ != nullptr || no_more_commits_;
  };
  std::unique_lock lock(commit_mutex_);
  if (!last_commit_failed_) {
    commit_wanted_.wait(lock, ready);
  } else if (!commit_wanted_.wait_for(lock, kProbeInterval, ready)) {
    return false;
  }
  batch = std::exchange(to_commit_, nullptr);
  return true;
}

void NodeThread::probe() {
  const Result<void> outcome = parts_.store.commit(Effects{});
  require_harmless(outcome);
  remember(outcome);
}

void NodeThread::require_harmless(const Result<void>& outcome) const {
  if (!outcome && !harmless(outcome.error().code)) {
    parts_.fatal(outcome.error());
  }
}

void NodeThread::remember(const Result<void>& outcome) {
  last_commit_failed_ = !outcome;
  const std::lock_guard lock(status_mutex_);
  status_.last_failure = outcome ? std::nullopt : std::optional(outcome.error().code);
}

void NodeThread::account(const Batch& batch, const Result<void>& outcome) {
  remember(outcome);
  const Instant now = monotonic_now();
  const std::lock_guard lock(status_mutex_);
  ++status_.batches;
  status_.batches_failed += outcome ? 0 : 1;
  status_.batch_writes.add(batch.effects.replies.size());
  for (const std::vector<Mail>& letters : batch.letters) {
    for (const Mail& mail : letters) {
      if (const auto* request = std::get_if<WriteRequest>(&mail)) {
        status_.write_micros.add(static_cast<std::uint64_t>((now - request->posted()).ns / 1000));
      }
    }
  }
}

}  // namespace kvs
