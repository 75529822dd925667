#include "wire/long_answer.h"

namespace kvs {

void LongAnswer::send_some(std::string& out) {
  if (!begun_) {
    begun_ = true;
    put_stream_head(
        out,
        {.status = 200, .persistence = persistence_, .content_type = content_type_, .fields = {}},
        framing_);
  }
  if (framing_ == StreamFraming::chunked) {
    put_chunk(out, body_);
  } else {
    out.append(body_);
  }
  body_.clear();
}

void LongAnswer::finish(std::string& out, const End& end) {
  if (!begun_) {
    begun_ = true;
    put_response(out,
                 {.status = end.status,
                  .persistence = persistence_,
                  .content_type = end.content_type.empty() ? content_type_ : end.content_type,
                  .fields = end.fields},
                 body_);
    return;
  }
  send_some(out);
  if (framing_ == StreamFraming::chunked) {
    put_last_chunk(out);
  }
}

}  // namespace kvs
