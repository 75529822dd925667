#include "app/delete_below.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "app/human_text.h"
#include "app/progress.h"
#include "io/interrupt.h"
#include "io/os.h"
#include "wire/json.h"
#include "wire/json_view.h"

namespace kvs {
namespace {

std::uint64_t count_in(std::string_view line, std::string_view name) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(json_integer_member(line, name).value_or(0), 0));
}

class DeleteBelowRun {
 public:
  DeleteBelowRun(const DeleteBelowOptions& options, std::string folder, Interrupt& interrupt)
      : options_(options),
        folder_(std::move(folder)),
        interrupt_(interrupt),
        client_(http_options(options.client, &interrupt)),
        begun_(monotonic_now()),
        line_("keys deleted", begun_,
              options.client.json ? ProgressLine::Shown::never : ProgressLine::Shown::on_terminal) {
  }

  Result<void> run() {
    const auto answer = KVS_TRY(
        fine_answer(client_.ask({.method = "DELETE", .target = delete_below_target(folder_)},
                                [this](std::string_view part) { return take(part); })));
    if (json_member(last_, "error")) {
      return std::unexpected(error_of(answer.head, last_));
    }
    if (!json_member(last_, "done")) {
      return fail(Errc::address_unusable,
                  fmt::format("the answer of {} ended before its end", options_.client.node));
    }
    return {};
  }

  int conclude(const Result<void>& result) {
    line_.clear();
    const std::uint64_t kept = count_in(last_, "kept");
    const std::string what = fmt::format(
        "deleted {} key{} below {}/{}", grouped(done_.records), done_.records == 1 ? "" : "s",
        harmless(folder_),
        kept == 0 ? "" : fmt::format(", left {} that changed meanwhile", grouped(kept)));
    if (result) {
      return print_out(text_of(what, kept), options_.client);
    }
    if (interrupt_.happened()) {
      remark("interrupted: " + what + ", perhaps some more", options_.client);
      return kExitSignal + interrupt_.signal();
    }
    if (done_.records > 0) {
      remark(what + ", perhaps some more; the same command deletes the rest", options_.client);
    }
    return report(result.error(), options_.client);
  }

 private:
  /// A part of the lines of the answer; the last one that is whole is kept.
  Result<void> take(std::string_view part) {
    for (std::size_t end = part.find('\n'); end != std::string_view::npos; end = part.find('\n')) {
      last_ = std::exchange(unfinished_, {}).append(part.substr(0, end));
      part.remove_prefix(end + 1);
      done_.records = std::max(done_.records, count_in(last_, "deleted"));
    }
    unfinished_.append(part);
    line_.tell(done_, monotonic_now());
    if (unfinished_.size() > kLineBytesMax) {
      return fail(Errc::address_unusable, "the answer is not that of a KVS node");
    }
    return {};
  }

  [[nodiscard]] std::string text_of(const std::string& what, std::uint64_t kept) const {
    if (!options_.client.json) {
      return out_is_terminal()
                 ? fmt::format("{}, in {}\n", what, span_text(monotonic_now() - begun_))
                 : fmt::format("{}\n", done_.records);
    }
    std::string text;
    JsonWriter(text)
        .begin_object()
        .key("path")
        .string(folder_ + '/')
        .key("deleted")
        .number(static_cast<std::int64_t>(done_.records))
        .key("kept")
        .number(static_cast<std::int64_t>(kept))
        .end_object();
    return text + '\n';
  }

  static constexpr std::size_t kLineBytesMax = 64U << 10U;

  const DeleteBelowOptions& options_;
  std::string folder_;  // without a slash at its end; empty: the root
  Interrupt& interrupt_;
  HttpClient client_;
  Instant begun_;
  ProgressLine line_;
  DoneSoFar done_;
  std::string unfinished_;  // of a line
  std::string last_;        // line
};

/// Everything goes only where that was said: an empty variable in a script is no path.
Result<std::string> folder_of(const DeleteBelowOptions& options) {
  std::string folder = KVS_TRY(folder_argument(options.path));
  if (folder.empty() && !options.everything) {
    return fail(Errc::invalid_key, "this would delete all keys: say so with --everything");
  }
  if (!folder.empty() && options.everything) {
    return fail(Errc::invalid_key, "--everything is for the PATH / alone");
  }
  return folder;
}

}  // namespace

int delete_below(const DeleteBelowOptions& options) {
  auto folder = folder_of(options);
  if (!folder) {
    return report(folder.error(), options.client);
  }
  Interrupt interrupt;
  DeleteBelowRun run(options, *std::move(folder), interrupt);
  return run.conclude(run.run());
}

}  // namespace kvs
