#include "sim/tracer.h"

#include <fmt/format.h>

#include "sim/trace_names.h"

namespace kvs {

void Tracer::asked(const Operation& operation) {
  std::string uuid = operation.condition.kind == Condition::Kind::if_match
                         ? fmt::format(" {:.8}", to_string(operation.condition.uuid))
                         : std::string{};
  fmt::print("{:>10.3f} ms  #{} client {} asks {} {}{}{}\n",
             static_cast<double>(operation.asked.ns) / 1e6, trace_number(operation),
             operation.client, trace_name(operation.kind), operation.key,
             trace_name(operation.condition.kind), uuid);
}

void Tracer::decided(const Decision& decision) {
  fmt::print("  #{} decided in batch {}: {}{}\n", trace_number(decision.operation), decision.batch,
             decision.outcome ? trace_name(*decision.outcome) : "no reply",
             decision.read_fault ? ", the disk misread" : "");
}

void Tracer::closed(const Batch& batch) {
  fmt::print(
      "  batch {} closed: {} writes, {} replies{}{}\n", batch.number, batch.effects.writes.size(),
      batch.effects.replies.size(), batch.flush == Flush::sync ? ", to be synced" : "",
      batch.effects.clock_reserve ? fmt::format(", reserve {}", batch.effects.clock_reserve->ms())
                                  : "");
}

void Tracer::durable(const Batch& batch) {
  fmt::print("  batch {} durable\n", batch.number);
}

void Tracer::failed(const Batch& batch, Errc why) {
  fmt::print("  batch {} failed: {}\n", batch.number, to_string(why));
}

void Tracer::answered(const Operation& operation, const WriteOutcome& outcome) {
  fmt::print("  #{} answered: {}\n", trace_number(operation), trace_name(outcome));
}

void Tracer::got(const Reading& reading) {
  const Record* const record = reading.found();
  const std::string found = !reading.record ? std::string(to_string(reading.record.error().code))
                            : record != nullptr ? trace_name(*record)
                                                : "nothing";
  fmt::print("  #{} read {}: {}\n", trace_number(reading.operation), reading.operation.key, found);
}

void Tracer::listed(const Listing& listing) {
  fmt::print("  #{} listed:", trace_number(listing.operation));
  if (!listing.records) {
    fmt::print(" {}", to_string(listing.records.error().code));
  } else {
    for (const auto& [key, header] : *listing.records) {
      fmt::print(" {}={:.8}", key, to_string(header.version.uuid));
    }
  }
  fmt::print("\n");
}

void Tracer::crashed(Crash crash) {
  fmt::print("  *** {}\n", crash == Crash::kill ? "killed" : "power lost");
}

void Tracer::recovered(const Image& image) {
  fmt::print("  *** started; reserve {}, found:", image.state.clock_reserve.ms());
  for (const auto& [key, record] : image.records) {
    fmt::print(" {}={}", key, record ? trace_name(*record) : "damaged");
  }
  fmt::print("\n");
}

void Tracer::unopened(Errc why) {
  fmt::print("  *** did not start: {}\n", to_string(why));
}

void Tracer::damage_unnoticed() {
  fmt::print("  *** started on damaged files\n");
}

void Tracer::rotted(std::string_view key) {
  fmt::print("  *** a bit flipped in the record of {}\n", key);
}

void Tracer::space_gone() {
  fmt::print("  *** the disk is full\n");
}

void Tracer::space_back() {
  fmt::print("  *** the disk has space\n");
}

void Tracer::healed() {
  fmt::print("  *** healed: no fault from now on\n");
}

void Tracer::ended(const Image&) {
  fmt::print("  *** the end\n");
}

}  // namespace kvs
