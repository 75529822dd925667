// What one client that watches believes: the keys below its path, as it was told of them.
//
// It believes nothing of how a watch is made: it applies events as docs/api.md says that a client
// should, and notices an older version after a newer one, and a version that comes twice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/watcher.h"

namespace kvs {

/// True for a key that a watch of this path, without a slash at its end, tells of.
[[nodiscard]] bool is_below(std::string_view key, std::string_view path);

class WatchedPicture {
 public:
  using Live = std::map<std::string, RecordHeader, std::less<>>;

  /// A version that an event told of. What expires is told as there, and then as gone.
  struct Told {
    RecordHeader header;
    bool repeated = false;         // it was told before, and this is no snapshot
    std::optional<Version> newer;  // of the same key, told before
  };

  /// Takes an event. What was told of a version, if it is one that tells of a version.
  std::optional<Told> take(const WatchEvent& event);

  /// The client has read this before it began to watch.
  void hold(const std::string& key, const RecordHeader& header) {
    live_.insert_or_assign(key, header);
  }

  /// The stream is no more. A snapshot that was under way is told again.
  void broke_off() { listed_.reset(); }

  /// True while a snapshot is under way.
  [[nodiscard]] bool listing() const { return listed_.has_value(); }

  [[nodiscard]] const Live& live() const { return live_; }

 private:
  /// What the client knows of a version. That a time is over it may be told once more, until its
  /// cursor says that it knows, and after a snapshot that begins anew (docs/consistency.md, W2).
  enum class Known : std::uint8_t { there, gone, gone_for_good };

  [[nodiscard]] bool repeats(const WatchEvent& event, const Version& version) const;
  void note(const WatchEvent& event, const Version& version);
  Told take_version(const WatchEvent& event, const Version& version);
  void end_snapshot();

  Live live_;
  std::map<std::string, Version> newest_;              // that was told of each key
  std::map<std::pair<std::string, Dot>, Known> told_;  // since the client began
  std::optional<std::set<std::string>> listed_;        // by the snapshot that is under way
};

}  // namespace kvs
