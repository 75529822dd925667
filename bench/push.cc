// kvs-push: what a node takes in from its peers, and what its store alone commits.
//
// Speaks the peers' protocol: sends numbered records in Push frames on several connections, one
// frame under way on each, as fast as they are acknowledged. With --store it commits the same
// records in batches of the same size to a store in that folder instead. The last line on standard
// output is one JSON object with the figures.
#include <chrono>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "base/prng.h"
#include "core/effects.h"
#include "core/members.h"
#include "core/peer_message.h"
#include "io/store.h"
#include "wire/peer_codec.h"
#include "wire/peer_http.h"

namespace kvs {
namespace {

using Clock = std::chrono::steady_clock;
using boost::asio::ip::tcp;

constexpr std::size_t kAnswerBytesMax = std::size_t{1} << 20U;

struct Options {
  std::string target;
  std::string store;
  std::string cluster = "kvs";
  std::uint64_t count = 400'000;
  std::uint64_t frame = 512;
  std::uint64_t size = 100;
  std::uint64_t lanes = 4;
};

/// One origin's records, in frames.
struct Lane {
  Origin origin{};
  std::vector<std::vector<PeerRecord>> frames;
};

std::string make_value(Prng& prng, std::size_t size) {
  std::string value = "\"";
  while (value.size() + 1 < size) {
    value += fmt::format("{:016x}", prng.next());
  }
  value.resize(std::max<std::size_t>(size, 2) - 1);
  return value + "\"";
}

Lane make_lane(const Options& options, std::uint64_t number) {
  Prng prng{number + 1};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  Lane lane{.origin = Origin{prng.next() | 1U}, .frames = {}};
  const std::uint64_t count = options.count / options.lanes;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i % options.frame == 0) {
      lane.frames.emplace_back();
    }
    const Version version{.stamp = Stamp::from_ms(wall_ms),
                          .verdict = {},
                          .uuid = make_uuid(prng),
                          .dot = {.origin = lane.origin, .seq = i + 1}};
    lane.frames.back().push_back(
        {.path = fmt::format("lane{}/{:08}/profile", number, i),
         .record = {.header = {.version = version, .kind = RecordKind::value},
                    .value = make_value(prng, options.size)},
         .replaced = {}});
  }
  return lane;
}

class Sender {
 public:
  Sender(const Options& options, const Lane& lane) : socket_(context_), answers_(kAnswerBytesMax) {
    const auto colon = options.target.rfind(':');
    tcp::resolver resolver(context_);
    boost::asio::connect(socket_, resolver.resolve(options.target.substr(0, colon),
                                                   options.target.substr(colon + 1)));
    socket_.set_option(tcp::no_delay(true));
    const PeerEnvelope envelope{.cluster = cluster_hash(options.cluster),
                                .sender = Instance{static_cast<std::uint64_t>(lane.origin)},
                                .sender_run = 1,
                                .receiver = Instance{0},
                                .wall_ms = 0};
    for (const std::vector<PeerRecord>& records : lane.frames) {
      const PeerRequest push = Push{.records = records, .stretch = {}};
      std::string& request = requests_.emplace_back();
      append_peer_request(path_of(push), options.target,
                          encode(envelope, push, {.peer_features = kFeatureZstd}), request);
    }
  }

  void run() {
    for (const std::string& request : requests_) {
      boost::asio::write(socket_, boost::asio::buffer(request));
      expect_done();
    }
  }

 private:
  void expect_done() {
    while (answers_.state() == PeerResponseReader::State::need_more) {
      const std::size_t got = socket_.read_some(boost::asio::buffer(buffer_));
      answers_.take({buffer_.data(), got});
    }
    if (answers_.state() == PeerResponseReader::State::failed) {
      throw std::runtime_error(answers_.error().detail);
    }
    const PeerResponse response = answers_.take_response();
    const auto answer = decode_answer(response.body);
    if (!answer || !std::holds_alternative<Done>(answer->message)) {
      const auto* refused = answer ? std::get_if<Refused>(&answer->message) : nullptr;
      throw std::runtime_error(fmt::format("status {}: {}", response.status,
                                           refused != nullptr ? refused->detail : response.body));
    }
  }

  boost::asio::io_context context_;
  tcp::socket socket_;
  PeerResponseReader answers_;
  std::vector<std::string> requests_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16U);
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double push_all(const Options& options, const std::vector<Lane>& lanes) {
  std::vector<std::unique_ptr<Sender>> senders;
  for (const Lane& lane : lanes) {
    senders.push_back(std::make_unique<Sender>(options, lane));
  }
  std::vector<std::exception_ptr> failures(senders.size());
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < senders.size(); ++i) {
      threads.emplace_back([&senders, &failures, i] {
        try {
          senders[i]->run();
        } catch (...) {
          failures[i] = std::current_exception();
        }
      });
    }
  }
  const double seconds = seconds_since(begin);
  for (const std::exception_ptr& failure : failures) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
  return seconds;
}

/// The same records, batch by batch, with the K that a node would write beside them.
double commit_all(const Options& options, const std::vector<Lane>& lanes) {
  auto store = Store::open({.data_dir = options.store, .durability = Durability::os});
  if (!store) {
    throw std::runtime_error(store.error().detail);
  }
  const auto begin = Clock::now();
  for (const Lane& lane : lanes) {
    for (const std::vector<PeerRecord>& records : lane.frames) {
      Effects batch;
      for (const PeerRecord& record : records) {
        batch.writes.push_back(
            {.key = Key::from_store(record.path), .record = record.record.view()});
      }
      const std::uint64_t upto = records.back().record.header.version.dot.seq;
      batch.knowledge.push_back({.origin = lane.origin, .known = {.upto = upto, .beyond = {}}});
      if (const auto outcome = (*store)->commit(batch); !outcome) {
        throw std::runtime_error(outcome.error().detail);
      }
    }
  }
  return seconds_since(begin);
}

void run(const Options& options) {
  std::vector<Lane> lanes;
  for (std::uint64_t i = 0; i < options.lanes; ++i) {
    lanes.push_back(make_lane(options, i));
  }
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  for (const Lane& lane : lanes) {
    for (const std::vector<PeerRecord>& frame : lane.frames) {
      records += frame.size();
      for (const PeerRecord& record : frame) {
        bytes += record.path.size() + record.record.value.size();
      }
    }
  }
  const double seconds =
      options.store.empty() ? push_all(options, lanes) : commit_all(options, lanes);
  fmt::print(
      "{{\"records\": {}, \"bytes\": {}, \"seconds\": {:.3f}, \"records_per_second\": {:.0f}}}\n",
      records, bytes, seconds, static_cast<double>(records) / seconds);
}

}  // namespace
}  // namespace kvs

int main(int argc, char** argv) {
  kvs::Options options;
  CLI::App app("Pushes records to a node as a peer does, or commits them to a store.");
  app.add_option("target", options.target, "HOST:PORT of the node");
  app.add_option("--store", options.store, "a new folder: measure a store in it instead");
  app.add_option("--cluster", options.cluster, "the node's cluster_name");
  app.add_option("--count", options.count, "records");
  app.add_option("--frame", options.frame, "records in a frame or batch")
      ->check(CLI::PositiveNumber);
  app.add_option("--size", options.size, "bytes of a value");
  app.add_option("--lanes", options.lanes, "connections")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    if (options.target.empty() == options.store.empty()) {
      throw std::runtime_error("give either HOST:PORT or --store");
    }
    kvs::run(options);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "kvs-push: {}\n", failure.what());
    return 1;
  }
  return 0;
}
