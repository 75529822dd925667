#include "app/list_walk.h"

#include <algorithm>
#include <span>
#include <utility>

#include "app/client.h"
#include "io/os.h"
#include "io/waiting.h"

namespace kvs {

namespace {

/// A value, its key and what is around them, escaped.
constexpr std::size_t kEntryBytesMax = kValueBytesMax + 8 * kKeyBytesMax;
constexpr std::uint32_t kPauseS = 1;  // where the node names none

bool passes(Errc code) {
  return code == Errc::address_unusable || code == Errc::overloaded || code == Errc::syncing ||
         code == Errc::shutting_down;
}

}  // namespace

ListWalk::ListWalk(HttpClient& client, WalkOptions options)
    : client_(client), options_(std::move(options)), moved_(monotonic_now()) {}

Result<Walked> ListWalk::run(const TakeEntry& take) {
  while (!at_end_ && entries_ < options_.entries_max) {
    if (const auto taken = page(take); !taken) {
      KVS_TRY(await_next_attempt(taken.error()));
    }
  }
  walked_.more = !at_end_;
  return walked_;
}

Result<void> ListWalk::page(const TakeEntry& take) {
  ListCall call = options_.call;
  call.limit = std::min<std::uint64_t>(call.limit, options_.entries_max - entries_);
  const std::uint64_t entries_before = entries_;
  ListPageReader reader(kEntryBytesMax);
  const auto take_entry = [&](std::string_view text) -> Result<void> {
    const auto entry = parse_listed_entry(text);
    if (!entry) {
      return fail(Errc::address_unusable, "what came is no entry of a listing");
    }
    if (auto taken = take(*entry); !taken) {
      taker_refused_ = true;
      return taken;
    }
    ++entries_;
    options_.call.after = cursor_after(entry->name);
    moved_ = monotonic_now();
    return {};
  };
  auto answer = client_.ask({.target = list_target(call)},
                            [&](std::string_view part) { return reader.take(part, take_entry); });
  if (answer) {
    pause_s_ = answer->head.retry_after_s.value_or(kPauseS);
  } else {
    pause_s_ = entries_ > entries_before ? 0 : kPauseS;  // a connection that broke off
  }
  const Answer fine = KVS_TRY(fine_answer(std::move(answer)));
  walked_.partial = walked_.partial || fine.head.partial;
  at_end_ = KVS_TRY(reader.finish()).empty();
  return {};
}

Result<void> ListWalk::await_next_attempt(const Error& error) {
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
