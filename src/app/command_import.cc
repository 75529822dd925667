// `kvs import [FILE]`: stores the records that an export left, or lines like them.
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/human_text.h"
#include "app/import_run.h"
#include "app/progress.h"
#include "io/os.h"
#include "wire/json.h"

namespace kvs {
namespace {

/// A value twice, once escaped, and its key.
constexpr std::size_t kLineBytesMax = 4 * kValueBytesMax;
constexpr std::uint64_t kRefusedShown = 20;

/// Of requests not sent yet, on each connection.
constexpr std::size_t kUnsentBytesMax = std::size_t{1} << 20U;

struct ImportOptions {
  ClientOptions client;
  std::string file;
  std::uint64_t from_line = 1;
  std::uint32_t retry_s = 120;
  std::uint32_t connections = 16;  // the node merges what all of them bring in one batch
  std::uint32_t depth = 64;
  bool new_versions = false;
  bool keep_existing = false;
  bool skip_refused = false;
};

ImportRunOptions run_options(const ImportOptions& options, Interrupt& interrupt) {
  LanePoolOptions pool = pool_options(
      options.client, {.connections = options.connections, .depth = options.depth}, interrupt);
  pool.bytes_max = kUnsentBytesMax;
  return {.pool = std::move(pool),
          .first_line = options.from_line,
          .patience = Duration::from_seconds(options.retry_s),
          .new_versions = options.new_versions,
          .keep_existing = options.keep_existing,
          .skip_refused = options.skip_refused};
}

std::string json_summary(const ImportOutcome& outcome) {
  std::string text;
  JsonWriter(text)
      .begin_object()
      .key("written")
      .number(static_cast<std::int64_t>(outcome.written))
      .key("kept")
      .number(static_cast<std::int64_t>(outcome.kept))
      .key("refused")
      .number(static_cast<std::int64_t>(outcome.refused))
      .key("next_line")
      .number(static_cast<std::int64_t>(outcome.next_line))
      .key("complete")
      .boolean(outcome.complete)
      .end_object();
  return text += '\n';
}

std::string summary(const ImportOutcome& outcome, Duration took) {
  const double seconds = static_cast<double>(took.ns) / 1e9;
  const double rate = seconds > 0 ? static_cast<double>(outcome.written) / seconds : 0;
  std::string text = fmt::format("stored {} record{} in {}, {}/s", grouped(outcome.written),
                                 outcome.written == 1 ? "" : "s", span_text(took),
                                 grouped(static_cast<std::uint64_t>(rate)));
  if (outcome.kept > 0) {
    text += fmt::format("; {} had a value and kept it", grouped(outcome.kept));
  }
  if (outcome.refused > 0) {
    text += fmt::format("; {} refused", grouped(outcome.refused));
  }
  if (!outcome.complete) {
    text += outcome.next_line > 1
                ? fmt::format("; all lines before line {0} are done: --from-line {0} goes on there",
                              outcome.next_line)
                : "; the same command goes on";
  }
  return text;
}

class Importer {
 public:
  explicit Importer(const ImportOptions& options)
      : options_(options),
        begun_(monotonic_now()),
        line_("records", begun_,
              options.client.json ? ProgressLine::Shown::never : ProgressLine::Shown::on_terminal) {
  }

  int run() {
    auto source = LineSource::open(options_.file, kLineBytesMax);
    if (!source) {
      return report(source.error(), options_.client);
    }
    ImportRun run(run_options(options_, interrupt_), *source,
                  [this](std::uint64_t line, const Error& why) { tell_refused(line, why); });
    const ImportOutcome outcome =
        run.run([&](const ImportOutcome& so_far) { tell(so_far, *source); });
    line_.clear();
    return conclude(outcome);
  }

 private:
  void tell(const ImportOutcome& so_far, const LineSource& source) {
    DoneSoFar done{.records = so_far.written, .bytes = source.bytes_given(), .share = {}};
    if (const auto size = source.size(); size && *size > 0) {
      done.share = static_cast<double>(done.bytes) / static_cast<double>(*size);
    }
    line_.tell(done, monotonic_now());
  }

  void tell_refused(std::uint64_t line, const Error& why) {
    if (!options_.skip_refused || ++refused_ > kRefusedShown) {
      return;
    }
    line_.clear();
    remark(fmt::format("line {}: {}", line, why.detail), options_.client);
    if (refused_ == kRefusedShown) {
      remark("further refused lines are counted, not shown", options_.client);
    }
  }

  int conclude(const ImportOutcome& outcome) {
    int exit_code = outcome.refused > 0 ? kExitFailed : kExitFine;
    if (outcome.failure) {
      exit_code = report(*outcome.failure, options_.client);
    } else if (!outcome.complete) {
      exit_code = kExitSignal + interrupt_.signal();
    }
    if (options_.client.json) {
      return print_out(json_summary(outcome), options_.client, exit_code);
    }
    const bool interrupted = !outcome.failure && !outcome.complete;
    remark((interrupted ? "interrupted: " : "") + summary(outcome, monotonic_now() - begun_),
           options_.client);
    return exit_code;
  }

  const ImportOptions& options_;
  Interrupt interrupt_;
  Instant begun_;
  ProgressLine line_;
  std::uint64_t refused_ = 0;
};

}  // namespace

void declare_import(CLI::App& app, Command& command) {
  CLI::App* const parser =
      app.add_subcommand("import", "Store records from lines of JSON, as export prints them");
  const auto options = std::make_shared<ImportOptions>();
  parser->add_option("FILE", options->file, "Lines to import; without it, or -, standard input");
  parser->add_option("--from-line", options->from_line, "Begin with this line")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, UINT64_MAX))
      ->capture_default_str();
  parser->add_flag("--new-versions", options->new_versions,
                   "Give records new versions although the lines have some");
  parser->add_flag("--keep-existing", options->keep_existing,
                   "Keys that have a value keep it; the others get new versions");
  parser->add_flag("--skip-refused", options->skip_refused, "Go on after lines that are wrong");
  parser->add_option("--connections", options->connections, "Connections to the node")
      ->type_name("N")
      ->check(CLI::Range(1U, 64U))
      ->capture_default_str();
  parser->add_option("--depth", options->depth, "Records under way on a connection")
      ->type_name("N")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str();
  parser->add_option("--retry", options->retry_s, "Seconds without progress after which to give up")
      ->type_name("SECONDS")
      ->capture_default_str();
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return Importer(*options).run();
    };
  });
}

}  // namespace kvs
