// How long to wait for an answer: what answers take in the mean, and four times by how much they
// differ from that (Jacobson 1988, RFC 6298); twice as long after each that did not come.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace kvs {

class Patience {
 public:
  Patience(Duration least, Duration most) : least_(least), most_(most), span_(least) {}

  /// An answer came after this time.
  void answered(Duration took) {
    if (mean_ == Duration{}) {
      mean_ = took;
      deviation_ = {took.ns / 2};
    } else {
      const std::int64_t off = took.ns - mean_.ns;
      deviation_ = {deviation_.ns + ((off < 0 ? -off : off) - deviation_.ns) / 4};
      mean_ = {mean_.ns + off / 8};
    }
    span_ = std::clamp(Duration{mean_.ns + 4 * deviation_.ns}, least_, most_);
  }

  /// None came in time.
  void unanswered() { span_ = std::min(span_ + span_, most_); }

  [[nodiscard]] Duration span() const { return span_; }

 private:
  Duration least_;
  Duration most_;
  Duration mean_;
  Duration deviation_;
  Duration span_;
};

}  // namespace kvs
