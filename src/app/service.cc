#include "app/service.h"

#include <variant>

#include "io/os.h"
#include "wire/list_body.h"

namespace kvs {

namespace {

/// More is posted before the end of the turn.
constexpr std::size_t kGatheredBytesMax = std::size_t{1} << 20U;

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
      parser_({.key_bytes_max = parts.config.max_key_bytes,
               .value_bytes_max = parts.config.max_value_bytes}) {}

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
  if (handled.kind != Handled::Kind::pending) {
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

void Service::complete_call(const PeerReply& /*reply*/, const AnswerTarget& target) {
  refuse(Errc::not_implemented, "this node takes no calls", target);
}

void Service::refuse(Errc code, std::string_view message, const AnswerTarget& target) {
  append_error_response(target, Error{.code = code, .detail = std::string(message)});
  counters_.count(Route::other, http_status(code));
}

Handled Service::answer(const GetValue& request, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  const Result<SharedRecord> found = parts_.store.get(request.key);
  if (!found) {
    append_error_response(target, found.error());
  } else if (!*found || !found->live()) {
    append_no_value_response(target);
  } else {
    append_value_response(target, request, {.header = found->header(), .value = found->value()});
  }
  return {};
}

Handled Service::answer(const WriteCommand& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  if (parts_.node.overloaded()) {
    append_error_response(target,
                          Error{.code = Errc::overloaded,
                                .detail = "too many writes wait for the disk: try again later"});
    return {};
  }
  WriteCommand command = request;
  command.ticket = received.ticket;
  gathered_bytes_ += gathered_.emplace_back(command, received.now).bytes();
  if (gathered_bytes_ > kGatheredBytesMax) {
    hand_over();
  }
  return {.kind = Handled::Kind::pending};
}

void Service::hand_over() {
  parts_.node.post_all(gathered_);
  gathered_bytes_ = 0;
}

Handled Service::answer(const GetMembers& /*request*/, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  const NodeThreadStatus status = parts_.node.status();
  const MemberView self{.id = parts_.config.node_id,
                        .address = parts_.address,
                        .last_seen_ms = wall_now().ms,
                        .joined_ms = status.node.identity.joined_ms,
                        .mode = to_string(status.node.mode),
                        .version = KVS_VERSION};
  append_members_response(target, {&self, 1});
  return {};
}

Handled Service::answer(const GetHealth& /*request*/, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  const NodeThreadStatus status = parts_.node.status();
  HealthView health{.mode = status.node.mode,
                    .node_id = parts_.config.node_id,
                    .version = KVS_VERSION,
                    .uptime_ms = (received.now - parts_.started).ms(),
                    .clock_ahead_ms = status.node.clock_ahead_ms};
  if (status.last_failure) {
    health.status = HealthView::Status::degraded;
    health.reason = reason_for(*status.last_failure);
  }
  append_health_response(target, health);
  return {};
}

Handled Service::answer(const ListKeys& request, const ReceivedRequest& received,
                        const AnswerTarget& target) {
  return answer_listing(target, request, parts_.store, received.now);
}

Handled Service::answer(const GetMetrics& /*request*/, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  std::string text;
  append_metrics(parts_.figures.collect(), text);
  append_metrics_response(target, text);
  return {};
}

Handled Service::answer(const GetOptions& request, const ReceivedRequest& /*received*/,
                        const AnswerTarget& target) {
  append_options_response(target, request);
  return {};
}

}  // namespace kvs
