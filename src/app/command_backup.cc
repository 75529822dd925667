// `kvs backup [NAME]` has the node make a backup in its backup_folder; `kvs restore BACKUP DIR`
// makes a data folder of one, without a node.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/human_text.h"
#include "app/progress.h"
#include "core/backup_name.h"
#include "io/os.h"
#include "io/restore.h"
#include "wire/json.h"
#include "wire/json_view.h"

namespace kvs {
namespace {

constexpr std::uint32_t kBackupTimeoutS = 600;  // a disk may take long to sync its logs

struct BackupOptions {
  ClientOptions client{.timeout_s = kBackupTimeoutS};
  std::string name;
};

/// 20261128T175959Z, of this machine's clock.
std::string name_of_now() {
  std::string name;
  for (const char c : time_text(wall_now().ms).substr(0, 19)) {
    if (c != '-' && c != ':') {
      name.push_back(c);
    }
  }
  return name + 'Z';
}

int backup(const BackupOptions& options) {
  const std::string name = options.name.empty() ? name_of_now() : options.name;
  if (!is_backup_name(name)) {
    return report(
        {.code = Errc::bad_request,
         .detail = fmt::format("\"{}\" is no name of a backup, which is made in the node's "
                               "backup_folder: 1 to {} letters, digits, `.`, `_` and `-`, of which "
                               "a letter or digit comes first",
                               harmless(name), kBackupNameBytesMax)},
        options.client);
  }
  std::string body;
  JsonWriter(body).begin_object().key("name").string(name).end_object();
  HttpClient client(http_options(options.client));
  const auto answer =
      fine_answer(client.ask({.method = "POST", .target = "/backup", .body = body}));
  if (!answer) {
    return report(answer.error(), options.client);
  }
  if (options.client.json) {
    return print_out(answer->body + '\n', options.client);
  }
  const auto bytes = json_integer_member(answer->body, "bytes").value_or(0);
  remark(fmt::format("{} of files; tables are shared with the node until they are replaced there",
                     bytes_text(static_cast<std::uint64_t>(bytes))),
         options.client);
  return print_out(harmless(json_string_member(answer->body, "path").value_or("")) + '\n',
                   options.client);
}

struct RestoreOptions {
  ClientOptions client;  // only how to print
  RestoreOrder order;
};

/// As JSON, for scripts.
std::string restored_json(const Restored& restored) {
  std::string text;
  JsonWriter(text)
      .begin_object()
      .key("id")
      .string(to_string(restored.note.id))
      .key("node_id")
      .string(restored.note.node_id)
      .key("taken")
      .number(restored.note.taken.ms)
      .key("records")
      .number(static_cast<std::int64_t>(restored.records))
      .key("tombstones")
      .number(static_cast<std::int64_t>(restored.tombstones))
      .key("bytes")
      .number(static_cast<std::int64_t>(restored.note.bytes()))
      .end_object();
  return text + '\n';
}

std::string restored_text(const Restored& restored, const std::string& folder) {
  const bool gone_on = restored.files_kept > 0;
  return fmt::format(
      "restored the backup of {} at {} to {}: {} record{} and {} trace{} of deletions, each "
      "checked; {} copied{}\n",
      harmless(restored.note.node_id), time_text(restored.note.taken.ms), folder,
      grouped(restored.records), restored.records == 1 ? "" : "s", grouped(restored.tombstones),
      restored.tombstones == 1 ? "" : "s", bytes_text(restored.bytes_copied),
      gone_on ? fmt::format(", {} files were there already", restored.files_kept) : "");
}

/// Shows how far a restore is.
class RestoreProgress {
 public:
  explicit RestoreProgress(const ClientOptions& options) : shown_(options.json) {}

  void tell(const Restored& so_far) {
    const Instant now = monotonic_now();
    const std::uint64_t checked = so_far.records + so_far.tombstones;
    if (checked > 0) {
      checking_.tell({.records = checked, .share = {}}, now);
      return;
    }
    const auto whole = static_cast<double>(so_far.note.bytes());
    copying_.tell({.records = so_far.bytes_copied >> 20U,
                   .share = static_cast<double>(so_far.bytes_copied) / whole},
                  now);
  }

  void clear() {
    copying_.clear();
    checking_.clear();
  }

 private:
  using Shown = ProgressLine::Shown;

  bool shown_;
  ProgressLine copying_{"MiB copied", monotonic_now(), shown_ ? Shown::never : Shown::on_terminal};
  ProgressLine checking_{"records checked", monotonic_now(),
                         shown_ ? Shown::never : Shown::on_terminal};
};

int restore(const RestoreOptions& options) {
  Interrupt interrupt;
  RestoreProgress progress(options.client);
  const RestoreWatch watch{.interrupted = [&interrupt] { return interrupt.happened(); },
                           .tell =
                               [&progress](const Restored& so_far) {
                                 progress.tell(so_far);
                               }};
  const auto restored = restore_backup(options.order, watch);
  progress.clear();
  if (!restored && interrupt.happened()) {
    remark(fmt::format("interrupted: {} is no data folder yet; the same command goes on from there",
                       options.order.folder),
           options.client);
    return kExitSignal + interrupt.signal();
  }
  if (!restored) {
    return report(restored.error(), options.client);
  }
  return print_out(options.client.json ? restored_json(*restored)
                                       : restored_text(*restored, options.order.folder),
                   options.client);
}

}  // namespace

void declare_backup(CLI::App& app, Command& command) {
  CLI::App* const parser =
      app.add_subcommand("backup", "Have the node make a backup in its backup_folder");
  const auto options = std::make_shared<BackupOptions>();
  parser->add_option("NAME", options->name, "Name of the backup; without it the time");
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return backup(*options);
    };
  });
}

void declare_restore(CLI::App& app, Command& command) {
  CLI::App* const parser =
      app.add_subcommand("restore", "Make a data folder of a backup, without a node");
  const auto options = std::make_shared<RestoreOptions>();
  parser->add_option("BACKUP", options->order.backup, "A backup")->required();
  parser->add_option("DIR", options->order.folder, "An empty or absent folder")->required();
  parser->add_flag("--json", options->client.json, "Print JSON, for scripts");
  parser->callback([options, &command] {
    command = [options] {
      return restore(*options);
    };
  });
}

}  // namespace kvs
