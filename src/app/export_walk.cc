#include "app/export_walk.h"

#include <span>
#include <utility>

#include "app/client.h"
#include "io/os.h"
#include "io/waiting.h"
#include "wire/json_view.h"

namespace kvs {

namespace {

/// A value twice, once escaped, and its key.
constexpr std::size_t kLineBytesMax = 4 * kValueBytesMax;
constexpr std::uint32_t kPauseS = 1;  // where the node names none

bool passes(Errc code) {
  return code == Errc::address_unusable || code == Errc::overloaded || code == Errc::syncing ||
         code == Errc::shutting_down;
}

std::unexpected<Error> no_export() {
  return fail(Errc::address_unusable, "what came is no line of an export");
}

}  // namespace

ExportWalk::ExportWalk(HttpClient& client, ExportWalkOptions options)
    : client_(client), options_(std::move(options)), moved_(monotonic_now()) {}

Result<Exported> ExportWalk::run(const TakeLine& take) {
  while (!at_end_) {
    if (const auto taken = ask(take); !taken) {
      KVS_TRY(await_next_attempt(taken.error()));
    }
  }
  return exported_;
}

Result<void> ExportWalk::ask(const TakeLine& take) {
  if (!last_line_.empty()) {
    const auto path = json_string_member(last_line_, "path");
    if (!path) {
      return no_export();
    }
    options_.call.after = *path;
  }
  begun_.clear();
  has_lines_ = false;
  auto answer = client_.ask({.target = export_target(options_.call)},
                            [&](std::string_view part) { return take_part(part, take); });
  if (answer) {
    pause_s_ = answer->head.retry_after_s.value_or(kPauseS);
  } else {
    pause_s_ = has_lines_ ? 0 : kPauseS;  // a connection that broke off
  }
  exported_.moments += has_lines_ ? 1 : 0;
  const Answer fine = KVS_TRY(fine_answer(std::move(answer)));
  exported_.partial = exported_.partial || fine.head.partial;
  if (!begun_.empty()) {
    return no_export();
  }
  at_end_ = true;
  return {};
}

Result<void> ExportWalk::take_part(std::string_view part, const TakeLine& take) {
  while (!part.empty()) {
    const std::size_t end = part.find('\n');
    if (end == std::string_view::npos) {
      begun_.append(part);
      return begun_.size() <= kLineBytesMax ? Result<void>() : no_export();
    }
    const std::string_view rest = part.substr(0, end + 1);
    part.remove_prefix(end + 1);
    if (begun_.empty()) {
      KVS_TRY(take_line(rest, take));
    } else {
      begun_.append(rest);
      KVS_TRY(take_line(std::exchange(begun_, {}), take));
    }
  }
  return {};
}

Result<void> ExportWalk::take_line(std::string_view line, const TakeLine& take) {
  if (auto taken = take(line); !taken) {
    taker_refused_ = true;
    return taken;
  }
  last_line_ = line;
  has_lines_ = true;
  moved_ = monotonic_now();
  return {};
}

Result<void> ExportWalk::await_next_attempt(const Error& error) {
  const Duration pause = Duration::from_seconds(pause_s_);
  const bool patient = monotonic_now() + pause - moved_ <= options_.patience;
  if (taker_refused_ || !passes(error.code) || !patient) {
    return std::unexpected(error);
  }
  if (wait_for(std::span<pollfd>(), monotonic_now() + pause, options_.interrupt) ==
      Woken::interrupted) {
    return std::unexpected(error);
  }
  return {};
}

}  // namespace kvs
