#include "sim/cluster_tracer.h"

#include <array>

#include <fmt/format.h>

#include "sim/trace_names.h"

namespace kvs {

namespace {

std::string_view name(const PeerRequest& request) {
  constexpr std::array<std::string_view, 14> kNames{
      "Ping",     "PingOther", "Join",  "CompareMembers", "MemberRows", "Push",    "Hello",
      "AskDelta", "Compare",   "Fetch", "Settle",         "Finish",     "AskPage", "AskVotes"};
  return kNames.at(request.index());
}

std::string_view name(const PeerAnswer& answer) {
  constexpr std::array<std::string_view, 11> kNames{"Done",       "Refused",  "Pong",  "NoPong",
                                                    "MemberRows", "Greeting", "Delta", "Compared",
                                                    "Fetched",    "Page",     "Votes"};
  return kNames.at(answer.index());
}

std::string_view name(PeerReturn::Failure failure) {
  constexpr std::array<std::string_view, 4> kNames{"", "refused", "timed out", "garbled"};
  return kNames.at(static_cast<std::size_t>(failure));
}

std::string name(const RecordHeader& header) {
  return fmt::format(
      "{:.8}{} {}+{} {:x}:{}", to_string(header.version.uuid), header.live() ? "" : " (deleted)",
      header.version.stamp.ms(), header.version.stamp.bits & 0xffffU,
      static_cast<std::uint64_t>(header.version.dot.origin) >> 48U, header.version.dot.seq);
}

std::string records_of(const std::vector<PeerRecord>& records) {
  std::string text;
  for (const PeerRecord& record : records) {
    text += fmt::format(" `{}` {};", record.path, name(record.record.header));
  }
  return text;
}

/// What K covers of one origin: up to, and beyond.
std::string name(const KnowledgeWrite& write) {
  std::string text =
      fmt::format("{:04x}:{}", static_cast<std::uint64_t>(write.origin) >> 48U, write.known.upto);
  for (const auto& [first, last] : write.known.beyond) {
    text += fmt::format("+{}-{}", first, last);
  }
  return text;
}

std::string name(const Knowledge& known) {
  std::string text;
  for (const auto& [origin, covered] : known.origins()) {
    text += ' ' + name(KnowledgeWrite{.origin = origin, .known = covered});
  }
  return text;
}

std::string details(const PeerRequest& request) {
  if (const auto* push = std::get_if<Push>(&request)) {
    return records_of(push->records);
  }
  if (const auto* settle = std::get_if<Settle>(&request)) {
    return records_of(settle->records);
  }
  if (const auto* finish = std::get_if<Finish>(&request)) {
    std::string text;
    for (const PeerItem& item : finish->drops) {
      text += fmt::format(" drop `{}` {};", item.path, name(item.header));
    }
    return text;
  }
  return {};
}

}  // namespace

void ClusterTracer::line(Machine machine, const std::string& text) const {
  fmt::print("{:>12.3f} ms  {}  {}\n", static_cast<double>(now_.ns) / 1e6, machine, text);
}

void ClusterTracer::asked(Machine machine, const Operation& operation) {
  line(machine, fmt::format("#{} client {} asks {} {}{}", trace_number(operation), operation.client,
                            trace_name(operation.kind), operation.key,
                            trace_name(operation.condition.kind)));
}

void ClusterTracer::called(Machine machine, const PeerCall& call) {
  line(machine, fmt::format("<- {}{}", name(call.request), details(call.request)));
}

void ClusterTracer::returned(Machine machine, const PeerReturn& returned) {
  const bool failed = returned.failure != PeerReturn::Failure::none;
  const auto* refused = std::get_if<Refused>(&returned.answer);
  line(machine, fmt::format("=> call {:x}: {}{}", static_cast<std::uint64_t>(returned.id),
                            failed ? name(returned.failure) : name(returned.answer),
                            !failed && refused != nullptr ? ": " + refused->detail : ""));
}

void ClusterTracer::sent(Machine machine, const PeerSend& send) {
  line(machine,
       fmt::format("-> {} call {:x}: {}{}", send.address, static_cast<std::uint64_t>(send.id),
                   name(*send.request), details(*send.request)));
}

void ClusterTracer::traced(Machine machine, const Trace& trace) {
  line(machine,
       fmt::format("trace {} {} {}", static_cast<unsigned>(trace.kind), trace.number, trace.text));
}

void ClusterTracer::closed(Machine machine, const Batch& batch) {
  std::string text = fmt::format("batch {} closed:", batch.number);
  for (const RecordWrite& write : batch.effects.writes) {
    constexpr std::array<std::string_view, 3> kKinds{"store", "drop", "lose"};
    text += fmt::format(" {} `{}` {};", kKinds.at(static_cast<std::size_t>(write.kind)),
                        write.key.text(), name(write.record.header));
  }
  for (const KnowledgeWrite& write : batch.effects.knowledge) {
    text += fmt::format(" K {};", name(write));
  }
  line(machine, text);
}

void ClusterTracer::durable(Machine machine, const Batch& batch) {
  line(machine, fmt::format("batch {} is durable", batch.number));
}

void ClusterTracer::failed(Machine machine, const Batch& batch, Errc why) {
  line(machine, fmt::format("batch {} failed: {}", batch.number, to_string(why)));
}

void ClusterTracer::answered(Machine machine, const Operation& operation,
                             const WriteOutcome& outcome) {
  line(machine, fmt::format("#{} answered: {}", trace_number(operation), trace_name(outcome)));
}

void ClusterTracer::asked_elsewhere(Machine machine, const Operation& operation) {
  line(machine, fmt::format("#{} is asked of others", trace_number(operation)));
}

void ClusterTracer::got(Machine machine, const Reading& reading) {
  const Record* const found = reading.found();
  line(machine, fmt::format("#{} got {}", trace_number(reading.operation),
                            found != nullptr ? trace_name(*found) : "nothing"));
}

void ClusterTracer::crashed(Machine machine, Crash crash) {
  line(machine, crash == Crash::kill ? "KILLED" : "LOST POWER");
}

void ClusterTracer::swapped(Machine machine, Swap swap) {
  constexpr std::array<std::string_view, 4> kNames{"WIPED", "RESTORED", "COPIED", "GONE"};
  line(machine, std::string(kNames.at(static_cast<std::size_t>(swap))));
}

void ClusterTracer::rotted(Machine machine, const std::string& key) {
  line(machine, fmt::format("ROTTED `{}`", key));
}

void ClusterTracer::recovered(Machine machine, const Image& image) {
  line(machine, fmt::format("runs on {} records", image.records.size()));
}

void ClusterTracer::unopened(Machine machine, Errc why) {
  line(machine, fmt::format("does not start: {}", to_string(why)));
}

void ClusterTracer::watch_began(Machine machine, const Watching& watching) {
  constexpr std::array<std::string_view, 3> kNames{"from now on", "with everything", "goes on"};
  line(machine,
       fmt::format("watcher {} of `{}` {}, its K:{}", watching.client, watching.request.path,
                   kNames.at(static_cast<std::size_t>(watching.request.begin)),
                   name(watching.request.cursor.seen)));
}

void ClusterTracer::watch_told(Machine machine, const Watching& watching, const WatchEvent& event) {
  constexpr std::array<std::string_view, 5> kNames{"put", "del", "bookmark", "reset", "end"};
  const RecordHeader header{.version = event.version.value_or(Version{})};
  line(machine, fmt::format("watcher {} is told {} `{}` {}", watching.client,
                            kNames.at(static_cast<std::size_t>(event.kind)), event.path,
                            event.version ? name(header) : ""));
}

void ClusterTracer::watch_broke_off(Machine machine, const Watching& watching) {
  line(machine, fmt::format("watcher {} is gone", watching.client));
}

void ClusterTracer::healed() {
  fmt::print("{:>12.3f} ms  all is healed\n", static_cast<double>(now_.ns) / 1e6);
}

void ClusterTracer::ended(const std::vector<FinalState>& states) {
  fmt::print("the end: {} records on the first machine\n", states.front().image.records.size());
}

}  // namespace kvs
