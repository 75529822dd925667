#include "app/service.h"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/call.h"
#include "core/members.h"
#include "io/os.h"
#include "support/recording_sinks.h"
#include "support/temporary_folder.h"

namespace kvs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RecordingSinks;
using ::testing::StartsWith;

constexpr Instance kPeer{99};

/// A service over a node of its own, whose peers are played by the test.
class ServiceTest : public ::testing::Test {
 protected:
  ~ServiceTest() override {
    if (node_) {
      node_->stop();
    }
  }

  void start(std::vector<std::string> seeds) {
    NodeOptions options;
    options.members.node_id = config_.node_id = "n1";
    options.members.address = "127.0.0.1:1";
    options.members.seeds = std::move(seeds);
    store_ =
        Store::open({.data_dir = folder_.path() + "/data", .durability = Durability::os}).value();
    door_ = HttpDoor::open({.host = "127.0.0.1", .port = 0, .threads = 1}).value();
    node_ = std::make_unique<NodeThread>(options, store_->recovered(),
                                         NodeThread::Parts{.records = *store_,
                                                           .committer = *store_,
                                                           .sink = sinks_,
                                                           .calls = sinks_,
                                                           .log = *log_,
                                                           .fatal = [](const Error& error) {
                                                             ADD_FAILURE() << error.detail;
                                                           }});
    links_ = PeerLinks::open({}, [](std::vector<PeerReturn>& /*returns*/) {}).value();
    ASSERT_TRUE(node_->start());
    figures_ =
        std::make_unique<FiguresCollector>(FiguresCollector::Parts{.door = *door_,
                                                                   .store = *store_,
                                                                   .node = *node_,
                                                                   .links = *links_,
                                                                   .log = *log_,
                                                                   .started = monotonic_now()},
                                           1);
    backups_ = std::make_unique<BackupDesk>(BackupDesk::Parts{.store = *store_,
                                                              .sink = sinks_,
                                                              .log = *log_,
                                                              .folder = config_.backup_folder,
                                                              .node_id = "n1"});
    parts_ = std::make_unique<ServiceParts>(ServiceParts{.config = config_,
                                                         .store = *store_,
                                                         .node = *node_,
                                                         .figures = *figures_,
                                                         .backups = *backups_,
                                                         .address = "127.0.0.1:1",
                                                         .started = monotonic_now()});
    service_ = std::make_unique<Service>(*parts_, figures_->door(0));
  }

  /// A new node whose only seed lets it in and is the member to fetch from.
  void start_new_member() {
    start({"127.0.0.9:1"});
    const PeerSend join = wait_for_call<Join>();
    Member peer;
    peer.instance = kPeer;
    peer.node_id = "peer";
    peer.address = "127.0.0.9:1";
    peer.incarnation = 1;
    peer.run = 5;
    give(join, MemberRows{.rows = {peer}});
    wait_for_call<AskPage>();  // which is never answered: the fill goes on for ever
  }

  /// The next call of this kind.
  template <class Request>
  PeerSend wait_for_call() {
    for (;; ++calls_seen_) {
      const std::vector<PeerSend> sends = sinks_.sends().wait_for(calls_seen_ + 1);
      if (std::holds_alternative<Request>(*sends[calls_seen_].request)) {
        return sends[calls_seen_++];
      }
    }
  }

  void give(const PeerSend& send, PeerAnswer answer) {
    post({.id = send.id,
          .envelope = {.cluster = cluster_hash(""), .sender = kPeer, .sender_run = 5},
          .answer = std::move(answer)});
  }

  void lose(const PeerSend& send) {
    post({.id = send.id, .failure = PeerReturn::Failure::timed_out, .envelope = {}, .answer = {}});
  }

  void post(PeerReturn returned) {
    std::vector<PeerReturn> returns;
    returns.push_back(std::move(returned));
    node_->post_all(returns);
  }

  /// Hands a request over; `out()` is the answer, if it was answered at once.
  Handled request(std::string_view line, std::string_view fields = "", std::string_view body = "") {
    input_ = std::string(line).append(" HTTP/1.1\r\nHost: x\r\n").append(fields).append("\r\n");
    HeadScan scan;
    EXPECT_TRUE(parse_request_head(input_, {}, scan, head_).complete());
    out_.clear();
    return service_->handle(
        {.head = head_, .body = body, .ticket = Ticket{1}, .now = monotonic_now()}, target());
  }

