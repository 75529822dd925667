#include "app/serve.h"

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include "app/backup_desk.h"
#include "app/cli.h"
#include "app/figures.h"
#include "app/heartbeat.h"
#include "app/node_options.h"
#include "app/node_thread.h"
#include "app/service.h"
#include "io/http_door.h"
#include "io/log.h"
#include "io/os.h"
#include "io/peer_links.h"
#include "io/store.h"
#include "io/supervisor.h"

namespace kvs {

namespace {

/// The signals that the node waits for instead of being interrupted by them.
class Signals {
 public:
  /// What the process sends itself once its node has left the cluster.
  static constexpr int kLeft = SIGUSR2;

  /// Blocks them in this thread and in all that it starts from now on.
  Signals() {
    ::sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, kLeft}) {
      ::sigaddset(&set_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  [[nodiscard]] int wait() const {
    int number = 0;
    while (::sigwait(&set_, &number) != 0) {
    }
    return number;
  }

  /// The same for so long at most; nothing if none came.
  [[nodiscard]] std::optional<int> wait_for(Duration time) const {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const timespec limit{.tv_sec = time.ns / kSecond, .tv_nsec = time.ns % kSecond};
    const int number = ::sigtimedwait(&set_, nullptr, &limit);
    return number > 0 ? std::optional(number) : std::nullopt;
  }

 private:
  sigset_t set_{};
};

int failed(const Error& error) {
  print_error(error.detail);
  return kExitFailed;
}

/// Nobody can know what the disk holds now; a restart finds out.
[[noreturn]] void end_undurable(const Error& error) {
  print_error(
      "a write could not be made durable, so this process ends; check the disk, then start it "
      "again: " +
      error.detail);
  std::_Exit(kExitFailed);
}

/// One way to stop for all reasons: the thread that waits for signals gets one more.
void end_after_leaving() {
  ::kill(::getpid(), Signals::kLeft);
}

/// Hands the node's replies to the door.
class DoorSink final : public ReplySink {
 public:
  explicit DoorSink(HttpDoor& door) : door_(door) {}

  void deliver(std::span<const Reply> replies) override { door_.post_replies(replies); }

  void deliver_to_peers(std::span<PeerReply> replies) override { door_.post_peer_replies(replies); }

 private:
  HttpDoor& door_;
};

/// Hands calls to the links, which exist before anything calls.
class LinksSink final : public CallSink {
 public:
  explicit LinksSink(PeerLinks& links) : links_(links) {}

  void send(std::vector<PeerSend>&& sends) override { links_.send(std::move(sends)); }

 private:
  PeerLinks& links_;
};

/// A node with all its parts, built from the ground up and taken down in reverse.
class Server {
 public:
  Server(const Config& config, Log& log) : config_(config), log_(log) {}

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  ~Server() {
    if (links_) {
      links_->stop();  // before the node that it posts to goes
    }
  }

  Result<void> start();
  void stop();

  /// All threads that have to take turns for the node to answer. Once started.
  [[nodiscard]] std::vector<Heartbeat::Ask> threads();

  /// One line for a person. Any thread, once started.
  [[nodiscard]] std::string status() const;

 private:
  Result<void> open_door();
  Result<void> open_store();
  Result<void> open_links();
  void open_service();
  void report_store() const;

  const Config& config_;
  Log& log_;
  std::string address_;  // at which others reach this node
  std::unique_ptr<HttpDoor> door_;
  std::unique_ptr<DoorSink> sink_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<PeerLinks> links_;
  std::unique_ptr<LinksSink> calls_;
  std::unique_ptr<NodeThread> node_;
  std::unique_ptr<FiguresCollector> figures_;
  std::unique_ptr<BackupDesk> backups_;
  std::unique_ptr<ServiceParts> parts_;
};

Result<void> Server::start() {
  // The port first: whoever cannot have it must not touch the data.
  KVS_TRY(open_door());
  KVS_TRY(open_store());
  KVS_TRY(open_links());
  address_ = advertised_address(config_, {.port = door_->port(), .host_name = host_name()});
  node_ = std::make_unique<NodeThread>(node_options(config_, address_), store_->recovered(),
                                       NodeThread::Parts{.records = *store_,
                                                         .committer = *store_,
                                                         .sink = *sink_,
                                                         .calls = *calls_,
                                                         .log = log_,
                                                         .fatal = end_undurable,
                                                         .left = end_after_leaving,
                                                         .watched = [this] {
                                                           door_->wake_streams();
                                                         }});
  KVS_TRY(node_->start());
  open_service();
  log_.info("the node serves",
            {{"node_id", config_.node_id}, {"address", parts_->address}, {"version", KVS_VERSION}});
  return {};
}

void Server::open_service() {
  const Instant started = monotonic_now();
  figures_ = std::make_unique<FiguresCollector>(FiguresCollector::Parts{.door = *door_,
                                                                        .store = *store_,
                                                                        .node = *node_,
                                                                        .links = *links_,
                                                                        .log = log_,
                                                                        .started = started},
                                                door_->threads());
  backups_ = std::make_unique<BackupDesk>(BackupDesk::Parts{.store = *store_,
                                                            .sink = *sink_,
                                                            .log = log_,
                                                            .folder = config_.backup_folder,
                                                            .node_id = config_.node_id});
  parts_ = std::make_unique<ServiceParts>(ServiceParts{.config = config_,
                                                       .store = *store_,
                                                       .node = *node_,
                                                       .figures = *figures_,
                                                       .backups = *backups_,
                                                       .address = address_,
                                                       .started = started});
  door_->start([this](std::size_t thread) {
    return std::make_unique<Service>(*parts_, figures_->door(thread));
  });
}

Result<void> Server::open_door() {
  ConnectionLimits limits;
  limits.idle_timeout = config_.idle_timeout;
  door_ = KVS_TRY(HttpDoor::open({.host = config_.bind_address,
                                  .port = config_.port,
                                  .threads = config_.threads,
                                  .limits = limits}));
  sink_ = std::make_unique<DoorSink>(*door_);
  return {};
}

Result<void> Server::open_store() {
  store_ = KVS_TRY(Store::open({.data_dir = config_.data_dir,
                                .durability = config_.durability,
                                .cache_bytes = config_.cache_bytes}));
  report_store();
  return {};
}

/// What comes back is posted to a node that exists: nothing is called before it starts.
Result<void> Server::open_links() {
  PeerLinksOptions options;
  options.frame_bytes_max = peer_frame_bytes_max(config_.max_value_bytes);
  options.wire_options_of = [this](Instance instance) {
    return wire_options(node_->view()->find(instance));
  };
  links_ = KVS_TRY(PeerLinks::open(
      options, [this](std::vector<PeerReturn>& returns) { node_->post_all(returns); }));
  calls_ = std::make_unique<LinksSink>(*links_);
  return {};
}

void Server::report_store() const {
  const OpenReport& report = store_->open_report();
  if (report.created) {
    log_.info("a new data folder was made", {{"data_dir", config_.data_dir}});
  }
  if (!report.damage.empty()) {
    log_.error("the data folder was damaged: what is sound was kept, damaged logs too",
               {{"damage", report.damage},
                {"copy", report.damaged_copy},
                {"operations_lost", report.operations_lost}});
  }
  if (report.torn_tail) {
    log_.info("the write-ahead log ended in an unfinished batch, which was dropped");
  }
}

void Server::stop() {
  // From the door inwards: no new work, then what has begun, then the disk.
  door_->start_shutdown();
  door_->join();
  node_->stop();
  links_->stop();
  log_.info("the node has ended in good order");
}

std::vector<Heartbeat::Ask> Server::threads() {
  using Answer = std::function<void()>;
  std::vector<Heartbeat::Ask> threads;
  threads.reserve(door_->threads() + 2);
  for (std::size_t i = 0; i < door_->threads(); ++i) {
    threads.emplace_back([this, i](Answer answer) { door_->post(i, std::move(answer)); });
  }
  threads.emplace_back([this](Answer answer) { links_->post(std::move(answer)); });
  threads.emplace_back(
      [this](Answer answer) { node_->post(PulseErrand{.answer = std::move(answer)}); });
  return threads;
}

std::string Server::status() const {
  const NodeThreadStatus status = node_->status();
  const std::size_t members = status.view->live_count();
  return fmt::format("{} at {}: {}, {} live member{}{}", config_.node_id, address_,
                     to_string(status.node.mode), members, members == 1 ? "" : "s",
                     status.last_failure ? "; the last commit failed" : "");
}

/// Ends the process when a signal from outside comes during shutdown.
void end_at_once_on_signal(const Signals& signals) {
  std::thread([&signals] {
    for (int number = SIGHUP; number == SIGHUP || number == Signals::kLeft;) {
      number = signals.wait();
    }
    std::_Exit(kExitFailed);
  }).detach();
}

void reopen(Log& log) {
  if (const auto reopened = log.reopen(); !reopened) {
    log.error("the log file could not be opened anew", {{"error", reopened.error().detail}});
  }
}

void wait_for_end(const Signals& signals, Log& log, Heartbeat& heartbeat) {
  while (true) {
    heartbeat.begin_round();
    const std::optional<int> number = signals.wait_for(heartbeat.interval());
    if (number == SIGHUP) {
      reopen(log);
    } else if (number) {
      return;
    }
  }
}

}  // namespace

int serve(const Config& config, const std::string& config_path) {
  static const Signals kSignals;  // outlives the thread that waits for a second signal
  const auto log = Log::open({.level = config.log_level, .file = config.log_file});
  if (!log) {
    return failed(log.error());
  }
  (*log)->debug("configured", {{"config", config_path}});
  const SupervisorOptions supervised = supervisor_options();
  const Supervisor supervisor(supervised);
  supervisor.tell("STATUS=opening the data folder");
  Server server(config, **log);
  if (const auto started = server.start(); !started) {
    return failed(started.error());
  }
  Heartbeat heartbeat({.supervisor = supervisor,
                       .watchdog = supervised.watchdog,
                       .status =
                           [&server] {
                             return server.status();
                           }},
                      server.threads());
  wait_for_end(kSignals, **log, heartbeat);
  heartbeat.stop();
  end_at_once_on_signal(kSignals);
  server.stop();
  return 0;
}

}  // namespace kvs
