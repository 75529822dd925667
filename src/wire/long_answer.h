// An answer whose length is not known when it begins: whole, with its status, if it is at its end
// soon enough, else streamed with status 200. For sources that give head and framing themselves
// (Handled::Kind::framing).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "wire/http.h"
#include "wire/http_write.h"
#include "wire/request_handler.h"

namespace kvs {

class LongAnswer {
 public:
  /// `content_type` has static storage.
  LongAnswer(const AnswerTarget& target, std::string_view content_type)
      : persistence_(target.stream_framing == StreamFraming::until_close ? Persistence::close
                                                                         : target.persistence),
        framing_(target.stream_framing),
        content_type_(content_type) {}

  /// What is to be sent next: append to it.
  [[nodiscard]] std::string& body() { return body_; }

  /// True once the status has been sent.
  [[nodiscard]] bool begun() const { return begun_; }

  /// Sends what the body holds so far; with the first of it, that the status is 200.
  void send_some(std::string& out);

  struct End {
    // If nothing has been sent:
    unsigned status = 200;
    std::string_view content_type;  // empty: as was said
    std::span<const HeaderField> fields;
  };

  /// Sends what the body holds, which is the end of it.
  void finish(std::string& out, const End& end);

  void finish(std::string& out) { finish(out, End()); }

 private:
  Persistence persistence_;
  StreamFraming framing_;
  std::string_view content_type_;
  std::string body_;
  bool begun_ = false;
};

}  // namespace kvs
