#include "sim/machine.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/probe.h"

namespace kvs {

namespace {

WriteStatus refusal_for(Errc why) {
  return why == Errc::disk_full ? WriteStatus::disk_full : WriteStatus::overloaded;
}

/// News of members neither change what is stored nor are pointed to by what is.
bool is_news(const PeerRequest& request) {
  return std::holds_alternative<Ping>(request) || std::holds_alternative<PingOther>(request) ||
         std::holds_alternative<CompareMembers>(request) ||
         std::holds_alternative<MemberRows>(request);
}

/// Tickets of clients' reads, beside those of the network.
constexpr std::uint64_t kOfClient = std::uint64_t{1} << 63U;

bool is_news(const PeerReturn& returned) {
  return returned.failure != PeerReturn::Failure::none ||
         std::holds_alternative<Pong>(returned.answer) ||
         std::holds_alternative<NoPong>(returned.answer) ||
         std::holds_alternative<MemberRows>(returned.answer);
}

}  // namespace

Machine::Machine(const ClusterScenario& scenario, std::uint32_t number, const Premises& premises)
    : scenario_(scenario),
      number_(number),
      premises_(premises),
      prng_(stream_seed(scenario.seed, Stream::process, number + 1)),
      disk_(stream_seed(scenario.seed, Stream::disk, number + 1)) {
  CommitTimes times = scenario.commit;
  times.told = scenario.faults.contains(ClusterFault::told_late) ? times.told : Duration{};
  line_.set_times(times);
  premises_.network.attach(number, *this);
}

void Machine::wake_in(Duration delay, Input input) {
  premises_.world.schedule(
      delay, {.target = Target::process, .input = input, .life = life_, .machine = number_});
}

Now Machine::now() const {
  const Instant instant = premises_.world.now();
  return {.instant = instant, .wall = wall_clock_.read(instant)};
}

void Machine::handle(const Wake& wake) {
  if (wake.life != life_) {
    return;
  }
  switch (wake.input) {
    case Input::batch_closes:
      return close_batch();
    case Input::log_written:
      line_.log_written();
      return close_when_due();
    case Input::log_synced:
      line_.log_synced();
      return close_when_due();
    case Input::commit_told:
      line_.commit_told();
      return close_when_due();
    case Input::replies_leave:
      return replies_leave();
    case Input::deadline_passes:
      return deadline_passes();
    case Input::process_starts:
      return wake_in(draw_around(prng_, scenario_.recovery), Input::recovery_ends);
    case Input::recovery_ends:
      return recover();
    default:
      return;
  }
}

const Node& Machine::node() const {
  KVS_CHECK(node_.has_value(), "the process runs");
  return *node_;
}

const WatchFeed& Machine::feed() const {
  KVS_CHECK(feed_.has_value(), "the process runs, and may be watched");
  return *feed_;
}

void Machine::show_time() {
  KVS_CHECK(feed_.has_value(), "the process runs, and may be watched");
  const WallTime looked = node().expiry_clock();
  const WallTime now{looked.ms + (premises_.world.now() - expiry_looked_at_).ms()};
  const WallTime shown = feed_->expiry_clock();
  const bool set_back = shown.ms - looked.ms > Expirer::kSetBackMax.ms();
  feed_->set_expiry_clock(set_back ? now : std::max(shown, now));
}

Node& Machine::running() {
  KVS_CHECK(node_.has_value(), "the process runs");
  return *node_;
}

Batch& Machine::open_batch() {
  KVS_CHECK(open_.has_value(), "a step opens a batch");
  return *open_;
}

// --- life and death

void Machine::start_after(Duration delay) {
  if (abandoned_) {
    return;
  }
  ++life_;
  wake_in(delay, Input::process_starts);
}

void Machine::crash(Crash crash) {
  ++life_;
  node_.reset();
  feed_.reset();
  open_.reset();
  close_due_ = false;
  line_.clear();
  outbox_.clear();
  speech_ = {};
  woken_at_ = Instant::never();
  premises_.world.resume_process(number_);
  const bool power = crash == Crash::power_loss;
  if (power) {
    disk_.lose_power();
  } else {
    disk_.kill();
  }
  premises_.observers.tell(&ClusterObserver::crashed, number_, crash);
  premises_.network.died(number_, power ? Network::Death::power : Network::Death::process);
  callers_->connections_lost(number_);
}

void Machine::swap_folder(Disk::Folder folder, Swap swap) {
  disk_.replace(std::move(folder));
  premises_.observers.tell(&ClusterObserver::swapped, number_, swap);
}

void Machine::abandon() {
  crash(Crash::kill);
  abandoned_ = true;
  swap_folder({}, Swap::gone);
}

void Machine::leave() {
  running().leave(now(), open(Content::none));
  after_step();
}

RemoveOutcome Machine::remove(std::uint32_t other) {
  const std::string node_id = node_options(scenario_, other).members.node_id;
  const RemoveOutcome outcome = running().remove_member(now(), node_id, open(Content::none));
  after_step();
  return outcome;
}

void Machine::rot() {
  if (const auto key = disk_.rot_record()) {
    premises_.observers.tell(&ClusterObserver::rotted, number_, *key);
  }
}

void Machine::read_all() {
  const Image image = disk_.image();
  for (const auto& [key, record] : image.records) {
    if (!record) {
      found_damage(key);
    }
  }
}

void Machine::found_damage(const std::string& key) {
  KVS_PROBE("machine: a reader met a damaged record");
  running().found_damage(now(), key, open(Content::none));
  after_step();
}

void Machine::doomed(const std::deque<Batch>& batches, Errc why) {
  KVS_PROBE("machine: a disk error ended the process");
  for (const Batch& batch : batches) {
    premises_.observers.tell(&ClusterObserver::failed, number_, batch, why);
  }
  crash(Crash::kill);
  start_after(scenario_.recovery);
}

void Machine::recover() {
  const auto recovered = disk_.open();
  if (!recovered) {
    return refuse_to_start(recovered.error());
  }
  premises_.observers.tell(&ClusterObserver::recovered, number_, disk_.image());
  run_node(*recovered);
}

void Machine::refuse_to_start(const Error& error) {
  premises_.observers.tell(&ClusterObserver::unopened, number_, error.code);
  start_after(Duration::from_ms(prng_.between(1, 50)));
}

void Machine::run_node(const Recovered& recovered) {
  disturb();
  Node& born = node_.emplace(node_options(scenario_, number_), recovered, disk_, prng_.next());
  if (scenario_.watchers > 0) {
    feed_.emplace(calm_disk_,
                  watch_start(scenario_, {.machine = number_, .life = life_}, recovered));
  }
  born.start(now(), open(Content::some));
  expiry_looked_at_ = premises_.world.now();
  expiry_shown_ = {};
  first_batch_ = open_batch().number;
  pass_on(open_batch().effects);
  close_batch();
  watch_deadline();
}

// --- steps

/// The effects of the open batch. A batch with content closes; one without waits for some.
Effects& Machine::open(Content content) {
  if (!open_) {
    open_.emplace(Batch{.number = ++batch_number_, .effects = {}, .kept = {}});
    content_ = Content::none;
  }
  content_ = std::max(content_, content);
  return open_->effects;
}

bool Machine::ask(Ticket ticket) {
  if (!serving()) {
    return false;
  }
  const Operation& operation = premises_.operations.of(ticket);
  if (!operation.writes()) {
    read(operation);
    return true;
  }
  running().step(now(), operation.command(), open(Content::some));
  after_step();
  return true;
}

void Machine::read(const Operation& operation) {
  const bool may_lack =
      scenario_.faults.contains(ClusterFault::elsewhere) && node().may_lack_records();
  const auto record = disk_.get(Key::from_store(operation.key));
  if (may_lack && record && !*record) {
    return ask_elsewhere(operation);
  }
  show(operation, record);
  if (!record && record.error().code == Errc::corrupt_data) {
    found_damage(operation.key);
  }
  callers_->answered(operation.ticket);
}

void Machine::ask_elsewhere(const Operation& operation) {
  premises_.observers.tell(&ClusterObserver::asked_elsewhere, number_, operation);
  const Ticket ticket{static_cast<std::uint64_t>(operation.ticket) | kOfClient};
  running().read_elsewhere(now(), ticket, operation.key, open(Content::none));
  after_step();
}

void Machine::give(PeerReply reply) {
  const auto number = static_cast<std::uint64_t>(reply.ticket);
  if ((number & kOfClient) == 0) {
    return premises_.network.answer(std::move(reply));
  }
  const Operation& operation = premises_.operations.of(Ticket{number & ~kOfClient});
  if (const auto* const fetched = std::get_if<Fetched>(&reply.answer)) {
    KVS_PROBE("machine: a read was answered by another");
    show(operation,
         fetched->records.empty() ? std::optional<Record>() : fetched->records.front().record);
  }
  callers_->answered(operation.ticket);
}

void Machine::show(const Operation& operation, const Result<std::optional<Record>>& record) {
  const Record* const found = record_in(record);
  premises_.world.digest().mix(found != nullptr ? found->header.version.uuid.low : 0);
  const bool expired = found != nullptr && found->header.kind != RecordKind::tombstone &&
                       !found->header.shows(expiry_clock());
  premises_.observers.tell(&ClusterObserver::got, number_,
                           Reading{.operation = operation,
                                   .record = record,
                                   .read_fault = disk_.take_read_fault(),
                                   .expired = expired});
}

WallTime Machine::expiry_clock() {
  const WallTime looked = node().expiry_clock();
  const WallTime now{looked.ms + (premises_.world.now() - expiry_looked_at_).ms()};
  const bool set_back = expiry_shown_.ms - looked.ms > Expirer::kSetBackMax.ms();
  return expiry_shown_ = set_back ? now : std::max(expiry_shown_, now);
}

void Machine::called(PeerCall call) {
  premises_.observers.tell(&ClusterObserver::called, number_, call);
  if (is_news(call.request)) {
    running().step(now(), call, open(Content::none));
    return after_step();
  }
  const auto kept = std::make_shared<const PeerCall>(std::move(call));
  running().step(now(), *kept, open(Content::some));
  open_batch().kept.push_back(kept);
  after_step();
}

void Machine::send(const PeerSend& send) {
  const bool early = scenario_.faults.contains(ClusterFault::told_early);
  premises_.network.send(number_,
                         early && is_earlier(scenario_, number_) ? speech_.said(send) : send);
}

void Machine::returned(PeerReturn returned) {
  if (const auto more = speech_.next(returned)) {
    premises_.network.send(number_, *more);
    return;
  }
  premises_.observers.tell(&ClusterObserver::returned, number_, returned);
  if (is_news(returned)) {
    running().step(now(), returned, open(Content::none));
    return after_step();
  }
  const auto kept = std::make_shared<const PeerReturn>(std::move(returned));
  running().step(now(), *kept, open(Content::some));
  open_batch().kept.push_back(kept);
  after_step();
}

void Machine::after_step() {
  expiry_looked_at_ = premises_.world.now();
  const Effects& effects = open_batch().effects;
  if (running().dirty() || !effects.nothing_to_store() || !effects.peer_replies.empty()) {
    content_ = Content::some;
  }
  pass_on(open_batch().effects);
  close_when_due();
  watch_deadline();
}

/// What may leave at any time.
void Machine::pass_on(Effects& effects) {
  for (const PeerSend& send : effects.sends) {
    premises_.observers.tell(&ClusterObserver::sent, number_, send);
    this->send(send);
  }
  effects.sends.clear();
  for (PeerReply& answer : effects.answers) {
    give(std::move(answer));
  }
  effects.answers.clear();
  for (const Trace& trace : effects.trace) {
    premises_.observers.tell(&ClusterObserver::traced, number_, trace);
  }
  effects.trace.clear();
  if (feed_) {
    for (std::shared_ptr<const WatchNews>& news : effects.watched) {
      feed_->add(std::move(news));
    }
  }
  effects.watched.clear();
}

// --- deadlines

void Machine::watch_deadline() {
  const Instant deadline = running().next_deadline();
  if (deadline >= woken_at_) {
    return;
  }
  woken_at_ = deadline;
  const Instant instant = premises_.world.now();
  wake_in(deadline > instant ? deadline - instant : Duration{}, Input::deadline_passes);
}

void Machine::deadline_passes() {
  const Instant instant = premises_.world.now();
  if (instant < woken_at_) {
    return;  // an earlier one had been asked for since
  }
  woken_at_ = Instant::never();
  if (running().next_deadline() <= instant) {
    return tick(instant);
  }
  watch_deadline();
}

void Machine::tick(Instant instant) {
  constexpr std::uint64_t kTicksAtOnceMax = 1000;
  ticks_at_once_ = ticked_at_ == instant ? ticks_at_once_ + 1 : 0;
  ticked_at_ = instant;
  if (ticks_at_once_ > kTicksAtOnceMax) {
    premises_.findings.report("deadlines pass", "ticks do not move a deadline that has passed");
    return;
  }
  running().tick(now(), open(Content::none));
  after_step();
}

// --- batches

void Machine::close_when_due() {
  const bool may_close = line_.size() < scenario_.batches_in_flight;
  if (open_ && content_ == Content::some && may_close && !close_due_) {
    close_due_ = true;
    wake_in(draw_around(prng_, scenario_.gather), Input::batch_closes);
  }
}

void Machine::close_batch() {
  close_due_ = false;
  if (!open_) {
    return;  // a failed commit took it
  }
  Batch batch = *std::move(open_);
  open_.reset();
  running().close_batch(now(), batch.effects);
  batch.flush = flush_of(batch.effects, Durability::sync);
  mix_effects(batch.effects, premises_.world.digest());
  pass_on(batch.effects);
  premises_.observers.tell(&ClusterObserver::closed, number_, batch);
  line_.add(std::move(batch));
}

void Machine::shown(const Batch& batch) {
  premises_.observers.tell(&ClusterObserver::durable, number_, batch);
}

void Machine::settled(Batch batch) {
  Effects follow_up;
  running().committed(now(), follow_up);
  pass_on(follow_up);
  send_replies(std::move(batch.effects));
  if (running().dirty()) {
    open(Content::some);
    close_when_due();
  }
  watch_deadline();
}

void Machine::voided(std::deque<Batch> batches, Errc why) {
  if (batches.front().number == first_batch_) {
    return doomed(batches, why);
  }
  Effects follow_up;
  running().commit_failed(now(), follow_up);
  pass_on(follow_up);
  if (open_) {
    batches.push_back(*std::move(open_));
    open_.reset();
  }
  for (Batch& batch : batches) {
    KVS_PROBE("machine: a batch failed");
    premises_.observers.tell(&ClusterObserver::failed, number_, batch, why);
    refuse(batch.effects.replies, refusal_for(why));
    refuse(batch.effects.peer_replies, why);
    send_replies(std::move(batch.effects));
  }
  watch_deadline();
}

void Machine::send_replies(Effects effects) {
  if (effects.replies.empty() && effects.peer_replies.empty()) {
    return;
  }
  outbox_.push_back(std::move(effects));
  wake_in(scenario_.reply, Input::replies_leave);
}

void Machine::replies_leave() {
  Effects effects = std::move(outbox_.front());
  outbox_.pop_front();
  for (const Reply& reply : effects.replies) {
    premises_.observers.tell(&ClusterObserver::answered, number_,
                             premises_.operations.of(reply.ticket), reply.outcome);
    callers_->answered(reply.ticket);
  }
  for (PeerReply& reply : effects.peer_replies) {
    give(std::move(reply));
  }
}

}  // namespace kvs
