// The HTTP API: requests to commands, outcomes to answers. Pure; docs/api.md is normative.
//
// Here, and nowhere else, error codes become statuses (http_status). Parsing allocates nothing but
// the scratch text and the message of an error; answers to GET and PUT allocate nothing but the
// output.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "core/command.h"
#include "core/listing.h"
#include "core/mode.h"
#include "core/watcher.h"
#include "wire/entity_tag.h"
#include "wire/http.h"
#include "wire/json.h"
#include "wire/request_handler.h"

namespace kvs {

/// The most entries that one page of a listing may have.
inline constexpr std::size_t kListLimitMax = 10'000;

/// The most operations that one batch may have, and the bytes of its body (more if max_value_bytes
/// asks for it).
inline constexpr std::size_t kBatchOperationsMax = 10'000;
inline constexpr std::size_t kBatchBytesMax = std::size_t{8} << 20U;

/// GET or HEAD of one key.
struct GetValue {
  enum class Form : std::uint8_t { bytes, meta };

  Key key;
  Form form = Form::bytes;
  Condition if_match;              // none, if_exists or if_match
  std::string_view if_none_match;  // a checked list of entity tags, or `*`; empty: not sent
};

/// GET of a path with a trailing slash.
struct ListKeys {
  enum class Values : std::uint8_t { omit, include };

  ListRequest list;
  Values values = Values::omit;
};

/// POST of many operations at once; wire/batch reads them.
struct RunBatch {
  std::string_view below;  // what their paths are relative to, without a trailing slash
  std::string_view body;   // a JSON text
};

/// DELETE of all keys below a path.
struct DeleteBelow {
  enum class Report : std::uint8_t { count, progress };

  std::string_view path;  // without a trailing slash; empty: the root
  Report report = Report::count;
};

/// GET of a path with a trailing slash and watch=true.
struct WatchKeys {
  WatchRequest watch;
  std::optional<Duration> wait;  // long polling: answered in JSON, after so long at the latest
};

/// GET /members/.
struct GetMembers {
  enum class Which : std::uint8_t { live, all };

  Which which = Which::live;
};

struct GetHealth {};

/// GET /cluster/convergence.
struct GetConvergence {};

/// GET /cluster/verdicts: conflicts of late.
struct GetVerdicts {};

/// GET /cluster/lost: live records that exchanges dropped.
struct GetLost {
  std::string_view after;  // where the page before ended; empty: from the first
  std::size_t limit = 100;
};

struct GetMetrics {};

/// GET of a file of the console, /ui/{name}.
struct GetConsole {
  std::string_view name;           // as in the path, not decoded; empty: the page itself
  std::string_view if_none_match;  // a checked list of entity tags, or `*`; empty: not sent
};

/// GET of a path that lies elsewhere now.
struct Moved {
  std::string_view location;  // static storage
};

/// GET /export/{path}: records with their versions, as lines (wire/record_line).
struct ExportRecords {
  enum class Deletions : std::uint8_t { omit, include };

  std::string_view path;   // without a trailing slash; empty: the root
  std::string_view after;  // only paths beyond this one; empty: from the first
  Deletions deletions = Deletions::omit;
};

/// POST /import of such lines.
struct ImportRecords {
  std::string_view lines;
};

/// POST /backup.
struct TakeBackup {
  std::string_view name;  // see core/backup_name
};

/// OPTIONS: which methods the target has.
struct GetOptions {
  std::string_view allow;  // static storage
};

/// POST of one frame to a path that nodes use among themselves (wire/peer_codec).
struct PeerFrame {
  std::string_view bytes;
};

/// POST /members/join.
struct JoinCluster {
  std::string_view id;
  std::string_view address;  // host:port
  std::int64_t joined_ms = 0;
};

/// POST or DELETE of /members/leave.
struct LeaveCluster {
  std::string_view id;  // the failed member that is to be removed; empty: this node leaves
};

/// A WriteCommand leaves its ticket to the caller.
using ApiRequest = std::variant<GetValue, WriteCommand, ListKeys, GetMembers, GetHealth, GetMetrics,
                                GetOptions, PeerFrame, JoinCluster, LeaveCluster, GetConvergence,
                                GetLost, RunBatch, DeleteBelow, GetVerdicts, GetConsole, Moved,
                                TakeBackup, ExportRecords, ImportRecords, WatchKeys>;

/// Why a request is refused.
struct ApiError {
  // Implicit on purpose: KVS_TRY.
  ApiError(Error error, std::string_view allowed = {})  // NOLINT(google-explicit-constructor)
      : code(error.code), message(std::move(error.detail)), allow(allowed) {}

