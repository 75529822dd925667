// A handler for tests and measurements: answers from the request alone, and says in its answers
// what it was asked.
//
// PUT /kv/... is a write: pending, and answered with its number by complete(); PUT /refused is
// answered at once; /call is pending alone, and answered with the number in the reply's envelope;
// POST /posts/N posts N writes and answers with their numbers; GET /stream/N streams N pieces, GET
// /broken/N fails after N; GET /big/N has N bytes; anything else is echoed.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/result.h"
#include "wire/http_write.h"
#include "wire/request_handler.h"

namespace kvs::testing {

/// The number after the last '/' of `path`; 0 if there is none.
inline std::uint64_t number_at_end(std::string_view path) {
  std::uint64_t number = 0;
  const std::string_view digits = path.substr(path.rfind('/') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

inline unsigned status_of(Errc code) {
  switch (code) {
    case Errc::length_required:
      return 411;
    case Errc::value_too_large:
      return 413;
    case Errc::key_too_large:
      return 414;
    case Errc::expectation_failed:
      return 417;
    case Errc::headers_too_large:
      return 431;
    case Errc::request_timeout:
      return 408;
    case Errc::overloaded:
      return 503;
    case Errc::not_implemented:
      return 501;
    case Errc::http_version_not_supported:
      return 505;
    default:
      return 400;
  }
}

/// Pieces "piece 1\n", "piece 2\n", ...
class Pieces : public BodySource {
 public:
  Pieces(std::uint64_t count, Status end) : count_(count), end_(end) {}

  Status fill(std::string& out, std::size_t budget, Instant /*now*/) override {
    const std::size_t enough = out.size() + budget;
    while (out.size() < enough && next_ <= count_) {
      out.append("piece ").append(std::to_string(next_++)).append("\n");
    }
    return next_ <= count_ ? Status::more : end_;
  }

 private:
  std::uint64_t count_;
  std::uint64_t next_ = 1;
  Status end_;
};

/// Has nothing to give for `count` turns, and then one piece.
class Barren : public BodySource {
 public:
  Barren(std::uint64_t count, std::uint64_t& asked) : left_(count), asked_(asked) {}

  Status fill(std::string& out, std::size_t /*budget*/, Instant /*now*/) override {
    ++asked_;
    if (left_ == 0) {
      out.append("found");
      return Status::done;
    }
    --left_;
    return Status::more;
  }

 private:
  std::uint64_t left_;
  std::uint64_t& asked_;
};

/// Posts `count` writes, waits for them, and gives a whole answer: "1 2 ...", what complete() said.
class Posts : public BodySource {
 public:
  Posts(std::vector<Ticket>& posted, const ReceivedRequest& request, const AnswerTarget& target)
      : posted_(posted),
        ticket_(request.ticket),
        persistence_(target.stream_framing == StreamFraming::until_close ? Persistence::close
                                                                         : target.persistence),
        left_(number_at_end(request.head.path)) {}

  Status fill(std::string& out, std::size_t /*budget*/, Instant /*now*/) override {
    if (!std::exchange(has_posted_, true)) {
      posted_.insert(posted_.end(), left_, ticket_);
    }
    if (left_ > 0) {
      return Status::waiting;
    }
    put_response(out,
                 {.status = 200, .persistence = persistence_, .content_type = {}, .fields = {}},
                 numbers_);
    return Status::done;
  }

  void complete(const WriteOutcome& outcome) override {
    KVS_CHECK(has_posted_ && left_ > 0, "one outcome for each write");
    --left_;
    numbers_.append(numbers_.empty() ? "" : " ").append(std::to_string(outcome.stamp.ms()));
  }

 private:
  std::vector<Ticket>& posted_;
  Ticket ticket_;
  Persistence persistence_;
  std::uint64_t left_;
  bool has_posted_ = false;
  std::string numbers_;
};

class EchoHandler : public RequestHandler {
 public:
  static constexpr std::uint8_t kCallForm = 7;

  class CallMemo final : public Memo {};

  std::uint64_t body_max = 1000;
  std::vector<Ticket> posted;     // of the writes and calls, oldest first
  std::vector<std::string> seen;  // "METHOD target body" of each request, if `record`
  bool record = true;
  std::vector<std::string> expected;   // keys of the last expect_reads()
  std::size_t seen_when_expected = 0;  // requests handled before it
  std::uint64_t barren_asked = 0;

  void expect_reads(std::span<const std::string_view> keys) override {
    expected.assign(keys.begin(), keys.end());
    seen_when_expected = seen.size();
  }

  [[nodiscard]] bool is_write(const RequestHead& head) const override {
    return head.method == Method::put && !is_streamed(head.path);
  }

  [[nodiscard]] std::uint64_t body_bytes_max(const RequestHead& /*head*/) const override {
    return body_max;
  }

  Handled handle(const ReceivedRequest& request, const AnswerTarget& target) override {
    const RequestHead& head = request.head;
    if (record) {
      seen.push_back(said(head, request.body));
    }
    if (head.method == Method::put && head.path.starts_with("/kv/")) {
      posted.push_back(request.ticket);
      return {.kind = Handled::Kind::pending, .source = nullptr};
    }
    if (head.path == "/call") {
      posted.push_back(request.ticket);
      return {.kind = Handled::Kind::pending_alone,
              .source = nullptr,
              .form = kCallForm,
              .memo = std::make_unique<CallMemo>()};
    }
    if (head.method == Method::post && head.path.starts_with("/posts/")) {
      return {.kind = Handled::Kind::framing,
              .source = std::make_unique<Posts>(posted, request, target)};
    }
    if (is_streamed(head.path)) {
      return stream(head, target,
                    head.path.starts_with("/broken/") ? BodySource::Status::failed
                                                      : BodySource::Status::done);
    }
    if (head.path.starts_with("/big/")) {
      answer(target, 200, std::string(number_at_end(head.path), 'x'));
    } else {
      answer(target, head.path == "/refused" ? 400 : 200, said(head, request.body));
    }
    return {};
  }

  /// Answers with the `ms` of the outcome's stamp, so that tests can tell replies apart.
  void complete(const WriteOutcome& outcome, const AnswerTarget& target) override {
    answer(target, succeeded(outcome.status) ? 201 : 503, std::to_string(outcome.stamp.ms()));
  }

  void complete_call(const PeerReply& reply, const AnswerTarget& target) override {
    KVS_CHECK(target.form == kCallForm, "another form than the handler gave");
    KVS_CHECK(dynamic_cast<const CallMemo*>(target.memo) != nullptr, "another memo");
    answer(target, 202, std::to_string(reply.envelope.wall_ms));
  }

  void refuse(Errc code, std::string_view message, const AnswerTarget& target) override {
    answer(target, status_of(code), message);
  }

 private:
  static bool is_streamed(std::string_view path) {
    return path.starts_with("/stream/") || path.starts_with("/broken/") ||
           path.starts_with("/barren/");
  }

  static std::string said(const RequestHead& head, std::string_view body) {
    return std::string(head.method_name).append(" ").append(head.target).append(" ").append(body);
  }

  static void answer(const AnswerTarget& target, unsigned status, std::string_view body) {
    const Response response{
        .status = status, .persistence = target.persistence, .content_type = {}, .fields = {}};
    if (target.head_only) {
      put_response_to_head(target.out, response, body.size());
    } else {
      put_response(target.out, response, body);
    }
  }

  Handled stream(const RequestHead& head, const AnswerTarget& target, BodySource::Status end) {
    put_stream_head(
        target.out,
        {.status = 200, .persistence = target.persistence, .content_type = {}, .fields = {}},
        target.stream_framing);
    const std::uint64_t count = number_at_end(head.path);
    if (head.path.starts_with("/barren/")) {
      return {.kind = Handled::Kind::streaming,
              .source = std::make_unique<Barren>(count, barren_asked)};
    }
    return {.kind = Handled::Kind::streaming, .source = std::make_unique<Pieces>(count, end)};
  }
};

}  // namespace kvs::testing
