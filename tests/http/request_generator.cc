#include "http/request_generator.h"

#include <array>

namespace kvs::http_test {

namespace {

template <std::size_t Count>
std::string pick(Prng& prng, const std::array<std::string_view, Count>& choices) {
  return std::string(choices[prng.below(Count)]);
}

/// `text` with each letter's case drawn anew.
std::string in_any_case(Prng& prng, std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z' && prng.chance(1, 2)) {
      c = static_cast<char>(c - 0x20);
    }
  }
  return text;
}

std::string blanks(Prng& prng) {
  return pick<6>(prng, {"", " ", " ", " ", "\t", "  \t "});
}

std::string text_of(Prng& prng, std::string_view alphabet, std::size_t size_max) {
  std::string text;
  for (std::size_t size = prng.below(size_max + 1); text.size() < size;) {
    text.push_back(alphabet[prng.below(alphabet.size())]);
  }
  return text;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Writes one request and the Message that it means.
class RequestMaker {
 public:
  explicit RequestMaker(Prng& prng) : prng_(prng) {}

  void make(GeneratedStream& stream, bool last) {
    std::string& out = stream.bytes;
    out += prng_.chance(1, 8) ? "\r\n" : "";
    start_line(out);
    message_.keep_alive = !last;
    fields(last);
    const std::string body = frame_body();
    for (const std::string& line : lines_) {
      out += line;
    }
    out += "\r\n" + body;
    stream.messages.push_back(message_);
  }

 private:
  void start_line(std::string& out) {
    message_.method = pick<6>(prng_, {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"});
    message_.path = "/" + text_of(prng_, "abc/%2F-._~!$&'()*+,;=:@|\"<>[]", 30);
    message_.query = prng_.chance(1, 3) ? "?" + text_of(prng_, "ab=&?/%20+", 20) : "";
    message_.target = message_.path + message_.query;
    if (prng_.chance(1, 10)) {
      message_.target.insert(0, "http://kvs.example:80");
    }
    old_version_ = prng_.chance(1, 5);
    out += message_.method + " " + message_.target + (old_version_ ? " HTTP/1.0" : " HTTP/1.1") +
           "\r\n";
  }

  void field(const std::string& name, const std::string& value) {
    const std::string spelled = in_any_case(prng_, name);
    lines_.push_back(spelled + ":" + blanks(prng_) + value + blanks(prng_) + "\r\n");
    message_.fields.emplace_back(spelled, value);
  }

  void fields(bool last) {
    random_fields();
    if (!old_version_ || prng_.chance(1, 2)) {
      message_.host = pick<4>(prng_, {"h", "127.0.0.1:8080", "[::1]:80", ""});
      field("host", message_.host);
    }
    random_fields();
    if (last) {
      plain_field("connection", "close");
    } else if (old_version_) {
      plain_field("connection", pick<2>(prng_, {"keep-alive", "x, Keep-Alive"}));
    }
    random_fields();
  }

  void random_fields() {
    for (std::uint64_t left = prng_.below(4); left > 0; --left) {
      field(pick<4>(prng_, {"x-a", "user-agent", "accept-language", "x_!#$%&'*+.^`|~9"}),
            trimmed(text_of(prng_, "abc ,;=\"\t:\xC3\xA9\xFF", 40)));
    }
  }

  /// Adds the framing fields; the body as it goes over the wire.
  std::string frame_body() {
    const std::uint64_t kind = prng_.below(old_version_ ? 2 : 3);
    if (kind == 0) {
      return "";
    }
    message_.body = text_of(prng_, "{}[]\":,0123456789\r\n abc", 60);
    if (kind == 1) {
      plain_field("content-length",
                  pick<3>(prng_, {"", "", "00"}) + std::to_string(message_.body.size()));
      return message_.body;
    }
    plain_field("transfer-encoding", in_any_case(prng_, "chunked"));
    return chunks();
  }

  /// A field that other parsers know in the plainest spelling only.
  void plain_field(const std::string& name, const std::string& value) {
    const std::string spelled = in_any_case(prng_, name);
    lines_.push_back(spelled + ": " + value + "\r\n");
    message_.fields.emplace_back(spelled, value);
  }

  std::string chunks() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (std::size_t at = 0; at < message_.body.size();) {
      const std::size_t size =
          1 + prng_.below(std::min<std::size_t>(20, message_.body.size() - at));
      out += pick<3>(prng_, {"", "", "000"});
      out += size >= 16 ? in_any_case(prng_, {kDigits[size / 16]}) : "";
      out += in_any_case(prng_, {kDigits[size % 16]});
      out += pick<4>(prng_, {"", "", ";a;b=c", ";q=\"x;\\\"\t\""}) + "\r\n";
      out += message_.body.substr(at, size) + "\r\n";
      at += size;
    }
    return out + "0\r\n" + pick<3>(prng_, {"", "", "X-Sum: 1\r\nVary: *\r\n"}) + "\r\n";
  }

  Prng& prng_;
  Message message_;
  std::vector<std::string> lines_;
  bool old_version_ = false;
};

}  // namespace

GeneratedStream make_stream(Prng& prng) {
  GeneratedStream stream;
  const std::uint64_t count = 1 + prng.below(4);
  for (std::uint64_t i = 1; i <= count; ++i) {
    RequestMaker(prng).make(stream, i == count && prng.chance(1, 2));
  }
  return stream;
}

std::string damaged(std::string bytes, Prng& prng) {
  for (std::uint64_t edits = 1 + prng.below(4); edits > 0 && !bytes.empty(); --edits) {
    const std::size_t at = prng.below(bytes.size());
    switch (prng.below(5)) {
      case 0:
        bytes[at] = static_cast<char>(prng.below(256));
        break;
      case 1:
        bytes.erase(at, 1 + prng.below(4));
        break;
      case 2:
        bytes.insert(at, bytes.substr(prng.below(bytes.size()), prng.below(30)));
        break;
      case 3: {
        const std::size_t line = bytes.find("\r\n", at);
        if (line != std::string::npos) {
          bytes.insert(line + 2,
                       pick<10>(prng, {"Content-Length: 5\r\n", "Content-Length: 05\t\r\n",
                                       "Transfer-Encoding: chunked\r\n",
                                       "Transfer-Encoding: chunked, identity\r\n",
                                       "Transfer-Encoding : chunked\r\n", "Host: x\r\n",
                                       "Connection: close\r\n", " folded\r\n", "\r\n",
                                       "Content-Length: +5\r\n"}));
        }
        break;
      }
      default:
        bytes.insert(at, pick<13>(prng, {"\r", "\n", "\r\n", " ", "\t", ":", ",", ";", "0", "\x7F",
                                         "\x80", "#", "\""}));
    }
  }
  return bytes;
}

}  // namespace kvs::http_test
