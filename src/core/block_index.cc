#include "core/block_index.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <ranges>
#include <utility>

#include "base/check.h"

namespace kvs {

namespace {

/// What a text of this size allocates.
std::size_t heap_bytes(const std::string& text) {
  return text.size() > std::string().capacity() ? text.size() + 1 : 0;
}

std::string_view begin_of(const Block& block) {
  return block.begin;
}

/// Of two neighbours that fit together, one of them at `place`: the left one's place.
template <class Fit>
std::optional<std::size_t> left_of_pair(std::size_t place, const Fit& fit) {
  if (fit(place)) {
    return place;
  }
  return place > 0 && fit(place - 1) ? std::optional(place - 1) : std::nullopt;
}

}  // namespace

std::string_view separator(std::string_view left, std::string_view right) {
  const auto differ = std::ranges::mismatch(left, right).in2;
  return right.substr(0, static_cast<std::size_t>(differ - right.begin()) + 1);
}

BlockIndex::BlockIndex(const BlockLimits& limits) : limits_(limits) {
  KVS_CHECK(limits.fill > 0, "blocks could not be filled");
  KVS_CHECK(limits.max >= 2 * limits.fill, "blocks could not be split");
  KVS_CHECK(limits.chunk_max > 1, "chunks could not be divided");
  clear();
}

void BlockIndex::clear() {
  chunks_.clear();
  chunks_.emplace_back().blocks.push_back({.begin = {}, .sum = {}, .split_above = limits_.max});
  total_ = {};
  size_ = 1;
  text_bytes_ = 0;
}

BlockIndex::Spot BlockIndex::find(std::string_view text) const {
  const auto chunk = std::ranges::upper_bound(
      chunks_, text, {}, [](const Chunk& candidate) { return begin_of(candidate.blocks.front()); });
  const auto& blocks = std::prev(chunk)->blocks;
  const auto block = std::ranges::upper_bound(blocks, text, {}, begin_of);
  return {.chunk = static_cast<std::size_t>(chunk - chunks_.begin()) - 1,
          .block = static_cast<std::size_t>(block - blocks.begin()) - 1};
}

BlockIndex::Spot BlockIndex::find_before(std::string_view end) const {
  if (end.empty()) {
    return last();
  }
  const Spot spot = find(end);
  if (spot == Spot{} || at(spot).begin != end) {
    return spot;
  }
  return spot.block > 0
             ? Spot{.chunk = spot.chunk, .block = spot.block - 1}
             : Spot{.chunk = spot.chunk - 1, .block = chunks_[spot.chunk - 1].blocks.size() - 1};
}

BlockIndex::Spot BlockIndex::last() const {
  return {.chunk = chunks_.size() - 1, .block = chunks_.back().blocks.size() - 1};
}

BlockIndex::Spot BlockIndex::next(Spot spot) const {
  if (spot.block + 1 < chunks_[spot.chunk].blocks.size()) {
    return {.chunk = spot.chunk, .block = spot.block + 1};
  }
  return {.chunk = spot.chunk + 1, .block = 0};
}

const Block& BlockIndex::at(Spot spot) const {
  return chunks_[spot.chunk].blocks[spot.block];
}

std::string_view BlockIndex::end_of(Spot spot) const {
  const Spot following = next(spot);
  return following.chunk < chunks_.size() ? std::string_view(at(following).begin)
                                          : std::string_view();
}

BlockIndex::Stretch BlockIndex::take(Spot from, Spot until, std::uint64_t count) const {
  Stretch stretch{.sum = {}, .next = from};
  while (stretch.next != until && stretch.sum.count < count) {
    const Spot here = stretch.next;
    const Chunk& chunk = chunks_[here.chunk];
    if (here.block == 0 && here.chunk < until.chunk &&
        chunk.sum.count <= count - stretch.sum.count) {
      stretch.sum.add(chunk.sum);
      stretch.next = {.chunk = here.chunk + 1, .block = 0};
    } else {
      stretch.sum.add(chunk.blocks[here.block].sum);
      stretch.next = next(here);
    }
  }
  return stretch;
}

void BlockIndex::add(Spot spot, const Fingerprint& difference) {
  Chunk& chunk = chunks_[spot.chunk];
  chunk.blocks[spot.block].sum.add(difference);
  chunk.sum.add(difference);
  total_.add(difference);
}

void BlockIndex::append(std::string_view begin) {
  if (chunks_.back().blocks.size() >= limits_.chunk_max) {
    chunks_.emplace_back();
  }
  auto& blocks = chunks_.back().blocks;
  blocks.push_back({.begin = std::string(begin), .sum = {}, .split_above = limits_.max});
  text_bytes_ += heap_bytes(blocks.back().begin);
  ++size_;
}

void BlockIndex::replace(Spot spot, std::vector<Block> pieces) {
  auto& blocks = chunks_[spot.chunk].blocks;
  blocks[spot.block].sum = pieces.front().sum;
  blocks[spot.block].split_above = limits_.max;
  for (const Block& piece : pieces | std::views::drop(1)) {
    text_bytes_ += heap_bytes(piece.begin);
    ++size_;
  }
  const auto place = blocks.begin() + static_cast<std::ptrdiff_t>(spot.block) + 1;
  blocks.insert(place, std::make_move_iterator(pieces.begin() + 1),
                std::make_move_iterator(pieces.end()));
  divide_large_chunk(spot.chunk);
}

void BlockIndex::divide_large_chunk(std::size_t chunk) {
  std::vector<Block> blocks;
  if (chunks_[chunk].blocks.size() <= limits_.chunk_max) {
    return;
  }
  blocks.swap(chunks_[chunk].blocks);
  const std::size_t parts = (blocks.size() + limits_.chunk_max - 1) / limits_.chunk_max;
  std::vector<Chunk> divided(parts);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    Chunk& part = divided[i * parts / blocks.size()];
    part.sum.add(blocks[i].sum);
    part.blocks.push_back(std::move(blocks[i]));
  }
  const auto place = chunks_.begin() + static_cast<std::ptrdiff_t>(chunk);
  *place = std::move(divided.front());
  chunks_.insert(place + 1, std::make_move_iterator(divided.begin() + 1),
                 std::make_move_iterator(divided.end()));
}

