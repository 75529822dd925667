// What we accept, http_parser (2.9.4, the lenient parser that Debian has) accepts too, and reads
// the same out of it: were it otherwise, a proxy built on it could be made to see other requests
// than we.
//
// Tolerated: methods that it does not know; what follows an Upgrade, which it does not parse; some
// blanks around the values of Content-Length and Transfer-Encoding, which it refuses although they
// are legal there (RFC 9110, 5.6.3), and names that only begin like these. Whether the
// connection stays open is compared on sound streams only: it overlooks a `close` followed by a tab
// and a `keep-alive` after an empty list element.
#include <gtest/gtest.h>
#include <http_parser.h>

#include "http/request_generator.h"

namespace kvs::http_test {
namespace {

/// Collects the messages that http_parser sees in one stream.
class OtherParser {
 public:
  explicit OtherParser(std::string_view input) {
    http_parser_init(&parser_, HTTP_REQUEST);
    parser_.data = this;
    static const http_parser_settings kSettings = settings();
    http_parser_execute(&parser_, &kSettings, input.data(), input.size());
  }

  [[nodiscard]] const std::vector<Message>& messages() const { return messages_; }

  [[nodiscard]] bool failed() const { return HTTP_PARSER_ERRNO(&parser_) != HPE_OK; }

  [[nodiscard]] bool unknown_method() const {
    return HTTP_PARSER_ERRNO(&parser_) == HPE_INVALID_METHOD;
  }

  [[nodiscard]] bool refused_length() const {
    return HTTP_PARSER_ERRNO(&parser_) == HPE_INVALID_CONTENT_LENGTH;
  }

  [[nodiscard]] bool refused_transfer_encoding() const {
    return HTTP_PARSER_ERRNO(&parser_) == HPE_INVALID_TRANSFER_ENCODING ||
           HTTP_PARSER_ERRNO(&parser_) == HPE_UNEXPECTED_CONTENT_LENGTH;
  }

  [[nodiscard]] bool upgraded() const { return parser_.upgrade != 0; }

  [[nodiscard]] std::string error() const { return http_errno_name(HTTP_PARSER_ERRNO(&parser_)); }

 private:
  static OtherParser& self(http_parser* parser) { return *static_cast<OtherParser*>(parser->data); }

  static http_parser_settings settings() {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_message_begin = [](http_parser* p) {
      self(p).message_ = {};
      self(p).in_value_ = true;
      self(p).head_done_ = false;
      return 0;
    };
    settings.on_url = [](http_parser* p, const char* at, std::size_t size) {
      self(p).message_.target.append(at, size);
      return 0;
    };
    settings.on_header_field = [](http_parser* p, const char* at, std::size_t size) {
      self(p).take_name({at, size});
      return 0;
    };
    settings.on_header_value = [](http_parser* p, const char* at, std::size_t size) {
      self(p).take_value({at, size});
      return 0;
    };
    settings.on_headers_complete = [](http_parser* p) {
      self(p).head_done_ = true;
      return 0;
    };
    settings.on_body = [](http_parser* p, const char* at, std::size_t size) {
      self(p).message_.body.append(at, size);
      return 0;
    };
    settings.on_message_complete = [](http_parser* p) {
      self(p).finish();
      return 0;
    };
    return settings;
  }

  void take_name(std::string_view piece) {
    if (head_done_) {
      return;  // a trailer
    }
    if (in_value_) {
      message_.fields.emplace_back();
      in_value_ = false;
    }
    message_.fields.back().first += piece;
  }

  void take_value(std::string_view piece) {
    if (head_done_) {
      return;
    }
    in_value_ = true;
    message_.fields.back().second += piece;
  }

  void finish() {
    message_.method = http_method_str(static_cast<http_method>(parser_.method));
    message_.keep_alive = http_should_keep_alive(&parser_) != 0;
    for (auto& [name, value] : message_.fields) {
      value.erase(value.find_last_not_of(" \t") + 1);
    }
    messages_.push_back(message_);
  }

