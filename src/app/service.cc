#include "app/service.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "app/cluster_pages.h"
#include "app/console_files.h"
#include "app/convergence.h"
#include "app/delete_run.h"
#include "app/import_lines.h"
#include "base/check.h"
#include "core/members.h"
#include "io/os.h"
#include "wire/console_answer.h"
#include "wire/export_body.h"
#include "wire/list_body.h"
#include "wire/peer_codec.h"

namespace kvs {

namespace {

/// More is posted before the end of the turn.
constexpr std::size_t kGatheredBytesMax = std::size_t{1} << 20U;

/// With so much held by batches of one door no further one is taken.
constexpr std::size_t kBulkBytesMax = std::size_t{64} << 20U;

/// The sender of what clients import: no member's instance is likely to be this.
constexpr Instance kImporter{1};

/// To all members.
constexpr RingStretch kWholeRing{.first = 0, .last = UINT64_MAX};

/// Handled::form: how what comes back is answered.
enum class Form : std::uint8_t { frame, join, leave, remove, read, backup, import };

constexpr std::uint8_t number(Form form) {
  return static_cast<std::uint8_t>(form);
}

/// Keeps the id of a member that is to be removed.
class RemoveMemo final : public Memo {
 public:
  explicit RemoveMemo(std::string_view id) : id_(id) {}

  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  std::string id_;
};

/// Keeps how many lines an import has.
class ImportMemo final : public Memo {
 public:
  explicit ImportMemo(std::size_t lines) : lines_(lines) {}

  [[nodiscard]] std::size_t lines() const { return lines_; }

 private:
  std::size_t lines_;
};

/// Keeps what came of an order of a backup.
class BackupMemo final : public Memo {
 public:
  explicit BackupMemo(std::shared_ptr<const BackupDesk::Ordered> ordered)
      : ordered_(std::move(ordered)) {}

  [[nodiscard]] const BackupDesk::Ordered& ordered() const { return *ordered_; }

 private:
  std::shared_ptr<const BackupDesk::Ordered> ordered_;
};

/// Keeps a read whose record another member is asked for.
class ReadMemo final : public Memo {
 public:
  ReadMemo(const GetValue& request, Instant begun)
      : path_(request.key.text()),
        if_none_match_(request.if_none_match),
        form_(request.form),
        if_match_(request.if_match),
        begun_(begun) {}

  /// The request, as views into this object.
  [[nodiscard]] GetValue request() const {
    return {.key = Key::from_store(path_),
            .form = form_,
            .if_match = if_match_,
            .if_none_match = if_none_match_};
  }

  [[nodiscard]] Instant begun() const { return begun_; }

