// Which keys a client that pipelines is about to read, seen before its requests are parsed.
//
// A guess to fetch by, no more: nothing is decoded or judged, so an encoded key is told as it
// stands, and what looks like a request may turn out to be refused. Fetching at random costs a
// reader most of its time in memory; a dozen fetches at once take little longer than one.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace kvs {

/// So many requests of one turn are worth looking at.
constexpr std::size_t kLookaheadMax = 32;

/// Fills `keys` with those of the GETs of single keys that `bytes` begins with, views into `bytes`,
/// and returns how many there are: nothing unless two requests are there, whole but for the end of
/// the last. Takes time in proportion to their heads.
std::size_t keys_ahead(std::string_view bytes, std::span<std::string_view> keys);

}  // namespace kvs
