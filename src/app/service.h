// What a door does with a request: reads are answered here, straight from the store; writes and the
// calls of peers are gathered and posted to the node once a turn; other errands are posted at once.
// One service for each door, on that door's thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/backup_desk.h"
#include "app/batch_run.h"
#include "app/figures.h"
#include "app/node_thread.h"
#include "app/write_request.h"
#include "core/config.h"
#include "io/store.h"
#include "wire/api.h"
#include "wire/request_handler.h"

namespace kvs {

/// The node as its doors see it. All of it is thread-safe and outlives every service.
struct ServiceParts {
  const Config& config;
  const Store& store;
  NodeThread& node;
  const FiguresCollector& figures;
  BackupDesk& backups;
  std::string address;  // host:port at which others reach this node
  Instant started;
};

class Service final : public RequestHandler {
 public:
  /// `counters` are those of this service's door.
  Service(const ServiceParts& parts, RequestCounters& counters);

  void expect_reads(std::span<const std::string_view> keys) override;
  [[nodiscard]] bool is_write(const RequestHead& head) const override;
  [[nodiscard]] std::uint64_t body_bytes_max(const RequestHead& head) const override;
  Handled handle(const ReceivedRequest& request, const AnswerTarget& target) override;

  [[nodiscard]] bool has_gathered() const override { return !gathered_.empty() || !calls_.empty(); }

  void hand_over() override;
  void complete(const WriteOutcome& outcome, const AnswerTarget& target) override;
  void complete_call(const PeerReply& reply, const AnswerTarget& target) override;
  void refuse(Errc code, std::string_view message, const AnswerTarget& target) override;

 private:
  Handled answer(const GetValue& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const WriteCommand& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const ListKeys& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const GetMembers& request, const ReceivedRequest& received,
                 const AnswerTarget& target) const;
  Handled answer(const GetHealth& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const GetMetrics& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const GetOptions& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const PeerFrame& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const JoinCluster& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const LeaveCluster& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const GetConvergence& request, const ReceivedRequest& received,
                 const AnswerTarget& target) const;
  Handled answer(const GetVerdicts& request, const ReceivedRequest& received,
                 const AnswerTarget& target) const;
  Handled answer(const GetLost& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const RunBatch& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const DeleteBelow& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  [[nodiscard]] BulkParts bulk_parts(Instant now);
  Handled answer(const GetConsole& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const Moved& request, const ReceivedRequest& received, const AnswerTarget& target);
  Handled answer(const TakeBackup& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const ExportRecords& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const ImportRecords& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  Handled answer(const WatchKeys& request, const ReceivedRequest& received,
                 const AnswerTarget& target);
  void report_damage(Key key, Instant now);
  void append_reply(const PeerReply& reply, const AnswerTarget& target) const;
  void append_read_reply(const PeerReply& reply, const AnswerTarget& target);
  void append_join_reply(const PeerReply& reply, const AnswerTarget& target) const;

  const ServiceParts& parts_;
  RequestCounters& counters_;
  ApiLimits limits_;
  ApiParser parser_;
  std::vector<WriteRequest> gathered_;  // of this turn of the door
  std::vector<PeerLetter> calls_;       // likewise
  std::size_t gathered_bytes_ = 0;
  std::size_t bulk_bytes_ = 0;  // held by batches under way
  Instant damage_report_due_;
};

}  // namespace kvs
