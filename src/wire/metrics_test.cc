#include "wire/metrics.h"

#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvs {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string render(const Figures& figures) {
  std::string out;
  append_metrics(figures, out);
  return out;
}

Figures some_figures() {
  Figures figures;
  figures.process.version = "1.2.3";
  figures.process.uptime_ms = 2500;
  figures.requests.answers[static_cast<std::size_t>(Route::get)][status_index(404)] = 7;
  figures.requests.micros[static_cast<std::size_t>(Route::get)].add(3);
  figures.requests.micros[static_cast<std::size_t>(Route::get)].add(2'000'000'000);
  figures.node.batch_writes.add(64);
  figures.node.mode = Mode::read_only;
  figures.store.cache_hits = 11;
  figures.cluster.members = {3, 1, 2};
  figures.cluster.peers.push_back({.node_id = "node\"b",
                                   .writes_behind = 12,
                                   .writes_owed = 5,
                                   .fingerprints_agree = false,
                                   .last_seen_ms = 1500,
                                   .clock_ahead_ms = -250,
                                   .round_trip = Duration::from_ms(2)});
  figures.cluster.peers.push_back({.node_id = "new"});
  figures.cluster.node.sync.sessions[1].ties = 3;
  figures.cluster.node.sync.sessions[1].failed = 4;
  figures.cluster.node.sync.failed_for[0] = 4;
  figures.cluster.node.ballots.by_oldest = 6;
  figures.cluster.node.replica.dropped_live = 8;
  figures.cluster.channels[2].bytes_sent = 99;
  return figures;
}

TEST(Metrics, CountsRequestsByRouteAndStatus) {
  const std::string text = render(some_figures());
  EXPECT_THAT(text, HasSubstr("\nkvs_http_requests_total{route=\"get\",status=\"404\"} 7\n"));
  EXPECT_THAT(text, Not(HasSubstr("status=\"200\"")));
}

TEST(Metrics, HistogramsAreCumulativeAndEndAtInfinity) {
  const std::string text = render(some_figures());
  const std::string name = "\nkvs_http_request_duration_seconds";
  EXPECT_THAT(text, HasSubstr(name + "_bucket{route=\"get\",le=\"2e-06\"} 0\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{route=\"get\",le=\"4e-06\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{route=\"get\",le=\"33.554432\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{route=\"get\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(name + "_sum{route=\"get\"} 2000.000003\n"));
  EXPECT_THAT(text, HasSubstr(name + "_count{route=\"get\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_batch_writes_bucket{le=\"63\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_batch_writes_bucket{le=\"127\"} 1\n"));
}

TEST(Metrics, ShowsTheModeAndTheVersion) {
  const std::string text = render(some_figures());
  EXPECT_THAT(text, HasSubstr("\nkvs_mode{mode=\"normal\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_mode{mode=\"read-only\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_uptime_seconds 2.5\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_cache_hits_total 11\n"));
}

TEST(Metrics, ShowsTheCluster) {
  const std::string text = render(some_figures());
  EXPECT_THAT(text, HasSubstr("\nkvs_members{state=\"suspect\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_peer_writes_behind{peer=\"node\\\"b\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_peer_fingerprints_agree{peer=\"node\\\"b\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_peer_clock_ahead_seconds{peer=\"node\\\"b\"} -0.25\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_peer_round_trip_seconds{peer=\"node\\\"b\"} 0.002\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_exchanges_total{kind=\"catch-up\",end=\"ties\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_exchanges_total{kind=\"catch-up\",end=\"failed\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_exchanges_failed_total{reason=\"no_answer\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_ballots_settled_total{by=\"oldest\"} 6\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_records_dropped_total{kind=\"live\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_peer_sent_bytes_total{channel=\"bulk\"} 99\n"));
}

TEST(Metrics, WhatIsNotKnownOfAPeerIsNotShown) {
  const std::string text = render(some_figures());
  EXPECT_THAT(text, HasSubstr("\nkvs_peer_writes_owed{peer=\"new\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("kvs_peer_writes_behind{peer=\"new\"}")));
  EXPECT_THAT(text, Not(HasSubstr("kvs_peer_fingerprints_agree{peer=\"new\"}")));
}

/// The family that a sample belongs to.
std::string family_of(std::string name) {
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
    if (name.ends_with(suffix)) {
      name.resize(name.size() - suffix.size());
      break;
    }
  }
  return name;
}

TEST(Metrics, EveryFamilyIsDescribedOnceBeforeItsSamples) {
  std::istringstream lines(render(some_figures()));
  std::map<std::string, std::string> types;
  std::set<std::string> samples;
  std::string current;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first, second, third, type;
    words >> first >> second >> third >> type;
    if (first == "#" && second == "HELP") {
      EXPECT_TRUE(types.emplace(third, "").second) << third << " stands twice";
      EXPECT_FALSE(type.empty()) << third << " has no help";
      current = third;
    } else if (first == "#") {
      EXPECT_EQ(second, "TYPE");
      EXPECT_EQ(third, current);
      types[third] = type;
    } else {
      const std::string name = first.substr(0, first.find('{'));
      const bool histogram = types[current] == "histogram";
      EXPECT_EQ(histogram ? family_of(name) : name, current) << line;
      EXPECT_TRUE(samples.insert(first).second) << first << " stands twice";
      EXPECT_EQ(types[current] == "counter", current.ends_with("_total")) << line;
      EXPECT_TRUE(name.starts_with("kvs_")) << line;
    }
  }
  EXPECT_GT(samples.size(), 200U);
}

