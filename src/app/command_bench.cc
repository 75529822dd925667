// `kvs bench`: puts a load on a node and tells rates and latencies.
#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/bench_run.h"
#include "app/cli.h"
#include "app/client.h"
#include "app/human_text.h"
#include "app/progress.h"
#include "app/table.h"
#include "io/os.h"
#include "wire/json.h"

namespace kvs {
namespace {

struct BenchOptions {
  ClientOptions client;
  std::string prefix = "kvs-bench";
  std::uint64_t keys = 1000;
  std::uint64_t count = 0;  // 0: no bound
  std::uint32_t seconds = 10;
  std::uint32_t size = 100;
  std::uint32_t reads = 50;
  std::uint32_t connections = 8;
  std::uint32_t depth = 1;
  bool keep = false;
};

BenchRunOptions run_options(const BenchOptions& options, Interrupt& interrupt) {
  return {
      .pool = pool_options(options.client,
                           {.connections = options.connections, .depth = options.depth}, interrupt),
      .prefix = options.prefix,
      .keys = options.keys,
      .count = options.count == 0 ? UINT64_MAX : options.count,
      .time = Duration::from_seconds(options.seconds),
      .value_bytes = options.size,
      .reads_percent = options.reads,
      .seed = entropy()};
}

double rate_of(std::uint64_t count, Duration took) {
  return took.ns > 0 ? static_cast<double>(count) * 1e9 / static_cast<double>(took.ns) : 0;
}

std::int64_t whole(double number) {
  return std::lround(number);
}

std::string shown(Duration span) {
  return out_is_terminal() ? span_text(span) : fmt::format("{}", span.ns / 1000);
}

void add_row(Table& table, const char* name, const Latencies& latencies, Duration took) {
  const double rate = rate_of(latencies.count(), took);
  const bool terminal = out_is_terminal();
  const auto number = [terminal](std::uint64_t count) {
    return terminal ? grouped(count) : fmt::format("{}", count);
  };
  table.add({name, number(latencies.count()), number(static_cast<std::uint64_t>(whole(rate))),
             shown(latencies.mean()), shown(latencies.percentile(0.5)),
             shown(latencies.percentile(0.9)), shown(latencies.percentile(0.99)),
             shown(latencies.percentile(0.999)), shown(latencies.percentile(1))});
}

std::string text_of(const BenchOutcome& outcome) {
  Table table({"REQUEST", "COUNT", "PER SECOND", "MEAN", "P50", "P90", "P99", "P99.9", "MAX"});
  add_row(table, "PUT", outcome.puts, outcome.took);
  add_row(table, "GET", outcome.gets, outcome.took);
  return table.text(out_is_terminal() ? Table::Style::terminal : Table::Style::plain);
}

void put_latencies(JsonWriter& json, const char* name, const Latencies& latencies, Duration took) {
  const auto microseconds = [&json](const char* key, Duration span) {
    json.key(key).number(span.ns / 1000);
  };
  json.key(name).begin_object();
  json.key("count").number(static_cast<std::int64_t>(latencies.count()));
  json.key("per_second").number(whole(rate_of(latencies.count(), took)));
  microseconds("mean_us", latencies.mean());
  microseconds("p50_us", latencies.percentile(0.5));
  microseconds("p90_us", latencies.percentile(0.9));
  microseconds("p99_us", latencies.percentile(0.99));
  microseconds("p999_us", latencies.percentile(0.999));
  microseconds("max_us", latencies.percentile(1));
  json.end_object();
}

std::string json_of(const BenchOutcome& outcome) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("milliseconds").number(outcome.took.ms());
  json.key("requests").number(static_cast<std::int64_t>(outcome.requests()));
  json.key("per_second").number(whole(rate_of(outcome.requests(), outcome.took)));
  json.key("refused").number(static_cast<std::int64_t>(outcome.refused));
  put_latencies(json, "put", outcome.puts, outcome.took);
  put_latencies(json, "get", outcome.gets, outcome.took);
  json.key("interrupted").boolean(outcome.interrupted);
  json.end_object();
  return text += '\n';
}

class Bench {
 public:
  explicit Bench(const BenchOptions& options)
      : options_(options), run_(run_options(options, interrupt_)) {}

  int run() {
    if (const auto key = key_argument(options_.prefix + "/00000000"); !key) {
      return report(key.error(), options_.client);
    }
    auto ended = run_.fill();
    if (ended) {
      ended = load();
    }
    const auto cleaned = options_.keep ? Result<void>() : run_.clean();
    return conclude(ended, cleaned);
  }

 private:
  Result<void> load() {
    ProgressLine line(
        "requests", monotonic_now(),
        options_.client.json ? ProgressLine::Shown::never : ProgressLine::Shown::on_terminal);
    auto ended = run_.load([&](const BenchOutcome& so_far, double share) {
      line.tell({.records = so_far.requests(), .bytes = 0, .share = share}, monotonic_now());
    });
    line.clear();
    return ended;
  }

  int conclude(const Result<void>& ended, const Result<void>& cleaned) {
    int exit_code = kExitFine;
    if (!ended) {
      exit_code = report(ended.error(), options_.client);
    } else if (run_.outcome().interrupted) {
      exit_code = kExitSignal + interrupt_.signal();
    }
    if (ended || run_.outcome().requests() > 0) {
      exit_code =
          print_out(options_.client.json ? json_of(run_.outcome()) : text_of(run_.outcome()),
                    options_.client, exit_code);
    }
    if (run_.outcome().refused > 0) {
      remark(fmt::format("{} requests were refused (503 or 507)", grouped(run_.outcome().refused)),
             options_.client);
    }
    if (!cleaned && ended) {
      remark(fmt::format("keys below {}/ are left: {}", options_.prefix, cleaned.error().detail),
             options_.client);
    }
    return exit_code;
  }

  const BenchOptions& options_;
  Interrupt interrupt_;
  BenchRun run_;
};

}  // namespace

void declare_bench(CLI::App& app, Command& command) {
  CLI::App* const parser =
      app.add_subcommand("bench", "Put a load on the node, and tell rates and latencies");
  const auto options = std::make_shared<BenchOptions>();
  const auto number = [parser](const char* name, auto& place, const char* help, auto max) {
    return parser->add_option(name, place, help)
        ->type_name("N")
        ->check(CLI::Range(static_cast<std::remove_reference_t<decltype(place)>>(1),
                           static_cast<std::remove_reference_t<decltype(place)>>(max)))
        ->capture_default_str();
  };
  number("--connections", options->connections, "Connections to the node", 1000U);
  number("--depth", options->depth, "Requests under way on a connection", 256U);
  number("--seconds", options->seconds, "End after so long", 86'400U);
  parser->add_option("--count", options->count, "End after so many requests")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, UINT64_MAX));
  number("--keys", options->keys, "Keys to write and read", 100'000'000U);
  parser->add_option("--size", options->size, "Bytes of a value")
      ->type_name("BYTES")
      ->check(CLI::Range(2U, static_cast<std::uint32_t>(kValueBytesMax)))
      ->capture_default_str();
  parser->add_option("--reads", options->reads, "Share of GETs; the others are PUTs")
      ->type_name("PERCENT")
      ->check(CLI::Range(0U, 100U))
      ->capture_default_str();
  parser->add_option("--prefix", options->prefix, "Path below which the keys are")
      ->type_name("PATH")
      ->capture_default_str();
  parser->add_flag("--keep", options->keep, "Do not delete the keys afterwards");
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return Bench(*options).run();
    };
  });
}

}  // namespace kvs