  Errc code;
  std::string message;
  std::string_view allow;  // with method_not_allowed: the methods of the target; static storage
};

struct ApiLimits {
  std::size_t key_bytes_max = 1024;
  std::size_t value_bytes_max = std::size_t{1} << 20U;
};

/// Reads requests. Keeps buffers between them; one a thread.
class ApiParser {
 public:
  explicit ApiParser(const ApiLimits& limits) : limits_(limits) {}

  /// The most that a body may have, judged by the head alone.
  [[nodiscard]] std::uint64_t body_bytes_max(const RequestHead& head) const;

  /// The request in `head` and its whole `body`. The answer points into both and into this parser:
  /// it is good until the next call.
  ///
  /// Errors: not_found (no such route), method_not_allowed (with `allow`), invalid_key,
  /// key_too_large, invalid_query, invalid_json, bad_request (conditions), length_required,
  /// value_too_large, unsupported_media_type, not_implemented.
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse(const RequestHead& head,
                                                          std::string_view body);

 private:
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_kv(const RequestHead& head,
                                                             std::string_view body);
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_other(const RequestHead& head,
                                                                std::string_view body);
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_membership(const RequestHead& head,
                                                                     std::string_view body);
  Result<JoinCluster> parse_join(std::string_view body);
  Result<LeaveCluster> parse_leave(std::string_view body);
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_export(const RequestHead& head);
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_import(const RequestHead& head,
                                                                 std::string_view body);
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_backup(const RequestHead& head,
                                                                 std::string_view body);
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_view(const RequestHead& head);
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_console(const RequestHead& head);
  Result<WriteCommand> parse_write(const RequestHead& head, std::string_view path,
                                   std::string_view body);
  Result<Duration> parse_ttl_of(const RequestHead& head);
  Result<GetValue> parse_get(const RequestHead& head, std::string_view path);
  Result<GetLost> parse_lost(const RequestHead& head);
  Result<ApiRequest> parse_names(const RequestHead& head, std::string_view path);
  [[nodiscard]] std::expected<ApiRequest, ApiError> parse_folder(const RequestHead& head,
                                                                 std::string_view path,
                                                                 std::string_view body);
  Result<std::string_view> parse_folder_path(std::string_view path) const;
  Result<RunBatch> parse_batch(const RequestHead& head, std::string_view path,
                               std::string_view body);
  Result<DeleteBelow> parse_delete_below(const RequestHead& head, std::string_view path);

