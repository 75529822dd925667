// `kvs export [PATH]`: every record below a path with its version, as of one moment, as lines of
// JSON, to standard output or a file.
#include <charconv>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/export_file.h"
#include "app/export_walk.h"
#include "app/human_text.h"
#include "app/progress.h"
#include "io/os.h"
#include "wire/json_view.h"

namespace kvs {
namespace {

constexpr std::uint64_t kEntriesBetweenLooks = 256;  // at the clock and for Ctrl-C

struct ExportOptions {
  ClientOptions client;
  std::string path;
  std::string output;
  std::string after;
  std::uint32_t retry_s = 60;
  bool go_on = false;
  bool partial = false;
  bool deletions = false;
};

/// About how many records the node holds; nothing if it does not say.
std::optional<std::uint64_t> estimated_records(HttpClient& client) {
  constexpr std::string_view kMetric = "\nkvs_store_records ";
  const auto answer = client.ask({.target = "/metrics"});
  const std::size_t at = answer ? answer->body.find(kMetric) : std::string::npos;
  if (at == std::string::npos) {
    return std::nullopt;
  }
  double number = 0;
  const char* const begin = answer->body.data() + at + kMetric.size();
  const auto read = std::from_chars(begin, answer->body.data() + answer->body.size(), number);
  return read.ec == std::errc{} && number >= 1 ? std::optional(static_cast<std::uint64_t>(number))
                                               : std::nullopt;
}

class ExportRun {
 public:
  ExportRun(const ExportOptions& options, std::string folder, Interrupt& interrupt)
      : options_(options),
        folder_(std::move(folder)),
        interrupt_(interrupt),
        client_(http_options(options.client, &interrupt)),
        begun_(monotonic_now()),
        line_("records", begun_,
              options.client.json ? ProgressLine::Shown::never : ProgressLine::Shown::on_terminal) {
  }

  /// Writes to the named file, or to standard output.
  Result<void> run() {
    ExportFile file;
    if (!options_.output.empty()) {
      file = KVS_TRY(options_.go_on ? continue_export_file(options_.output)
                                    : create_export_file(options_.output));
    }
    last_path_ = file.last_path.empty() ? options_.after : file.last_path;
    Output out(options_.output.empty() ? STDOUT_FILENO : file.descriptor.number(), &interrupt_);
    auto written = write(out);
    KVS_TRY(out.flush());
    if (!options_.output.empty()) {
      KVS_TRY(sync_export_file(file, options_.output));
    }
    line_.clear();
    return written;
  }

  /// Says what was done and, if that is not all, how to go on.
  int conclude(const Result<void>& result) {
    line_.clear();
    const std::string text = fmt::format("exported {} record{}, {}, in {}", grouped(done_.records),
                                         done_.records == 1 ? "" : "s", bytes_text(done_.bytes),
                                         span_text(monotonic_now() - begun_));
    last_path_ = json_string_member(last_line_, "path").value_or(last_path_);
    if (result) {
      remark(text + (of_several_moments_ ? "; it was interrupted, so parts of it are of different "
                                           "moments"
                                         : ""),
             options_.client);
      return kExitFine;
    }
    if (!interrupt_.happened()) {
      if (done_.records > 0) {
        remark(text + how_to_go_on(), options_.client);
      }
      return report(result.error(), options_.client);
    }
    remark("interrupted: " + text + how_to_go_on(), options_.client);
    return kExitSignal + interrupt_.signal();
  }

 private:
  Result<void> write(Output& out) {
    if (folder_.empty() && last_path_.empty()) {
      expected_ = estimated_records(client_);
    }
    KVS_TRY(check_begin());
    using Deletions = ExportCall::Deletions;
    ExportWalk walk(
        client_, {.call = {.path = folder_,
                           .after = last_path_,
                           .deletions = options_.deletions ? Deletions::include : Deletions::omit},
                  .patience = Duration::from_seconds(options_.retry_s),
                  .interrupt = &interrupt_});
    const Exported exported =
        KVS_TRY(walk.run([&](std::string_view line) { return take(line, out); }));
    of_several_moments_ = exported.moments > 1 || !last_path_at_begin_.empty();
    if (exported.partial && !options_.partial) {
      return fail(Errc::syncing,
                  "the node still fetches the cluster's data, so records may be missing: export "
                  "from another one, or later; --partial takes what has arrived");
    }
    return {};
  }

  /// The last path that is there already must be of this export.
  Result<void> check_begin() {
    last_path_at_begin_ = last_path_;
    if (last_path_.empty()) {
      return {};
    }
    const std::string prefix = folder_.empty() ? "" : folder_ + '/';
    if (!last_path_.starts_with(prefix) || last_path_.size() == prefix.size()) {
      return fail(Errc::invalid_key,
                  fmt::format("{} is not below {}: give the PATH with which the export was begun",
                              last_path_, prefix));
    }
    return {};
  }

  Result<void> take(std::string_view line, Output& out) {
    if (done_.records % kEntriesBetweenLooks == 0 && interrupt_.happened()) {
      return fail(Errc::io_error, "interrupted");
    }
    KVS_TRY(out.put(line));
    last_line_ = line;
    ++done_.records;
    done_.bytes += line.size();
    if (done_.records % kEntriesBetweenLooks == 0) {
      tell();
    }
    return {};
  }

  void tell() {
    if (expected_) {
      done_.share = static_cast<double>(done_.records) / static_cast<double>(*expected_);
    }
    line_.tell(done_, monotonic_now());
  }

  [[nodiscard]] std::string how_to_go_on() const {
    if (!options_.output.empty()) {
      return "; the same command with --continue goes on from there";
    }
    return last_path_.empty()
               ? std::string()
               : fmt::format("; the last one was {}: --after goes on from there", last_path_);
  }

  const ExportOptions& options_;
  std::string folder_;
  Interrupt& interrupt_;
  HttpClient client_;
  Instant begun_;
  ProgressLine line_;
  DoneSoFar done_;
  std::optional<std::uint64_t> expected_;
  std::string last_path_;           // that stands in the output, but for last_line_
  std::string last_path_at_begin_;  // that an earlier export left
  std::string last_line_;           // that was written
  bool of_several_moments_ = false;
};

int export_records(const ExportOptions& options) {
  auto folder = folder_argument(options.path);
  if (!folder) {
    return report(folder.error(), options.client);
  }
  Interrupt interrupt;
  ExportRun run(options, *std::move(folder), interrupt);
  return run.conclude(run.run());
}

}  // namespace

void declare_export(CLI::App& app, Command& command) {
  CLI::App* const parser =
      app.add_subcommand("export", "Print every record below a path as a line of JSON");
  const auto options = std::make_shared<ExportOptions>();
  parser->add_option("PATH", options->path, "Path; without it all is exported");
  CLI::Option* const output =
      parser->add_option("--output", options->output, "Write to this new file")->type_name("FILE");
  CLI::Option* const go_on =
      parser->add_flag("--continue", options->go_on, "Go on with what an export left in the file")
          ->needs(output);
  parser->add_option("--after", options->after, "Go on after this path")
      ->type_name("PATH")
      ->excludes(go_on);
  parser->add_option("--retry", options->retry_s, "Seconds without progress after which to give up")
      ->type_name("SECONDS")
      ->capture_default_str();
  parser->add_flag("--deletions", options->deletions, "Print what deletions have left, too");
  parser->add_flag("--partial", options->partial,
                   "Take what a node has that still fetches the cluster's data");
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return export_records(*options);
    };
  });
}

}  // namespace kvs