  http_parser parser_{};
  std::vector<Message> messages_;
  Message message_;
  bool in_value_ = true;
  bool head_done_ = false;
};

std::string describe(const Message& message) {
  std::string text = message.method + " " + message.target + "\n";
  for (const auto& [name, value] : message.fields) {
    text += "  " + name + "=[" + value + "]\n";
  }
  return text + (message.keep_alive ? "  stays" : "  closes") + ", body [" + message.body + "]\n";
}

/// What decides where one message ends and the next begins, and what it asks for.
bool same(const Message& ours, const Message& theirs) {
  return ours.method == theirs.method && ours.target == theirs.target &&
         ours.fields == theirs.fields && ours.body == theirs.body;
}

struct Tally {
  int accepted = 0;
  int refused_by_us_only = 0;
  int unknown_method = 0;
  int upgrade = 0;
  int blanks = 0;
};

bool has_field_beginning(const Message& message, std::string_view name) {
  return std::ranges::any_of(message.fields, [&](const auto& field) {
    return equals_lower_case(std::string_view(field.first).substr(0, name.size()), name);
  });
}

/// True if `theirs` stopped at `message` for one of the reasons above; counts it.
bool tolerated(const OtherParser& theirs, const Message& message, Tally& tally) {
  const bool blanks =
      (theirs.refused_length() && has_field_beginning(message, "content-length")) ||
      (theirs.refused_transfer_encoding() && has_field_beginning(message, "transfer-encoding"));
  tally.unknown_method += theirs.unknown_method() ? 1 : 0;
  tally.upgrade += theirs.upgraded() ? 1 : 0;
  tally.blanks += blanks ? 1 : 0;
  return theirs.unknown_method() || theirs.upgraded() || blanks;
}

void compare(const std::string& bytes, std::uint64_t seed, Tally& tally) {
  const Outcome ours = run_whole<RequestHead>(bytes);
  const OtherParser theirs(bytes);
  for (std::size_t i = 0; i < ours.messages.size(); ++i) {
    if (i == theirs.messages().size()) {
      ASSERT_TRUE(tolerated(theirs, ours.messages[i], tally))
          << "seed " << seed << ": accepted by us, " << theirs.error() << " there:\n"
          << bytes;
      return;
    }
    ASSERT_TRUE(same(ours.messages[i], theirs.messages()[i]))
        << "seed " << seed << ": ours:\n"
        << describe(ours.messages[i]) << "theirs:\n"
        << describe(theirs.messages()[i]) << bytes;
  }
  tally.accepted += ours.ending == Ending::clean ? 1 : 0;
  tally.refused_by_us_only += ours.ending == Ending::refused && !theirs.failed() ? 1 : 0;
}

TEST(Differential, WhatWeAcceptHttpParserReadsTheSameWay) {
  constexpr std::uint64_t kRounds = 50'000;
  Tally tally;
  for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
    Prng prng(seed);
    compare(damaged(make_stream(prng).bytes, prng), seed, tally);
    if (HasFatalFailure()) {
      return;
    }
  }
  std::printf(
      "differential: %d streams accepted by both; tolerated: %d unknown methods, %d upgrades, "
      "%d blanks; %d refused by us only\n",
      tally.accepted, tally.unknown_method, tally.upgrade, tally.blanks, tally.refused_by_us_only);
  EXPECT_GT(tally.accepted, 1000);
  EXPECT_GT(tally.refused_by_us_only, 1000);
}

TEST(Differential, SoundStreamsAreReadTheSameWay) {
  Tally tally;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Prng prng(seed);
    const GeneratedStream stream = make_stream(prng);
    compare(stream.bytes, seed, tally);
    const OtherParser theirs(stream.bytes);
    for (std::size_t i = 0; i < stream.messages.size(); ++i) {
      ASSERT_EQ(theirs.messages()[i].keep_alive, stream.messages[i].keep_alive) << stream.bytes;
    }
  }
  EXPECT_EQ(tally.accepted, 10'000);
}

}  // namespace
}  // namespace kvs::http_test