  Handled batch(std::string_view target, std::string_view operations) {
    const std::string body = "{\"operations\":" + std::string(operations) + "}";
    return request(
        "POST " + std::string(target),
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n",
        body);
  }

  /// One turn of a stream: its outcomes, if it waits for some, then a fill.
  BodySource::Status turn(BodySource& source, BodySource::Status before, std::string& out) {
    if (before == BodySource::Status::waiting) {
      const std::vector<Reply> replies = sinks_.replies().wait_for(writes_seen_ + 1);
      for (; writes_seen_ < replies.size(); ++writes_seen_) {
        EXPECT_EQ(replies[writes_seen_].ticket, Ticket{1});
        source.complete(replies[writes_seen_].outcome);
      }
    }
    return source.fill(out, 64U << 10U, monotonic_now());
  }

  /// The whole answer of a stream that gives its own head.
  std::string streamed(const Handled& handled) {
    EXPECT_EQ(handled.kind, Handled::Kind::framing) << out_;
    EXPECT_EQ(out_, "");
    std::string out;
    auto status = BodySource::Status::more;
    while (handled.source && status != BodySource::Status::done) {
      status = turn(*handled.source, status, out);
    }
    return out;
  }

  void put_many(std::size_t count) {
    std::vector<WriteRequest> requests;
    for (std::size_t n = 0; n < count; ++n) {
      const std::string key = "many/" + std::to_string(n);
      requests.emplace_back(
          WriteCommand{.ticket = Ticket{1}, .key = Key::from_store(key), .value = "1"},
          monotonic_now());
    }
    node_->post_all(requests);
    sinks_.replies().wait_for(writes_seen_ += count);
  }

  [[nodiscard]] bool holds(std::string_view key) const {
    const auto found = store_->get(Key::from_store(key)).value();
    return found && found.live();
  }

  /// Answers a request that was left pending, from the node's next reply.
  std::string completed(const Handled& handled) {
    const PeerReply reply = sinks_.peer_replies().wait_for(replies_seen_ + 1).at(replies_seen_);
    ++replies_seen_;
    EXPECT_EQ(reply.ticket, Ticket{1});
    AnswerTarget to = target();
    to.form = handled.form;
    to.memo = handled.memo.get();
    service_->complete_call(reply, to);
    return out_;
  }

  AnswerTarget target() {
    return {.out = out_,
            .persistence = Persistence::implicit,
            .stream_framing = StreamFraming::chunked,
            .head_only = head_.method == Method::head};
  }

  PeerRecord record(std::string path, std::string value) {
    PeerRecord made{.path = std::move(path), .record = {}, .replaced = {}};
    made.record.header.version = {
        .stamp = Stamp::from_ms(1'700'000'000'000),
        .verdict = {},
        .uuid = parse_uuid("a1b2c3d4-e5f6-4890-9234-567890abcdef").value(),
        .dot = {.origin = Origin{3}, .seq = ++records_}};
    made.record.value = std::move(value);
    return made;
  }

  TemporaryFolder folder_;
  Config config_;
  std::unique_ptr<Log> log_ = Log::silent();
  RecordingSinks sinks_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<HttpDoor> door_;
  std::unique_ptr<PeerLinks> links_;
  std::unique_ptr<NodeThread> node_;
  std::unique_ptr<FiguresCollector> figures_;
  std::unique_ptr<BackupDesk> backups_;
  std::unique_ptr<ServiceParts> parts_;
  std::unique_ptr<Service> service_;
  std::string input_;
  std::string out_;
  RequestHead head_;
  std::size_t calls_seen_ = 0;
  std::size_t replies_seen_ = 0;
  std::size_t writes_seen_ = 0;
  std::uint64_t records_ = 0;
};

TEST_F(ServiceTest, WhereNothingIsMissingAnAbsentKeyIs404AtOnce) {
  start({});
  EXPECT_EQ(request("GET /kv/a").kind, Handled::Kind::answered);
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(out_, Not(HasSubstr("X-KVS-Source")));
  request("GET /kv/");
  EXPECT_THAT(out_, Not(HasSubstr("X-KVS-Source")));
}