void BlockIndex::postpone_split(Spot spot) {
  Block& block = chunks_[spot.chunk].blocks[spot.block];
  block.split_above = 2 * block.sum.count;  // so that all tries together cost O(1) a record
}

void BlockIndex::join_small(std::string_view text) {
  join_small_chunk(find(text).chunk);
  const Spot spot = find(text);
  auto& blocks = chunks_[spot.chunk].blocks;
  const auto fit = [&](std::size_t left) {
    return left + 1 < blocks.size() &&
           blocks[left].sum.count + blocks[left + 1].sum.count <= limits_.joined();
  };
  const auto left = left_of_pair(spot.block, fit);
  if (blocks[spot.block].sum.count >= limits_.min() || !left) {
    return;
  }
  Block& target = blocks[*left];
  const Block& source = blocks[*left + 1];
  target.sum.add(source.sum);
  target.split_above = limits_.max;
  text_bytes_ -= heap_bytes(source.begin);
  --size_;
  blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(*left) + 1);
}

void BlockIndex::join_small_chunk(std::size_t chunk) {
  const auto fit = [&](std::size_t left) {
    return left + 1 < chunks_.size() &&
           chunks_[left].blocks.size() + chunks_[left + 1].blocks.size() <=
               limits_.chunk_max * 3 / 4;
  };
  const auto left = left_of_pair(chunk, fit);
  if (chunks_[chunk].blocks.size() > limits_.chunk_max / 4 || !left) {
    return;
  }
  Chunk& target = chunks_[*left];
  Chunk& source = chunks_[*left + 1];
  target.sum.add(source.sum);
  std::ranges::move(source.blocks, std::back_inserter(target.blocks));
  chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(*left) + 1);
}

std::size_t BlockIndex::memory_bytes() const {
  std::size_t bytes = chunks_.capacity() * sizeof(Chunk) + text_bytes_;
  for (const Chunk& chunk : chunks_) {
    bytes += chunk.blocks.capacity() * sizeof(Block);
  }
  return bytes;
}

}  // namespace kvs