TEST(Metrics, ReadsTheStatusOfAnAnswer) {
  EXPECT_EQ(answered_status("HTTP/1.1 200 OK\r\n"), 200U);
  EXPECT_EQ(answered_status("HTTP/1.1 507 Insufficient Storage\r\n\r\n"), 507U);
  EXPECT_EQ(answered_status("HTTP/1.1 20"), 0U);
  EXPECT_EQ(answered_status("HTTP/1.1 2x0 "), 0U);
  EXPECT_EQ(answered_status(""), 0U);
}

TEST(Metrics, EveryStatusOfTheApiHasACounter) {
  for (int code = 0; code <= static_cast<int>(Errc::address_unusable); ++code) {
    const unsigned status = http_status(static_cast<Errc>(code));
    EXPECT_EQ(kCountedStatuses[status_index(status)], status);
  }
  for (const unsigned status : {200U, 201U, 204U, 304U}) {
    EXPECT_EQ(kCountedStatuses[status_index(status)], status);
  }
  EXPECT_EQ(status_index(299), kCountedStatuses.size() - 1);
  EXPECT_EQ(status_index(999), kCountedStatuses.size() - 1);
  EXPECT_EQ(status_index(0), kCountedStatuses.size() - 1);
}

TEST(Metrics, EveryRequestHasARoute) {
  EXPECT_EQ(route_of(GetHealth{}), Route::health);
  EXPECT_EQ(route_of(GetMetrics{}), Route::metrics);
  EXPECT_EQ(route_of(GetMembers{}), Route::members);
  EXPECT_EQ(route_of(GetLost{}), Route::members);
  EXPECT_EQ(route_of(GetVerdicts{}), Route::members);
  EXPECT_EQ(route_of(GetConsole{}), Route::other);
  EXPECT_EQ(route_of(Moved{}), Route::other);
  EXPECT_EQ(route_of(ListKeys{}), Route::list);
  EXPECT_EQ(route_of(GetOptions{}), Route::other);
  EXPECT_EQ(route_of(WriteCommand{.key = Key::from_store("a"), .value = {}, .condition = {}}),
            Route::write);
  EXPECT_EQ(to_string(Route::write), "write");
}

TEST(Metrics, FiguresOfDoorsAddUp) {
  Figures all = some_figures();
  all.requests.add(some_figures().requests);
  all.connections.open = 1;
  all.connections.add({.accepted = 5,
                       .refused = 1,
                       .open = 2,
                       .received_bytes = 10,
                       .sent_bytes = 20,
                       .input_bytes = 3,
                       .output_bytes = 4});
  const std::string text = render(all);
  EXPECT_THAT(text, HasSubstr("{route=\"get\",status=\"404\"} 14\n"));
  EXPECT_THAT(text, HasSubstr("_count{route=\"get\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_connections_open 3\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_connections_accepted_total 5\n"));
  EXPECT_THAT(text, HasSubstr("\nkvs_connection_output_bytes 4\n"));
}

}  // namespace
}  // namespace kvs