TEST_F(ServiceTest, WhatIsMissingWhileTheNodeFillsIsReadFromAnotherMember) {
  start_new_member();
  const Handled handled = request("GET /kv/a/b");
  ASSERT_EQ(handled.kind, Handled::Kind::pending_alone);
  EXPECT_EQ(out_, "");
  const PeerSend fetch = wait_for_call<Fetch>();
  EXPECT_THAT(std::get<Fetch>(*fetch.request).paths, ElementsAre("a/b"));
  EXPECT_EQ(fetch.address, "127.0.0.9:1");
  give(fetch, Fetched{.records = {record("a/b", R"({"x":1})")}});
  const std::string answer = completed(handled);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-KVS-Source: proxy\r\n"));
  EXPECT_THAT(answer, HasSubstr("ETag: \"a1b2c3d4-e5f6-4890-9234-567890abcdef\""));
  EXPECT_THAT(answer, HasSubstr("X-KVS-Timestamp: 1700000000000"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n{\"x\":1}"));
  EXPECT_EQ(figures_->door(0).read().answers[0][status_index(200)], 1U);
}

TEST_F(ServiceTest, OptionsOfAReadHoldForWhatIsFetchedToo) {
  start_new_member();
  Handled handled = request("GET /kv/a?meta=true");
  give(wait_for_call<Fetch>(), Fetched{.records = {record("a", "1")}});
  EXPECT_THAT(completed(handled), HasSubstr(R"({"path":"a","uuid":"a1b2c3d4-)"));
  handled = request("HEAD /kv/b");
  give(wait_for_call<Fetch>(), Fetched{.records = {record("b", "12345")}});
  const std::string to_head = completed(handled);
  EXPECT_THAT(to_head, HasSubstr("Content-Length: 5"));
  EXPECT_THAT(to_head, ::testing::EndsWith("\r\n\r\n"));
  handled =
      request("GET /kv/c", "If-None-Match: \"x\", \"a1b2c3d4-e5f6-4890-9234-567890abcdef\"\r\n");
  input_.assign(input_.size(), '?');  // a connection uses its buffer again meanwhile
  give(wait_for_call<Fetch>(), Fetched{.records = {record("c", "1")}});
  EXPECT_THAT(completed(handled), StartsWith("HTTP/1.1 304"));
  handled = request("GET /kv/d", "If-Match: \"00000000-0000-4000-8000-000000000000\"\r\n");
  give(wait_for_call<Fetch>(), Fetched{.records = {record("d", "1")}});
  EXPECT_THAT(completed(handled), StartsWith("HTTP/1.1 412"));
}

TEST_F(ServiceTest, WhatAnotherMemberDoesNotHoldOrHoldsDeletedIs404) {
  start_new_member();
  Handled handled = request("GET /kv/a");
  give(wait_for_call<Fetch>(), Fetched{});
  std::string answer = completed(handled);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(answer, HasSubstr("X-KVS-Source: proxy"));
  handled = request("GET /kv/a");
  PeerRecord tombstone = record("a", "");
  tombstone.record.header.kind = RecordKind::tombstone;
  give(wait_for_call<Fetch>(), Fetched{.records = {tombstone}});
  answer = completed(handled);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404"));
}

TEST_F(ServiceTest, IfNobodyCanTellItIs503) {
  start_new_member();
  const Handled handled = request("GET /kv/a");
  lose(wait_for_call<Fetch>());
  const std::string answer = completed(handled);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 5"));
  EXPECT_THAT(answer, HasSubstr(R"("code":"syncing")"));
  EXPECT_THAT(answer, Not(HasSubstr("X-KVS-Source")));
}

TEST_F(ServiceTest, MetricsShowEachPeerOnce) {
  start_new_member();
  request("GET /metrics");
  EXPECT_THAT(out_, HasSubstr("\nkvs_members{state=\"alive\"} 2\n"));
  EXPECT_THAT(out_, HasSubstr("\nkvs_peer_writes_owed{peer=\"peer\"} 0\n"));
  EXPECT_THAT(out_, HasSubstr("\nkvs_fill_complete 0\n"));
}

TEST_F(ServiceTest, LostRecordsAreListed) {
  start({});
  request("GET /cluster/lost");
  EXPECT_THAT(out_, ::testing::EndsWith("\r\n\r\n{\"lost\":[]}"));
}

TEST_F(ServiceTest, VerdictsAreListed) {
  start({});
  request("GET /cluster/verdicts");
  EXPECT_THAT(out_, ::testing::EndsWith("\r\n\r\n{\"verdicts\":[]}"));
}

TEST_F(ServiceTest, TheConsoleIsServed) {
  start({});
  request("GET /ui/");
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(out_, HasSubstr("\r\nContent-Security-Policy: default-src 'none'; "));
  request("GET /ui/main.js");
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/javascript;"));
  const std::size_t tag = out_.find("ETag: ") + 6;
  const std::string etag = out_.substr(tag, out_.find('\r', tag) - tag);
  request("GET /ui/main.js", "If-None-Match: " + etag + "\r\n");
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 304 "));
  request("GET /ui/console.css", "If-None-Match: " + etag + "\r\n");
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/css;"));
  request("GET /ui");
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 308 Permanent Redirect\r\nLocation: /ui/\r\n"));
  for (const char* line :
       {"GET /ui/none.js", "GET /ui/index.html", "GET /ui/../health", "GET /uix"}) {
    request(line);
    EXPECT_THAT(out_, StartsWith("HTTP/1.1 404 ")) << line;
  }
}

TEST_F(ServiceTest, AListingSaysThatItIsNotWhole) {
  start_new_member();
  EXPECT_EQ(request("GET /kv/").kind, Handled::Kind::answered);
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(out_, HasSubstr("X-KVS-Source: partial"));
}

// Many keys at once

TEST_F(ServiceTest, ABatchDoesAllInItsOrder) {
  start({});
  const std::string answer = streamed(batch(
      "/kv/a/?batch",
      R"([{"op":"get","path":"k"},{"op":"put","path":"k","data":[1, 2]},{"op":"get","path":"k"},)"
      R"({"op":"put","path":"k","data":3,"if_none_match":"*"},{"op":"put","path":"b//","data":1},)"
      R"({"op":"delete","path":"none"},{"op":"put","path":"k","data":4},{"op":"get","path":"k"},)"
      R"({"op":"delete","path":"k"},{"op":"get","path":"k"}])"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-"
                                 "Length: "));
  std::vector<std::string> statuses;
  for (std::size_t at = answer.find(R"("status":)"); at != std::string::npos;
       at = answer.find(R"("status":)", at + 1)) {
    statuses.push_back(answer.substr(at + 9, 3));
  }
  EXPECT_THAT(statuses,
              ElementsAre("404", "201", "200", "412", "400", "404", "200", "200", "204", "404"));
  EXPECT_THAT(answer, HasSubstr(R"("data":[1, 2]})"));
  EXPECT_THAT(answer, HasSubstr(R"("data":4})"));
  EXPECT_EQ(figures_->door(0).read().answers[static_cast<std::size_t>(Route::batch)][0], 1U);
}

TEST_F(ServiceTest, AMalformedBatchChangesNothing) {
  start({});
  EXPECT_EQ(
      batch("/kv/?batch", R"([{"op":"put","path":"a","data":1},{"op":"put","path":"b"}])").kind,
      Handled::Kind::answered);
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(out_, HasSubstr(R"("code":"bad_request")"));
  EXPECT_EQ(node_->status().node.replica.records_written, 0U);
  EXPECT_FALSE(holds("a"));
}

TEST_F(ServiceTest, AClientThatGoesAwayEndsItsBatch) {
  start({});
  Handled handled =
      batch("/kv/?batch", R"([{"op":"put","path":"a","data":1},{"op":"get","path":"a"},)"
                          R"({"op":"put","path":"b","data":1}])");
  std::string out;
  EXPECT_EQ(handled.source->fill(out, 1000, monotonic_now()), BodySource::Status::waiting);
  handled.source.reset();
  sinks_.replies().wait_for(1);
  EXPECT_TRUE(holds("a"));
  node_->stop();
  EXPECT_EQ(sinks_.replies().size(), 1U) << "what was not posted does not happen";
  EXPECT_FALSE(holds("b"));
  node_.reset();
}

TEST_F(ServiceTest, ALargeBatchGoesInParts) {
  start({});
  constexpr std::size_t kOperations = 2 * kBatchWritesAtOnce + 10;
  std::string operations = "[";
  for (std::size_t n = 0; n < kOperations; ++n) {
    operations += fmt::format(R"({{"op":"put","path":"{}","data":{}}},)", n, n);
  }
  operations.back() = ']';
  Handled handled = batch("/kv/?batch", operations);
  std::string out;
  EXPECT_EQ(handled.source->fill(out, 1000, monotonic_now()), BodySource::Status::waiting);
  EXPECT_EQ(sinks_.replies().wait_for(kBatchWritesAtOnce).size(), kBatchWritesAtOnce);
  auto status = BodySource::Status::waiting;
  while (status != BodySource::Status::done) {
    status = turn(*handled.source, status, out);
  }
  EXPECT_THAT(out, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(out, ::testing::EndsWith("}]}\r\n0\r\n\r\n"));
  EXPECT_EQ(writes_seen_, kOperations);
  EXPECT_TRUE(holds(std::to_string(kOperations - 1)));
}

TEST_F(ServiceTest, WhatBatchesHoldIsBounded) {
  start({});
  const std::string value(std::size_t{1} << 20U, '1');
  std::string operations = "[";
  for (int n = 0; n < 7; ++n) {
    operations += fmt::format(R"({{"op":"put","path":"{}","data":{}}},)", n, value);
  }
  operations.back() = ']';
  std::vector<Handled> under_way;
  constexpr std::size_t kMore = 20;  // than fit
  while (under_way.size() < kMore) {
    Handled handled = batch("/kv/?batch", operations);
    if (handled.kind == Handled::Kind::answered) {
      break;
    }
    under_way.push_back(std::move(handled));
  }
  EXPECT_LT(under_way.size(), kMore);
  EXPECT_GT(under_way.size(), 5U);
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(out_, HasSubstr(R"("code":"overloaded")"));
  under_way.clear();
  EXPECT_EQ(node_->status().node.replica.records_written, 0U);
  EXPECT_THAT(streamed(batch("/kv/?batch", operations)), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServiceTest, WhileTheNodeFillsABatchDoesWhatIsPossible) {
  start_new_member();
  const std::string answer = streamed(
      batch("/kv/?batch", R"([{"op":"get","path":"a"},{"op":"put","path":"b","data":1}])"));
  EXPECT_THAT(answer, HasSubstr(R"({"status":503,"error":{"code":"syncing")"));
  request("DELETE /kv/a/?recursive=true");
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(out_, HasSubstr(R"("code":"syncing")"));
}

TEST_F(ServiceTest, ARecursiveDeleteDeletesWhatIsBelow) {
  start({});
  put_many(3000);
  const std::string kept = streamed(
      batch("/kv/?batch",
            R"([{"op":"put","path":"many","data":1},{"op":"put","path":"many0/a","data":1},)"
            R"({"op":"delete","path":"many/7"}])"));
  EXPECT_THAT(kept, StartsWith("HTTP/1.1 200"));
  const std::string answer = streamed(request("DELETE /kv/many/?recursive=true"));
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(answer, HasSubstr("{\"deleted\":2999}\n"));
  EXPECT_FALSE(holds("many/0"));
  EXPECT_FALSE(holds("many/2999"));
  EXPECT_TRUE(holds("many"));
  EXPECT_TRUE(holds("many0/a"));
  const std::string again = streamed(request("DELETE /kv/many/?recursive=true"));
  EXPECT_THAT(again, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(again, ::testing::EndsWith("\r\n\r\n{\"deleted\":0}\n"));
  EXPECT_EQ(figures_->door(0).read().answers[static_cast<std::size_t>(Route::delete_below)][0], 2U);
}

TEST_F(ServiceTest, ARecursiveDeleteLeavesWhatIsWrittenMeanwhile) {
  start({});
  put_many(3000);
  const Handled handled = request("DELETE /kv/many/?recursive=true&progress=true");
  std::string out;
  auto status = turn(*handled.source, BodySource::Status::more, out);  // the first are under way
  put_many(3000);  // and their outcomes not seen
  writes_seen_ -= 3000;
  while (status != BodySource::Status::done) {
    // Those of the puts stand among the replies: only what was posted by the stream is its own.
    const std::vector<Reply> replies = sinks_.replies().wait_for(writes_seen_ + 1);
    for (; writes_seen_ < replies.size(); ++writes_seen_) {
      const WriteStatus outcome = replies[writes_seen_].outcome.status;
      if (outcome != WriteStatus::created && outcome != WriteStatus::replaced) {
        handled.source->complete(replies[writes_seen_].outcome);
      }
    }
    status = handled.source->fill(out, 1000, monotonic_now());
  }
  EXPECT_THAT(out, HasSubstr("application/x-ndjson"));
  EXPECT_THAT(out, HasSubstr("\"kept\":"));
  EXPECT_THAT(out, HasSubstr("\"done\":true}\n"));
  EXPECT_TRUE(holds("many/0")) << "deleted, then written anew";
  EXPECT_TRUE(holds("many/999")) << "the last of all: written before its delete came";
}

TEST_F(ServiceTest, AClientThatGoesAwayEndsItsDelete) {
  start({});
  put_many(5000);
  Handled handled = request("DELETE /kv/?recursive=true&everything=true");
  std::string out;
  EXPECT_EQ(handled.source->fill(out, 1000, monotonic_now()), BodySource::Status::more);
  EXPECT_EQ(handled.source->fill(out, 1000, monotonic_now()), BodySource::Status::waiting);
  handled.source.reset();
  node_->stop();
  EXPECT_EQ(sinks_.replies().size(), 5000U + 1024U);
  node_.reset();
}

WriteOutcome refused(WriteStatus status) {
  return {.status = status, .uuid = {}, .stamp = {}};
}

TEST_F(ServiceTest, ADeleteThatFailsAtOnceHasTheStatusOfItsError) {
  start({});
  put_many(700);
  const Handled handled = request("DELETE /kv/many/?recursive=true&progress=true");
  std::string out;
  EXPECT_EQ(handled.source->fill(out, 1000, monotonic_now()), BodySource::Status::more);
  EXPECT_EQ(handled.source->fill(out, 1000, monotonic_now()), BodySource::Status::waiting);
  for (int n = 0; n < 700; ++n) {
    handled.source->complete(refused(WriteStatus::disk_full));
  }
  EXPECT_EQ(handled.source->fill(out, 1000, monotonic_now()), BodySource::Status::done);
  EXPECT_THAT(out, StartsWith("HTTP/1.1 507"));
  EXPECT_THAT(out, HasSubstr("\r\nContent-Type: application/json\r\nRetry-After: 10\r\n"));
  EXPECT_THAT(out, HasSubstr(R"({"deleted":0,"error":{"code":"disk_full",)"));
}

TEST_F(ServiceTest, ADeleteThatFailsMidwaySaysHowFarItCame) {
  start({});
  put_many(3000);
  const Handled handled = request("DELETE /kv/many/?recursive=true");
  std::string out;
  auto status = turn(*handled.source, BodySource::Status::more, out);
  status = turn(*handled.source, status, out);
  ASSERT_EQ(status, BodySource::Status::waiting) << "1024 are under way";
  for (int n = 0; n < 512; ++n) {
    handled.source->complete(refused(WriteStatus::deleted));
  }
  status = handled.source->fill(out, 1000, monotonic_now());
  ASSERT_EQ(status, BodySource::Status::waiting);
  for (int n = 0; n < 1024; ++n) {
    handled.source->complete(refused(n == 0 ? WriteStatus::deleted : WriteStatus::io_error));
  }
  EXPECT_EQ(handled.source->fill(out, 1000, monotonic_now()), BodySource::Status::done);
  EXPECT_THAT(out, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(out, HasSubstr(R"({"deleted":513,"error":{"code":"io_error",)"));
}

TEST_F(ServiceTest, ABackupIsMadeWhereTheConfigurationSays) {
  config_.backup_folder = folder_.path() + "/backups";
  start({});
  const std::string_view type = "Content-Type: application/json\r\n";
  const Handled handled = request("POST /backup", type, R"({"name":"a"})");
  EXPECT_EQ(handled.kind, Handled::Kind::pending_alone);
  std::string answer = completed(handled);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201"));
  EXPECT_THAT(answer, HasSubstr(R"("path":")" + config_.backup_folder + R"(/a")"));
  EXPECT_TRUE(std::filesystem::exists(config_.backup_folder + "/a/BACKUP"));
  answer = completed(request("POST /backup", type, R"({"name":"a"})"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 409"));
}

TEST_F(ServiceTest, WithoutAFolderThereAreNoBackups) {
  start({});
  request("POST /backup", "Content-Type: application/json\r\n", R"({"name":"a"})");
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 404"));
}

TEST_F(ServiceTest, ANodeThatStillFetchesMakesNoBackup) {
  config_.backup_folder = folder_.path() + "/backups";
  start_new_member();
  request("POST /backup", "Content-Type: application/json\r\n", R"({"name":"a"})");
  EXPECT_THAT(out_, StartsWith("HTTP/1.1 503"));
  EXPECT_FALSE(std::filesystem::exists(config_.backup_folder));
}

}  // namespace
}  // namespace kvs
