#include "sim/shell.h"

#include <utility>

#include "base/check.h"
#include "base/mutant.h"
#include "base/probe.h"

namespace kvs {

namespace {

WriteStatus refusal_for(Errc why) {
  return why == Errc::disk_full ? WriteStatus::disk_full : WriteStatus::overloaded;
}

}  // namespace

Shell::Shell(const Scenario& scenario, const Surroundings& surroundings)
    : scenario_(scenario),
      around_(surroundings),
      prng_(stream_seed(scenario.seed, Stream::process, 0)) {
  line_.set_times({.write = scenario.write,
                   .sync = scenario.sync,
                   .checkpoint_per_mille = scenario.checkpoint_per_mille});
}

void Shell::wake_about(Duration delay, Input input, std::uint64_t subject) {
  around_.world.schedule(
      delay, {.target = Target::process, .input = input, .subject = subject, .life = life_});
}

Now Shell::now() const {
  return {.instant = around_.world.now(), .wall = around_.wall_clock.read(around_.world.now())};
}

void Shell::handle(const Wake& wake) {
  if (wake.life != life_) {
    return;
  }
  switch (wake.input) {
    case Input::request_arrives:
      return arrive(Ticket{wake.subject});
    case Input::batch_closes:
      return close_batch();
    case Input::log_written:
      line_.log_written();
      return pump();
    case Input::log_synced:
      line_.log_synced();
      return pump();
    case Input::replies_leave:
      return replies_leave();
    case Input::process_starts:
      return wake_in(draw_around(prng_, scenario_.recovery), Input::recovery_ends);
    case Input::recovery_ends:
      return recover();
    default:
      return;
  }
}

// --- life and death

void Shell::start_after(Duration delay) {
  ++life_;
  wake_in(delay, Input::process_starts);
}

void Shell::crash(Crash crash, Duration pause) {
  if (!outbox_.empty()) {
    KVS_PROBE("shell: the process died between commit and reply");
  }
  node_.reset();
  inbox_.clear();
  open_.reset();
  open_steps_ = 0;
  close_due_ = false;
  line_.clear();
  outbox_.clear();
  around_.world.resume_process();
  if (crash == Crash::power_loss) {
    around_.disk.lose_power();
  } else {
    around_.disk.kill();
  }
  around_.observers.tell(&Observer::crashed, crash);
  callers_->connections_lost();
  start_after(pause);
}

/// What the disk did not take back nobody can know: the process ends without answering.
void Shell::doomed(const std::deque<Batch>& batches, Errc why) {
  KVS_PROBE("shell: a disk error ended the process");
  for (const Batch& batch : batches) {
    around_.observers.tell(&Observer::failed, batch, why);
  }
  crash(Crash::kill, scenario_.recovery);
}

void Shell::recover() {
  const bool must_notice = around_.disk.must_notice();
  const auto recovered = around_.disk.open();
  if (!recovered) {
    return refuse_to_start(recovered.error());
  }
  if (must_notice) {
    around_.observers.tell(&Observer::damage_unnoticed);
  }
  around_.observers.tell(&Observer::recovered, around_.disk.image());
  run_node(*recovered);
}

void Shell::refuse_to_start(const Error& error) {
  around_.observers.tell(&Observer::unopened, error.code);
  if (error.code == Errc::corrupt_data) {
    KVS_PROBE("shell: damaged files kept the node from starting");
    around_.disk.repair();
  }
  start_after(Duration::from_ms(prng_.between(1, 50)));
}

void Shell::run_node(const Recovered& recovered) {
  Node& born = node_.emplace(NodeOptions{.mode = mode_}, recovered, around_.disk, prng_.next());
  Batch& batch = open();
  first_batch_ = batch.number;
  born.start(open_now_, batch.effects);
  close_batch();
}

// --- requests

void Shell::send(Ticket ticket) {
  wake_about(draw_around(prng_, scenario_.network), Input::request_arrives,
             static_cast<std::uint64_t>(ticket));
}

void Shell::arrive(Ticket ticket) {
  const Operation& operation = around_.operations.of(ticket);
  if (operation.writes()) {
    inbox_.push_back(ticket);
    return pump();
  }
  if (operation.kind == Operation::Kind::get) {
    read(operation);
  } else {
    list(operation);
  }
  callers_->answered(ticket);
}

void Shell::read(const Operation& operation) {
  around_.disk.take_read_fault();
  const auto record = around_.disk.get(Key::from_store(operation.key));
  const Record* const found = record_in(record);
  around_.world.digest().mix(found != nullptr ? found->header.version.uuid.low : 0);
  around_.observers.tell(&Observer::got, Reading{.operation = operation,
                                                 .record = record,
                                                 .read_fault = around_.disk.take_read_fault()});
}

void Shell::list(const Operation& operation) {
  around_.disk.take_read_fault();
  Result<std::vector<std::pair<std::string, RecordHeader>>> records{};
  const auto cursor = around_.disk.cursor();
  for (cursor->seek({}); cursor->valid() && records; cursor->next()) {
    const auto record = cursor->record();
    if (!record) {
      records = std::unexpected(record.error());
    } else if (record->header.live()) {
      records->emplace_back(cursor->key().text(), record->header);
    }
  }
  if (const auto status = cursor->status(); records && !status) {
    records = std::unexpected(status.error());
  }
  around_.observers.tell(&Observer::listed, Listing{.operation = operation,
                                                    .records = records,
                                                    .read_fault = around_.disk.take_read_fault()});
}

// --- gathering

/// Steps what waits while the open batch has room, and sees that it will be closed.
void Shell::pump() {
  while (!inbox_.empty() && open_steps_ < scenario_.batch_max) {
    const Ticket ticket = inbox_.front();
    inbox_.pop_front();
    step(ticket);
  }
  const bool may_close = line_.size() < scenario_.batches_in_flight;
  if (open_steps_ > 0 && may_close && !close_due_) {
    close_due_ = true;
    wake_in(draw_around(prng_, scenario_.gather), Input::batch_closes);
  }
}

Node& Shell::node() {
  KVS_CHECK(node_.has_value(), "the process runs");
  return *node_;
}

Batch& Shell::open() {
  if (!open_) {
    open_.emplace(Batch{.number = ++batch_number_});
    open_now_ = now();
  }
  return *open_;
}

void Shell::step(Ticket ticket) {
  Batch& batch = open();
  ++open_steps_;
  const std::size_t replies_before = batch.effects.replies.size();
  const Operation& operation = around_.operations.of(ticket);
  around_.disk.take_read_fault();
  node().step(open_now_, operation.command(), batch.effects);
  Decision decision{.operation = operation,
                    .batch = batch.number,
                    .mode = mode_,
                    .read_fault = around_.disk.take_read_fault(),
                    .outcome = {}};
  if (batch.effects.replies.size() > replies_before) {
    decision.outcome = batch.effects.replies.back().outcome;
  }
  around_.observers.tell(&Observer::decided, decision);
}

void Shell::close_batch() {
  close_due_ = false;
  if (!open_) {
    return;  // a failed commit took it
  }
  Batch batch = *std::move(open_);
  open_.reset();
  open_steps_ = 0;
  node().close_batch(open_now_, batch.effects);
  batch.flush = flush_of(batch.effects, scenario_.durability);
  mix_effects(batch.effects, around_.world.digest());
  around_.observers.tell(&Observer::closed, batch);
  if (KVS_MUTATED(reply_before_commit)) {
    send_replies(std::exchange(batch.effects.replies, {}));
  }
  line_.add(std::move(batch));
  pump();
}

// --- committing

void Shell::shown(const Batch& batch) {
  around_.observers.tell(&Observer::durable, batch);
}

void Shell::settled(Batch batch) {
  Effects follow_up;
  node().committed(now(), follow_up);
  send_replies(std::move(batch.effects.replies));
  if (!line_.empty() || open_) {
    return;
  }
  if (node().dirty()) {
    KVS_PROBE("shell: a commit made the node want another");
    open();
    return close_batch();
  }
  around_.observers.tell(&Observer::idle, node().replica().knowledge(), around_.disk);
}

void Shell::voided(std::deque<Batch> batches, Errc why) {
  if (batches.front().number == first_batch_) {
    return doomed(batches, why);
  }
  if (batches.size() > 1 && open_) {
    KVS_PROBE("shell: a failed commit took a waiting batch and the open one with it");
  }
  Effects follow_up;
  node().commit_failed(now(), follow_up);
  if (open_) {
    batches.push_back(*std::move(open_));
    open_.reset();
    open_steps_ = 0;
  }
  for (Batch& batch : batches) {
    around_.observers.tell(&Observer::failed, batch, why);
    if (KVS_MUTATED(later_batches_committed) && batch.number != batches.front().number) {
      commit_voided(batch);
    }
    refuse(batch.effects.replies, refusal_for(why));
    send_replies(std::move(batch.effects.replies));
  }
  around_.observers.tell(&Observer::idle, node().replica().knowledge(), around_.disk);
}

/// Only for a mutant: a thread that commits did not hear of the failure.
void Shell::commit_voided(const Batch& batch) {
  around_.disk.begin(batch.effects);
  if (around_.disk.write()) {
    around_.disk.apply();
  }
}

void Shell::send_replies(std::vector<Reply> replies) {
  outbox_.push_back(std::move(replies));
  wake_in(scenario_.reply, Input::replies_leave);
}

void Shell::replies_leave() {
  const std::vector<Reply> replies = std::move(outbox_.front());
  outbox_.pop_front();
  for (const Reply& reply : replies) {
    around_.observers.tell(&Observer::answered, around_.operations.of(reply.ticket), reply.outcome);
    callers_->answered(reply.ticket);
  }
}

}  // namespace kvs