  ApiLimits limits_;
  JsonChecker json_;
  std::string scratch_;  // the decoded path, then decoded query values
};

/// True if `head` asks for a PUT or DELETE of a key, well-formed or not. A path that ends in a
/// slash is no key: below it many may be deleted.
[[nodiscard]] bool is_write(const RequestHead& head);

/// The status for an error code. Codes that no client can cause are 500.
[[nodiscard]] unsigned http_status(Errc code);

/// The code of a write that changed nothing.
[[nodiscard]] Errc errc_of(WriteStatus status);

/// A sentence for the one who asked for a write that changed nothing.
[[nodiscard]] std::string_view message_of(WriteStatus status);

/// Seconds after which a refused client may try again; empty if waiting does not help.
[[nodiscard]] std::string_view retry_after(Errc code);

// Each of these appends members of a JSON object, with the comma before them.

/// `,"uuid":"...","timestamp":1`
void append_version_members(std::string& out, const Uuid& uuid, Stamp stamp);

/// `,"timestamp":1`
void append_timestamp_member(std::string& out, Stamp stamp);

/// `,"expires":1`; nothing if it is 0.
void append_expires_member(std::string& out, std::int64_t expires_ms);

/// `,"error":{"code":"...","message":"..."}`
void append_error_member(std::string& out, const Error& error);

// Each of these appends one answer to `target`.

/// What GET found under its key; `record` is live. 200, 304 or 412.
void append_value_response(const AnswerTarget& target, const GetValue& request,
                           const RecordView& record);

/// 404 for a key without a live value.
void append_no_value_response(const AnswerTarget& target);

/// What came of a PUT or DELETE.
void append_write_response(const AnswerTarget& target, const WriteOutcome& outcome);

/// Whatever else is refused: the error body, with Allow or Retry-After where they belong.
void append_error_response(const AnswerTarget& target, const ApiError& error);

/// 204 with Allow.
void append_options_response(const AnswerTarget& target, const GetOptions& options);

/// The head of the lines of an export, whose body follows.
void append_export_head(const AnswerTarget& target);

/// So many lines were taken.
void append_import_response(const AnswerTarget& target, std::size_t taken);

/// A listing whose body is complete (see wire/list_body).
void append_list_response(const AnswerTarget& target, std::string_view body);

/// The head of a listing whose body is streamed.
void append_list_head(const AnswerTarget& target);

/// The head of a watch: of its stream of events, or of its JSON answer.
void append_watch_head(const AnswerTarget& target, const WatchKeys& request);

/// One member as /members/ shows it.
struct MemberView {
  std::string_view id;
  std::string_view address;  // host:port
  std::int64_t last_seen_ms = 0;
  std::int64_t joined_ms = 0;
  std::string_view state = "alive";
  std::string_view mode;
  std::string_view version;  // empty: not known, not shown
};

/// A frame for a node that called: the answer to a PeerFrame.
void append_frame_response(const AnswerTarget& target, std::string_view frame);

/// `members` are ordered by id.
void append_members_response(const AnswerTarget& target, std::span<const MemberView> members);

/// What came of leaving: did others get all that this node owed?
enum class Handover : std::uint8_t { complete, cut_short };

void append_leave_response(const AnswerTarget& target, Handover handover);

/// The member `id` was removed.
void append_removed_response(const AnswerTarget& target, std::string_view id);

/// A backup that was taken.
struct BackupView {
  std::string_view name;
  std::string_view path;  // on the node's machine
  std::string_view id;
  std::int64_t taken_ms = 0;
  std::uint64_t bytes = 0;  // of all its files
};

/// 201.
void append_backup_response(const AnswerTarget& target, const BackupView& backup);

/// What /cluster/convergence tells.
struct ConvergenceView {
  struct Row {
    std::string_view id;
    std::string_view state;
    std::optional<std::uint64_t> writes_behind;  // nothing: not known
    std::uint64_t writes_owed = 0;
    std::optional<bool> fingerprints_agree;  // nothing: not known
    std::optional<std::int64_t> as_of_ms;    // since the member was heard of; nothing: never
  };

  bool converged = false;
  std::string summary;
  std::optional<std::string> fingerprint;  // of all records here, deletions too; nothing: counted
  std::vector<Row> rows;
};

void append_convergence_response(const AnswerTarget& target, const ConvergenceView& view);

/// One conflict as /cluster/verdicts tells of it.
struct VerdictView {
  struct Candidate {
    Uuid uuid;
    std::uint32_t votes = 0;
  };

  std::string_view path;
  std::int64_t settled_ms = 0;
  std::string_view rule;
  Uuid winner;
  std::int64_t timestamp_ms = 0;  // of the winner
  std::vector<Candidate> candidates;
};

/// The newest first.
void append_verdicts_response(const AnswerTarget& target, std::span<const VerdictView> verdicts);

/// What /cluster/lost tells.
struct LostView {
  struct Row {
    std::string_view path;
    std::int64_t lost_ms = 0;
    RecordView record;
  };

  std::vector<Row> rows;
  std::string_view next;  // bytes; shown as a cursor; empty: that was all
};

void append_lost_response(const AnswerTarget& target, const LostView& view);

/// What /health tells.
struct HealthView {
  enum class Status : std::uint8_t { ok, degraded };

  Status status = Status::ok;
  Mode mode = Mode::normal;
  std::uint64_t member_count = 1;  // live ones, this node included
  std::string_view node_id;
  std::string_view reason;  // if degraded: a sentence
  std::string_view version;
  std::int64_t uptime_ms = 0;
  std::int64_t clock_ahead_ms = 0;        // how far stamps run ahead of the wall clock
  std::span<const std::string> warnings;  // sentences; none: not shown
};

/// 200, or 503 if degraded.
void append_health_response(const AnswerTarget& target, const HealthView& health);

/// `text` as wire/metrics renders it.
void append_metrics_response(const AnswerTarget& target, std::string_view text);

}  // namespace kvs
