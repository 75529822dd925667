#include "app/backup_desk.h"

#include <span>
#include <system_error>
#include <utility>

#include "io/os.h"

namespace kvs {

BackupDesk::~BackupDesk() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

Result<void> BackupDesk::order(Ticket ticket, std::shared_ptr<Ordered> ordered) {
  if (parts_.folder.empty()) {
    return fail(Errc::not_found, "this node makes no backups: set backup_folder");
  }
  if (busy_.exchange(true)) {
    return fail(Errc::overloaded, "another backup is being made: try again when it is done");
  }
  if (thread_.joinable()) {
    thread_.join();  // it has nothing more to do
  }
  try {
    thread_ = std::thread([this, ticket, ordered = std::move(ordered)] { make(ticket, *ordered); });
  } catch (const std::system_error& error) {
    busy_ = false;
    return fail(Errc::overloaded, std::string("no thread can be begun: ") + error.what());
  }
  return {};
}

void BackupDesk::make(Ticket ticket, Ordered& ordered) {
  const Instant begun = monotonic_now();
  ordered.outcome = take_backup(parts_.store, {.folder = parts_.folder,
                                               .name = ordered.name,
                                               .node_id = parts_.node_id,
                                               .now = wall_now()});
  const Result<Backup>& outcome = *ordered.outcome;
  PeerReply reply{.ticket = ticket, .envelope = {}, .answer = Done{}};
  if (outcome) {
    parts_.log.info("a backup was made", {{"path", outcome->path},
                                          {"bytes", outcome->note.bytes()},
                                          {"ms", (monotonic_now() - begun).ms()}});
  } else {
    parts_.log.warn("a backup could not be made",
                    {{"name", ordered.name}, {"error", outcome.error().detail}});
    reply.answer = Refused{.code = outcome.error().code, .detail = outcome.error().detail};
  }
  busy_ = false;
  parts_.sink.deliver_to_peers({&reply, 1});
}

}  // namespace kvs
