// Damage for the files of a data folder, and the records that tests look for afterwards.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/store.h"
#include "support/store_conformance.h"

namespace kvs {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline std::string with_flipped_bit(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ 1U << bit % 8);
  return bytes;
}

/// The files in `folder` whose names begin or end with `part`, in order of their names.
inline std::vector<std::filesystem::path> files_like(const std::filesystem::path& folder,
                                                     const std::string& part) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(part) || name.ends_with(part)) {
      paths.push_back(entry.path());
    }
  }
  std::ranges::sort(paths);
  return paths;
}

/// Where the fragments of a log of whole fragments within one block begin, and the end.
inline std::vector<std::size_t> fragment_offsets(const std::string& log) {
  std::vector<std::size_t> offsets;
  std::size_t offset = 0;
  for (; offset < log.size(); offset += 7U + get_le<std::uint16_t>(log.data() + offset + 4)) {
    offsets.push_back(offset);
  }
  offsets.push_back(offset);
  return offsets;
}

inline void copy_folder(const std::string& source, const std::string& target) {
  std::filesystem::remove_all(target);
  std::filesystem::copy(source, target, std::filesystem::copy_options::recursive);
}

/// The key and the record that the `seq`-th write of these tests leaves.
inline std::string test_key(std::uint64_t seq) {
  return "key/" + std::to_string(100'000 + seq);
}

inline Record test_record(std::uint64_t seq) {
  std::string value = "\"";
  Prng prng(seq);
  for (std::uint64_t i = prng.below(200); i > 0; --i) {
    value.push_back(static_cast<char>('a' + prng.below(26)));
  }
  return conformance_record(seq, value + "\"");
}

/// Commits the writes [first, last), each a batch of its own with the K that covers it.
inline void write_records(Store& store, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t seq = first; seq < last; ++seq) {
    ConformanceBatch batch;
    batch.put(test_key(seq), test_record(seq));
    batch.state().knowledge.push_back({.origin = Origin{7}, .known = {.upto = seq, .beyond = {}}});
    ASSERT_TRUE(store.commit(batch.effects()));
  }
}

/// What became of the writes [first, last).
struct ReadTally {
  std::uint64_t right = 0;
  std::uint64_t missing = 0;
  std::uint64_t damaged = 0;  // an error, as it should be
  std::uint64_t wrong = 0;    // must never be
};

inline ReadTally tally(const Store& store, std::uint64_t first, std::uint64_t last) {
  ReadTally tally;
  for (std::uint64_t seq = first; seq < last; ++seq) {
    const std::string key = test_key(seq);
    const auto record = store.get(Key::from_store(key));
    if (!record) {
      ++tally.damaged;
    } else if (!*record) {
      ++tally.missing;
    } else if (record->header() == test_record(seq).header &&
               record->value() == test_record(seq).value) {
      ++tally.right;
    } else {
      ++tally.wrong;
    }
  }
  return tally;
}

}  // namespace kvs
