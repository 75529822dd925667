// `kvs watch [PATH]`: what changes below a path, as it changes. Goes on at another member where a
// node ends the stream or is gone, with the cursor of the last event: nothing is missed, nothing
// comes twice.
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/human_text.h"
#include "io/interrupt.h"
#include "io/os.h"
#include "io/waiting.h"
#include "wire/event_reader.h"
#include "wire/json_view.h"

namespace kvs {
namespace {

/// A node says something at least every 15 s.
constexpr std::uint32_t kSilenceSecondsMin = 45;
constexpr Duration kPause = Duration::from_seconds(1);

struct WatchOptionsOfUser {
  ClientOptions client;
  std::string path;
  std::string since;
  std::uint64_t limit = 0;  // changes; 0: no bound
  bool values = false;
  bool snapshot = false;
};

class WatchRun {
 public:
  WatchRun(const WatchOptionsOfUser& options, std::string path)
      : options_(options),
        path_(std::move(path)),
        cursor_(options.since),
        nodes_{node_of(options.client)},
        out_(STDOUT_FILENO, &interrupt_) {}

  /// The exit code.
  int run() {
    while (true) {
      const Result<void> followed = follow();
      if (enough()) {
        return kExitFine;
      }
      if (interrupt_.happened()) {
        if (!cursor_.empty()) {
          remark(fmt::format("go on with --since {}", cursor_), options_.client);
        }
        return kExitSignal + interrupt_.signal();
      }
      if (!followed && !may_go_on(followed.error())) {
        return report(followed.error(), options_.client);
      }
      std::ranges::rotate(nodes_, nodes_.begin() + 1);
      (void)wait_for({}, monotonic_now() + kPause, &interrupt_);
    }
  }

 private:
  [[nodiscard]] bool enough() const { return options_.limit > 0 && told_ >= options_.limit; }

  /// A node that is gone or busy may come back, or another goes on; one that never answered may be
  /// no node at all.
  [[nodiscard]] bool may_go_on(const Error& error) const {
    const int code = exit_code_of(error.code);
    return begun_ && (code == kExitUnreachable || code == kExitNotNow);
  }

  [[nodiscard]] std::string target() const {
    std::string target = list_target({.path = path_, .after = {}});
    target = target.substr(0, target.find('?')) + "?watch=true";
    if (options_.values) {
      target += "&values=true";
    }
    if (!cursor_.empty()) {
      target += "&since=" + cursor_;
    } else if (options_.snapshot) {
      target += "&snapshot=true";
    }
    return target;
  }

  /// Whoever else is in the cluster can go on where this node ends.
  Result<void> learn_nodes(HttpClient& client) {
    const Answer members = KVS_TRY(fine_answer(client.ask({.target = "/members/"})));
    JsonElements elements(members.body);
    while (const auto member = elements.next()) {
      const auto address = parse_address(json_string_member(*member, "address").value_or(""));
      if (address && std::ranges::find(nodes_, *address) == nodes_.end()) {
        nodes_.push_back(*address);
      }
    }
    return {};
  }

  Result<void> follow() {
    HttpClientOptions options = http_options(options_.client, &interrupt_);
    options.node = nodes_.front();
    options.silence_timeout =
        Duration::from_seconds(std::max(options_.client.timeout_s, kSilenceSecondsMin));
    HttpClient client(options);
    KVS_TRY(learn_nodes(client));
    EventReader reader;
    const auto answered = client.ask({.target = target()}, [&](std::string_view part) {
      begun_ = true;
      return take(part, reader);
    });
    KVS_TRY(fine_answer(answered));
    return {};
  }

  Result<void> take(std::string_view part, EventReader& reader) {
    KVS_TRY(reader.take(part));
    while (const auto event = reader.next()) {
      KVS_TRY(show(*event));
      cursor_ = event->id.empty() ? cursor_ : event->id;
      told_ += event->kind == "put" || event->kind == "delete" ? 1 : 0;
      if (enough()) {
        KVS_TRY(out_.flush());
        return fail(Errc::shutting_down, "enough");  // ends the call
      }
    }
    return out_.flush();
  }

  Result<void> show(const ServerEvent& event) {
    if (options_.client.json) {
      return out_.put(json_line(event));
    }
    if (event.kind == "end") {
      const std::string reason = json_string_member(event.data, "reason").value_or("no reason");
      remark(fmt::format("the node ended the watch ({}); it goes on", harmless(reason)),
             options_.client);
    }
    if (event.kind != "put" && event.kind != "delete" && event.kind != "reset") {
      return {};
    }
    return out_.put(out_.is_terminal() ? terminal_line(event) : plain_line(event));
  }

  static std::string json_line(const ServerEvent& event) {
    std::string line = fmt::format(R"({{"event":"{}")", event.kind);
    if (!event.id.empty()) {
      line += fmt::format(R"(,"cursor":"{}")", event.id);
    }
    const std::string data = on_one_line(event.data);
    if (data.size() > 2 && data.starts_with('{')) {
      line += ',';
      line += std::string_view(data).substr(1);
    } else {
      line += '}';
    }
    return line + '\n';
  }

  static std::string plain_line(const ServerEvent& event) {
    std::string line = event.kind;
    for (const char* const name : {"path", "uuid"}) {
      line += '\t';
      line += json_string_member(event.data, name).value_or("");
    }
    line += '\t';
    line += json_member(event.data, "timestamp").value_or("");
    if (const auto value = json_member(event.data, "data")) {
      line += '\t';
      line += on_one_line(*value);
    }
    return line + '\n';
  }

  static std::string terminal_line(const ServerEvent& event) {
    if (event.kind == "reset") {
      return "--- everything that is there follows; what is not listed is gone\n";
    }
    const auto timestamp = json_integer_member(event.data, "timestamp");
    std::string line = fmt::format("{}  {:<6}  {}", timestamp ? time_text(*timestamp) : "",
                                   event.kind, json_string_member(event.data, "path").value_or(""));
    if (const auto value = json_member(event.data, "data")) {
      line += "  ";
      line += on_one_line(*value);
    }
    return harmless(line) + '\n';
  }

  const WatchOptionsOfUser& options_;
  std::string path_;
  std::string cursor_;
  std::vector<Address> nodes_;  // the one to ask next is the first
  Interrupt interrupt_;
  Output out_;
  std::uint64_t told_ = 0;
  bool begun_ = false;
};

int watch(const WatchOptionsOfUser& options) {
  const auto path = folder_argument(options.path);
  if (!path) {
    return report(path.error(), options.client);
  }
  return WatchRun(options, *path).run();
}

}  // namespace

void declare_watch(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand("watch", "Print what changes below a path");
  const auto options = std::make_shared<WatchOptionsOfUser>();
  parser->add_option("PATH", options->path, "Path; without it all is watched");
  parser->add_flag("--values", options->values, "Show values too");
  parser->add_flag("--snapshot", options->snapshot, "Begin with everything that is there");
  parser->add_option("--since", options->since, "Go on after this cursor")->type_name("CURSOR");
  parser->add_option("--limit", options->limit, "End after so many changes")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, UINT64_MAX));
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return watch(*options);
    };
  });
}

}  // namespace kvs
