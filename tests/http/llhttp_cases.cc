#include "http/llhttp_cases.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

namespace kvs::http_test {

namespace {

const std::filesystem::path kFolder = std::filesystem::path(KVS_TEST_DATA) / "llhttp-requests";

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The UTF-8 form of a code point below U+0800.
std::string utf8(int code_point) {
  if (code_point < 0x80) {
    return {static_cast<char>(code_point)};
  }
  return {static_cast<char>(0xC0 | (code_point >> 6)),
          static_cast<char>(0x80 | (code_point & 0x3F))};
}

/// `\xHH` with base 16, `\OOO` with base 8.
std::string unescape_numbers(const std::string& text, const std::regex& pattern, int base) {
  std::string out;
  std::size_t done = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    const auto at = static_cast<std::size_t>(it->position());
    out.append(text, done, at - done);
    out.append(utf8(std::stoi((*it)[1].str(), nullptr, base)));
    done = at + static_cast<std::size_t>(it->length());
  }
  return out + text.substr(done);
}

/// The bytes that a code block of the Markdown stands for, by the rules of the suite it comes from.
std::string decode_input(std::string text) {
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  text = replace_all(text, "\\\n", "");
  text = replace_all(text, "\n", "\r\n");
  text = replace_all(text, "\\r", "\r");
  text = replace_all(text, "\\n", "\n");
  text = replace_all(text, "\\t", "\t");
  text = replace_all(text, "\\f", "\f");
  text = unescape_numbers(text, std::regex(R"(\\x([0-9a-fA-F]+))"), 16);
  return unescape_numbers(text, std::regex(R"(\\([0-7]{1,3}))"), 8);
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Builds the expected outcome from the suite's event log, line by line.
class LogReader {
 public:
  void take(const std::string& line, LlhttpCase& result) {
    static const std::regex kSpan(R"re(off=\d+ len=\d+ span\[(\w+)\]="(.*)")re");
    static const std::regex kError(R"(off=\d+ error code=(\d+) .*)");
    std::smatch match;
    if (std::regex_match(line, match, kSpan)) {
      take_span(match[1], replace_all(replace_all(match[2], "\\t", "\t"), "\\f", "\f"));
    } else if (std::regex_match(line, match, kError)) {
      const bool upgrade = match[1] == "22" || match[1] == "23";
      result.label = upgrade ? LlhttpCase::Label::upgrade : result.label;
      result.expected.ending = upgrade ? Ending::clean : Ending::refused;
    } else if (line.ends_with("message begin")) {
      *this = LogReader();
      result.expected.ending = Ending::incomplete;
    } else if (line.ends_with("header_value complete") && !head_done_) {
      message_.fields.emplace_back(std::move(name_), trimmed(value_));
      name_.clear();
      value_.clear();
    } else if (line.find(" headers complete ") != std::string::npos) {
      head_done_ = true;
    } else if (line.ends_with("message complete")) {
      result.expected.messages.push_back(message_);
      result.expected.ending = Ending::clean;
    }
  }

 private:
  void take_span(const std::string& kind, const std::string& bytes) {
    std::string* const place = kind == "method"                        ? &message_.method
                               : kind == "url"                         ? &message_.target
                               : kind == "body"                        ? &message_.body
                               : kind == "header_field" && !head_done_ ? &name_
                               : kind == "header_value" && !head_done_ ? &value_
                                                                       : nullptr;
    if (place != nullptr) {
      place->append(bytes);
    }
  }

  Message message_;
  std::string name_;
  std::string value_;
  bool head_done_ = false;
};

/// Reads one file; keeps what belongs to the case that is being read.
class FileReader {
 public:
  FileReader(const std::filesystem::path& path, std::vector<LlhttpCase>& cases)
      : name_(path.filename().string()), file_(path), cases_(cases) {}

  void run() {
    for (std::string line; next(line);) {
      if (line.starts_with("#")) {
        start_case(line);
      } else if (line.starts_with("<!-- meta=")) {
        lenient_ = line.find("lenient") != std::string::npos;
      } else if (line == "```http" || line == "```url") {
        case_.input = decode_input(block());
        is_url_ = line == "```url";
      } else if (line == "```log") {
        finish_case(block());
      }
    }
  }

 private:
  bool next(std::string& line) {
    ++line_number_;
    return static_cast<bool>(std::getline(file_, line));
  }

  void start_case(const std::string& heading) {
    case_ = {};
    case_.place = name_ + ":" + std::to_string(line_number_);
    case_.title = heading.substr(heading.find_first_not_of("# "));
    lenient_ = false;
  }

  std::string block() {
    std::string text;
    for (std::string line; next(line) && !line.starts_with("```");) {
      text += line + "\n";
    }
    return text;
  }

  void finish_case(const std::string& log) {
    LogReader reader;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      reader.take(line, case_);
    }
    if (is_url_) {
      case_.expected.ending =
          case_.expected.ending == Ending::refused ? Ending::refused : Ending::clean;
      if (case_.expected.ending == Ending::clean) {
        case_.expected.messages = {Message{.method = "GET", .target = case_.input}};
      }
      case_.input = "GET " + case_.input + " HTTP/1.1\r\n\r\n";
    }
    case_.label = lenient_ ? LlhttpCase::Label::lenient : case_.label;
    EXPECT_FALSE(case_.input.empty()) << case_.place;
    cases_.push_back(case_);
  }

  std::string name_;
  std::ifstream file_;
  std::vector<LlhttpCase>& cases_;
  std::size_t line_number_ = 0;
  LlhttpCase case_;
  bool lenient_ = false;
  bool is_url_ = false;
};

}  // namespace

std::vector<LlhttpCase> read_llhttp_cases() {
  std::vector<LlhttpCase> cases;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".md" && entry.path().stem() != "EXCEPTIONS") {
      paths.push_back(entry.path());
    }
  }
  std::ranges::sort(paths);
  for (const std::filesystem::path& path : paths) {
    FileReader(path, cases).run();
  }
  return cases;
}

std::vector<LlhttpException> read_llhttp_exceptions() {
  static const std::regex kRow(R"(\| (\S+\.md:\d+) \| [^|]+ \| (\w+) \| [^|]+ \|)");
  std::vector<LlhttpException> exceptions;
  std::ifstream file(kFolder / "EXCEPTIONS.md");
  EXPECT_TRUE(file) << "EXCEPTIONS.md is missing";
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, kRow)) {
      const std::string ours = match[2];
      exceptions.push_back({.place = match[1],
                            .ours = ours == "accepted"  ? Ending::clean
                                    : ours == "refused" ? Ending::refused
                                                        : Ending::incomplete});
    }
  }
  return exceptions;
}

std::string to_string(Ending ending) {
  return ending == Ending::clean        ? "accepted"
         : ending == Ending::incomplete ? "incomplete"
                                        : "refused";
}

}  // namespace kvs::http_test