 private:
  std::string path_;
  std::string if_none_match_;
  GetValue::Form form_;
  Condition if_match_;
  Instant begun_;
};

AnswerTarget marked(const AnswerTarget& target, AnswerSource source) {
  AnswerTarget other = target;
  other.source = source;
  return other;
}

/// Appends the error that an errand or a call came to. False if it came to none.
bool append_refusal(const PeerReply& reply, const AnswerTarget& target) {
  const auto* const refused = std::get_if<Refused>(&reply.answer);
  if (refused != nullptr) {
    append_error_response(target, Error{.code = refused->code, .detail = refused->detail});
  }
  return refused != nullptr;
}

Handled refuse_overloaded(const AnswerTarget& target) {
  append_error_response(target,
                        Error{.code = Errc::overloaded,
                              .detail = "too many writes wait for the disk: try again later"});
  return {};
}

void append_backup_reply(const PeerReply& reply, const AnswerTarget& target) {
  if (append_refusal(reply, target)) {
    return;
  }
  const BackupDesk::Ordered& ordered = dynamic_cast<const BackupMemo&>(*target.memo).ordered();
  KVS_CHECK(ordered.outcome && *ordered.outcome, "a backup that is done was made");
  const Backup& backup = **ordered.outcome;
  append_backup_response(target, {.name = ordered.name,
                                  .path = backup.path,
                                  .id = to_string(backup.note.id),
                                  .taken_ms = backup.note.taken.ms,
                                  .bytes = backup.note.bytes()});
}

std::string_view reason_for(Errc failure) {
  switch (failure) {
    case Errc::disk_full:
      return "disk_full: the last write found no space; free some on the file system of data_dir";
    case Errc::overloaded:
      return "overloaded: the disk cannot follow the writes";
    case Errc::corrupt_data:
      return "corrupt_data: a damaged file ends all writes; restore data_dir from a backup";
    default:
      return "io_error: the last write could not be made durable";
  }
}

}  // namespace

Service::Service(const ServiceParts& parts, RequestCounters& counters)
    : parts_(parts),
      counters_(counters),
      limits_{.key_bytes_max = parts.config.max_key_bytes,
              .value_bytes_max = parts.config.max_value_bytes},
      parser_(limits_) {}

void Service::expect_reads(std::span<const std::string_view> keys) {
  parts_.store.prefetch(keys);
}

bool Service::is_write(const RequestHead& head) const {
  return kvs::is_write(head);
}

std::uint64_t Service::body_bytes_max(const RequestHead& head) const {
  return parser_.body_bytes_max(head);
}

Handled Service::handle(const ReceivedRequest& request, const AnswerTarget& target) {
  const std::size_t begin = target.out.size();
  const auto parsed = parser_.parse(request.head, request.body);
  if (!parsed) {
    append_error_response(target, parsed.error());
    counters_.count(is_write(request.head) ? Route::write : Route::other,
                    http_status(parsed.error().code));
    return {};
  }
  const Route route = route_of(*parsed);
  Handled handled =
      std::visit([&](const auto& asked) { return answer(asked, request, target); }, *parsed);
  using Kind = Handled::Kind;
  if (handled.kind == Kind::answered || handled.kind == Kind::streaming) {
    counters_.count(route, answered_status(std::string_view(target.out).substr(begin)));
    counters_.time(route, monotonic_now() - request.now);
  }
  return handled;
}

void Service::complete(const WriteOutcome& outcome, const AnswerTarget& target) {
  const std::size_t begin = target.out.size();
  append_write_response(target, outcome);
  counters_.count(Route::write, answered_status(std::string_view(target.out).substr(begin)));
}

void Service::complete_call(const PeerReply& reply, const AnswerTarget& target) {
  const std::size_t begin = target.out.size();
  Route route = Route::members;
  switch (static_cast<Form>(target.form)) {
    case Form::frame:
      route = Route::peer;
      append_reply(reply, target);
      break;
    case Form::join:
      append_join_reply(reply, target);
      break;
    case Form::leave:
      append_leave_response(target, std::holds_alternative<Done>(reply.answer)
                                        ? Handover::complete
                                        : Handover::cut_short);
      break;
    case Form::read:
      route = Route::get;
      append_read_reply(reply, target);
      break;
    case Form::import:
      route = Route::write;
      if (!append_refusal(reply, target)) {
        append_import_response(target, dynamic_cast<const ImportMemo&>(*target.memo).lines());
      }
      break;
    case Form::backup:
      route = Route::other;
      append_backup_reply(reply, target);
      break;
    case Form::remove:
      if (!append_refusal(reply, target)) {
        append_removed_response(target, dynamic_cast<const RemoveMemo&>(*target.memo).id());
      }
      break;
  }
  counters_.count(route, answered_status(std::string_view(target.out).substr(begin)));
}

void Service::append_reply(const PeerReply& reply, const AnswerTarget& target) const {
  const auto* const refused = std::get_if<Refused>(&reply.answer);
  if (refused != nullptr && refused->code == Errc::cluster_mismatch) {
    append_error_response(target, Error{.code = refused->code, .detail = refused->detail});
    return;
  }
  const WireOptions options = wire_options(parts_.node.view()->find(reply.envelope.receiver));
  append_frame_response(target, encode(reply.envelope, reply.answer, options));
}

void Service::append_join_reply(const PeerReply& reply, const AnswerTarget& target) const {
  if (append_refusal(reply, target)) {
    return;
  }
  const auto* const answer = std::get_if<MemberRows>(&reply.answer);
  std::vector<Member> rows = answer == nullptr ? std::vector<Member>() : answer->rows;
  std::ranges::sort(rows, {}, &Member::node_id);
  std::vector<MemberView> members;
  const std::int64_t now_ms = wall_now().ms;
  for (const Member& row : rows) {
    if (is_live(row.state)) {
      members.push_back({.id = row.node_id,
                         .address = row.address,
                         .last_seen_ms = now_ms,
                         .joined_ms = row.joined_ms,
                         .state = row.state == MemberState::alive ? "alive" : "suspect",
                         .mode = to_string(row.mode)});
    }
  }
  append_members_response(target, members);
}

/// The answer of another member to a read of what is absent here.
void Service::append_read_reply(const PeerReply& reply, const AnswerTarget& target) {
  const auto& memo = dynamic_cast<const ReadMemo&>(*target.memo);
  counters_.time(Route::get, monotonic_now() - memo.begun());
  if (const auto* const refused = std::get_if<Refused>(&reply.answer)) {
    // Any other code is of a batch that could not be stored, which is no fault of the reader's.
    const Errc code = refused->code == Errc::overloaded ? Errc::overloaded : Errc::syncing;
    append_error_response(target, Error{.code = code, .detail = refused->detail});
    return;
  }
  const auto* const fetched = std::get_if<Fetched>(&reply.answer);
  const AnswerTarget proxied = marked(target, AnswerSource::proxy);
  if (fetched == nullptr || fetched->records.empty() ||
      !parts_.node.shows(fetched->records.front().record.header)) {
    append_no_value_response(proxied);
  } else {
    append_value_response(proxied, memo.request(), fetched->records.front().record.view());
  }
}

void Service::refuse(Errc code, std::string_view message, const AnswerTarget& target) {
  append_error_response(target, Error{.code = code, .detail = std::string(message)});
  counters_.count(Route::other, http_status(code));
}

Handled Service::answer(const GetValue& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  const bool may_lack = parts_.node.may_lack_records();  // asked first: see there
  const Result<SharedRecord> found = parts_.store.get(request.key);
  if (found && !*found && may_lack) {
    parts_.node.post(
        ReadErrand{.ticket = received.ticket, .path = std::string(request.key.text())});
    return {.kind = Handled::Kind::pending_alone,
            .source = nullptr,
            .form = number(Form::read),
            .memo = std::make_unique<ReadMemo>(request, received.now)};
  }
  if (!found) {
    if (found.error().code == Errc::corrupt_data) {
      report_damage(request.key, received.now);
    }
    append_error_response(target, found.error());
  } else if (!*found || !parts_.node.shows(found->header())) {
    append_no_value_response(target);
  } else {
    append_value_response(target, request, {.header = found->header(), .value = found->value()});
  }
  return {};
}

/// The first report of damage makes the node fetch everything again; what is left out here is met
/// again by the next reader.
void Service::report_damage(Key key, Instant now) {
  constexpr Duration kInterval = Duration::from_ms(100);
  if (now < damage_report_due_) {
    return;
  }
  damage_report_due_ = now + kInterval;
  parts_.node.post(DamageErrand{.path = std::string(key.text())});
}

Handled Service::answer(const WriteCommand& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  if (parts_.node.overloaded()) {
    return refuse_overloaded(target);
  }
  WriteCommand command = request;
  command.ticket = received.ticket;
  gathered_bytes_ += gathered_.emplace_back(command, received.now).bytes();
  if (gathered_bytes_ > kGatheredBytesMax) {
    hand_over();
  }
  return {.kind = Handled::Kind::pending};
}

BulkParts Service::bulk_parts(Instant now) {
  return {.store = parts_.store,
          .node = parts_.node,
          .counters = counters_,
          .bytes_held = bulk_bytes_,
          .damaged = [this, now](Key key) {
            report_damage(key, now);
          }};
}

Handled Service::answer(const RunBatch& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  if (bulk_bytes_ > kBulkBytesMax) {
    append_error_response(
        target, Error{.code = Errc::overloaded, .detail = "too many batches are under way"});
    return {};
  }
  auto run = BatchRun::make(bulk_parts(received.now), received, target,
                            BatchReader(request.below, request.body, limits_));
  if (!run) {
    append_error_response(target, run.error());
    return {};
  }
  if ((*run)->writes() && parts_.node.overloaded()) {
    return refuse_overloaded(target);
  }
  return {.kind = Handled::Kind::framing, .source = *std::move(run)};
}

/// While records are missing here, keys below the path may be among them.
Handled Service::answer(const DeleteBelow& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  if (parts_.node.overloaded()) {
    return refuse_overloaded(target);
  }
  if (parts_.node.may_lack_records()) {
    append_error_response(
        target, Error{.code = Errc::syncing,
                      .detail = "this node still fetches data, and some keys below the path may be "
                                "missing here: ask another node, or try again later"});
    return {};
  }
  return {
      .kind = Handled::Kind::framing,
      .source = std::make_unique<DeleteRun>(bulk_parts(received.now), request, received, target)};
}

Handled Service::answer(const PeerFrame& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  auto decoded = decode_request(
      request.bytes, {.frame_bytes_max = peer_frame_bytes_max(parts_.config.max_value_bytes)});
  if (!decoded) {
    // The damage is in what the peer sent, not on this node's disk.
    const Errc code = decoded.error().code;
    append_error_response(target,
                          Error{.code = code == Errc::corrupt_data ? Errc::bad_request : code,
                                .detail = decoded.error().detail});
    return {};
  }
  if (parts_.node.overloaded_by_peers()) {
    PeerReply reply;
    reply.envelope = {.cluster = decoded->envelope.cluster,
                      .sender = parts_.node.view()->self,
                      .receiver = decoded->envelope.sender,
                      .wall_ms = wall_now().ms};
    reply.answer = Refused{.code = Errc::overloaded, .detail = "too many calls wait for the disk"};
    append_reply(reply, target);
    return {};
  }
  calls_.push_back({.call = {.ticket = received.ticket,
                             .envelope = decoded->envelope,
                             .request = std::move(decoded->message)},
                    .bytes = sizeof(PeerLetter) + request.bytes.size()});
  gathered_bytes_ += calls_.back().bytes;
  if (gathered_bytes_ > kGatheredBytesMax) {
    hand_over();
  }
  return {.kind = Handled::Kind::pending_alone, .source = nullptr};
}

/// The call that a node would make. A joiner that is no node has no instance: its id and address
/// stand for one.
Handled Service::answer(const JoinCluster& request, const ReceivedRequest& received,
                        const AnswerTarget& /*target*/) {
  const std::uint64_t name =
      cluster_hash(std::string(request.id).append("\n").append(request.address)) | 1U;
  Join join;
  join.joiner.instance = Instance{name};
  join.joiner.run = name;
  join.joiner.node_id = request.id;
  join.joiner.address = request.address;
  join.joiner.joined_ms = request.joined_ms;
  join.joiner.started_ms = request.joined_ms;
  join.joiner.incarnation = 1;
  const PeerEnvelope envelope{.cluster = cluster_hash(parts_.config.cluster_name),
                              .sender = join.joiner.instance,
                              .sender_run = name,
                              .receiver = {},
                              .wall_ms = wall_now().ms};
  calls_.push_back(
      {.call = {.ticket = received.ticket, .envelope = envelope, .request = std::move(join)},
       .bytes = sizeof(PeerLetter)});
  return {.kind = Handled::Kind::pending_alone, .source = nullptr, .form = number(Form::join)};
}

Handled Service::answer(const LeaveCluster& request, const ReceivedRequest& received,
                        const AnswerTarget& /*target*/) {
  if (request.id.empty()) {
    parts_.node.post(LeaveErrand{.ticket = received.ticket});
    return {.kind = Handled::Kind::pending_alone, .source = nullptr, .form = number(Form::leave)};
  }
  parts_.node.post(RemoveErrand{.ticket = received.ticket, .node_id = std::string(request.id)});
  return {.kind = Handled::Kind::pending_alone,
          .source = nullptr,
          .form = number(Form::remove),
          .memo = std::make_unique<RemoveMemo>(request.id)};
}

Handled Service::answer(const ExportRecords& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  const bool may_lack = parts_.node.may_lack_records();
  const Instant now = received.now;
  return answer_export(may_lack ? marked(target, AnswerSource::partial) : target, request,
                       {.cursor = [moment = parts_.store.moment()] { return moment->cursor(); },
                        .damaged = [this, now](Key key) { report_damage(key, now); },
                        .expiry_clock = parts_.node.expiry_clock()},
                       now);
}

/// A push of writes that were made long ago, from nobody who is a member, to all members. It is
/// merged like any other push.
Handled Service::answer(const ImportRecords& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  const NodeStatus node = parts_.node.status().node;
  auto records =
      parts_.node.overloaded_by_peers()
          ? fail(Errc::overloaded, "too many writes wait for the disk")
          : read_import(request.lines, {.config = parts_.config,
                                        .mode = node.mode,
                                        .takes_expiry = node.takes_expiry,
                                        .cluster_ms = wall_now().ms + node.cluster_ahead_ms});
  if (!records) {
    append_error_response(target, records.error());
    return {};
  }
  const std::size_t lines = records->size();
  const std::size_t bytes = sizeof(PeerLetter) + request.lines.size();
  calls_.push_back(
      {.call = {.ticket = received.ticket,
                .envelope = {.cluster = cluster_hash(parts_.config.cluster_name),
                             .sender = kImporter,
                             .receiver = {},
                             .wall_ms = wall_now().ms},
                .request = Push{.records = *std::move(records), .stretch = kWholeRing}},
       .bytes = bytes});
  gathered_bytes_ += bytes;
  if (gathered_bytes_ > kGatheredBytesMax) {
    hand_over();
  }
  return {.kind = Handled::Kind::pending_alone,
          .source = nullptr,
          .form = number(Form::import),
          .memo = std::make_unique<ImportMemo>(lines)};
}

/// A node that still fetches the cluster's data has none that a cluster could be begun with.
Handled Service::answer(const TakeBackup& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  const auto ordered = std::make_shared<BackupDesk::Ordered>();
  ordered->name = request.name;
  const Result<void> begun =
      parts_.node.may_lack_records()
          ? fail(Errc::syncing, "this node still fetches the cluster's data: ask another one")
          : parts_.backups.order(received.ticket, ordered);
  if (!begun) {
    append_error_response(target, begun.error());
    return {};
  }
  return {.kind = Handled::Kind::pending_alone,
          .source = nullptr,
          .form = number(Form::backup),
          .memo = std::make_unique<BackupMemo>(ordered)};
}

void Service::hand_over() {
  parts_.node.post_all(gathered_);
  parts_.node.post_all(calls_);
  gathered_bytes_ = 0;
}

Handled Service::answer(const GetMembers& request, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) const {
  const NodeThreadStatus status = parts_.node.status();
  append_members_response(target, member_views(status, request.which, wall_now()));
  return {};
}

Handled Service::answer(const GetHealth& /*request*/, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  const NodeThreadStatus status = parts_.node.status();
  const std::vector<std::string> warnings = health_warnings(status.node);
  HealthView health{.mode = status.node.mode,
                    .member_count = status.view->live_count(),
                    .node_id = parts_.config.node_id,
                    .version = KVS_VERSION,
                    .uptime_ms = (received.now - parts_.started).ms(),
                    .clock_ahead_ms = status.node.clock_ahead_ms,
                    .warnings = warnings};
  if (status.last_failure) {
    health.status = HealthView::Status::degraded;
    health.reason = reason_for(*status.last_failure);
  }
  append_health_response(target, health);
  return {};
}

Handled Service::answer(const GetConvergence& /*request*/, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) const {
  const NodeThreadStatus status = parts_.node.status();
  append_convergence_response(target, convergence(status, wall_now()));
  return {};
}

Handled Service::answer(const GetVerdicts& /*request*/, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) const {
  const NodeThreadStatus status = parts_.node.status();
  append_verdicts_response(target, verdict_views(status.node));
  return {};
}

Handled Service::answer(const GetLost& request, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  const Result<LostPage> page = parts_.store.lost({.after = request.after, .limit = request.limit});
  if (!page) {
    append_error_response(target, page.error());
    return {};
  }
  LostView view{.rows = {}, .next = page->next};
  for (const LostRecord& lost : page->records) {
    view.rows.push_back({.path = lost.path, .lost_ms = lost.lost_ms, .record = lost.record.view()});
  }
  append_lost_response(target, view);
  return {};
}

Handled Service::answer(const ListKeys& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  const bool may_lack = parts_.node.may_lack_records();
  const Instant now = received.now;
  ListKeys asked = request;
  asked.list.expiry_clock = parts_.node.expiry_clock();
  return answer_listing(may_lack ? marked(target, AnswerSource::partial) : target, asked,
                        {.cursor = [this] { return parts_.store.page_cursor(); },
                         .damaged =
                             [this, now](Key key) {
                               report_damage(key, now);
                             }},
                        now);
}

/// A node that has not got everything yet would tell clients that the rest is gone.
Handled Service::answer(const WatchKeys& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  if (parts_.node.may_lack_records()) {
    append_error_response(target,
                          Error{.code = Errc::syncing,
                                .detail = "this node still fetches the cluster's data: watch "
                                          "another one, or try again later"});
    return {};
  }
  WatchBoard& board = parts_.node.watch_board();
  const auto damaged = [this](Key key) {
    report_damage(key, monotonic_now());
  };
  return answer_watch(target, request,
                      {.source = board, .tally = board, .wall_clock = wall_now, .damaged = damaged},
                      received.now);
}

Handled Service::answer(const GetMetrics& /*request*/, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  std::string text;
  append_metrics(parts_.figures.collect(), text);
  append_metrics_response(target, text);
  return {};
}

Handled Service::answer(const GetConsole& request, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  if (const ConsoleFile* const file = find_console_file(request.name)) {
    append_console_response(target, *file, request.if_none_match);
  } else {
    append_error_response(target, Error{.code = Errc::not_found,
                                        .detail = "the console has no such file: open /ui/"});
  }
  return {};
}

Handled Service::answer(const Moved& request, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  append_moved_response(target, request.location);
  return {};
}

Handled Service::answer(const GetOptions& request, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  append_options_response(target, request);
  return {};
}

}  // namespace kvs
