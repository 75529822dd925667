#include "app/yaml_entries.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/utf8.h"

namespace kvs {
namespace {

constexpr std::size_t kProblemsMax = 20;

int line_of(const YAML::Mark& mark) {
  return mark.line + 1;
}

int line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<int>(std::ranges::count(text.substr(0, offset), '\n'));
}

/// A kind of value that a configuration has no use for, in words.
YamlValue other(std::string_view what, const YAML::Mark& mark) {
  return {.kind = YamlKind::other, .text = std::string(what), .line = line_of(mark)};
}

/// True if a quoted text that begins at the front of `rest` ends before its line does. yaml-cpp
/// itself lets a missing quote swallow the lines that follow, up to the end of the file.
bool ends_on_its_line(std::string_view rest) {
  const char quote = rest.empty() ? '\0' : rest.front();
  if (quote != '"' && quote != '\'') {
    return true;  // a block, which has no quotes
  }
  for (std::size_t i = 1; i < rest.size() && rest[i] != '\n'; ++i) {
    const bool escapes = quote == '"' ? rest[i] == '\\' : rest.substr(i).starts_with("\'\'");
    if (escapes && !rest.substr(i + 1).starts_with('\n')) {
      ++i;
    } else if (rest[i] == quote) {
      return true;
    }
  }
  return false;
}

/// Takes the parser's events. Depth 0 is outside of the document, 1 inside its map, 2 inside a
/// value of that map; what lies deeper is passed over, since its container has been noted.
class EntryCollector final : public YAML::EventHandler {
 public:
  EntryCollector(std::string_view text, YamlEntries& result) : text_(text), result_(result) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) {
      add_problem(line_of(mark),
                  "this does not belong to the keys above it; indent all keys alike, with no `---` "
                  "between");
    }
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    take({.kind = YamlKind::none, .text = {}, .line = line_of(mark)});
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    take(other("an alias", mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // yaml-cpp gives "?" for a plain scalar, "!" for a quoted one or a block, else a written tag.
    if (anchor != YAML::NullAnchor || (tag != "?" && tag != "!")) {
      return take(other("a value with an anchor or a tag", mark));
    }
    // A mark counts bytes.
    const auto start = static_cast<std::size_t>(mark.pos);
    if (tag == "!" && !ends_on_its_line(text_.substr(std::min(start, text_.size())))) {
      return take(other("a quoted text that does not end on its line", mark));
    }
    take({.kind = tag == "!" ? YamlKind::quoted : YamlKind::plain,
          .text = value,
          .line = line_of(mark)});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/,
                       YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {
    const bool opens_value = depth_ == 1 && awaited_ == Awaited::value;
    take(opens_value ? YamlValue{.kind = YamlKind::list, .text = {}, .line = line_of(mark)}
                     : other("a list", mark));
    in_list_ = in_list_ || opens_value;
    ++depth_;
  }

  void OnSequenceEnd() override { leave(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    if (depth_ == 0) {
      in_map_ = true;
    } else {
      take(other("a map", mark));
    }
    ++depth_;
  }

  void OnMapEnd() override { leave(); }

  [[nodiscard]] int documents() const { return documents_; }

 private:
  /// What stands next in the map; the value of a malformed key is passed over.
  enum class Awaited : std::uint8_t { key, value, ignored_value };

  void leave() {
    --depth_;
    in_list_ = in_list_ && depth_ >= 2;
  }

  void take(YamlValue value) {
    if (documents_ > 1) {
      return;
    }
    if (depth_ == 0) {
      take_document(value);
    } else if (depth_ == 1 && in_map_) {
      take_in_map(std::move(value));
    } else if (depth_ == 2 && in_list_) {
      result_.entries.back().items.push_back(std::move(value));
    }
  }

  void take_document(const YamlValue& value) {
    if (value.kind != YamlKind::none) {
      add_problem(value.line, "this is not a list of keys; write one `key: value` a line");
    }
  }

  void take_in_map(YamlValue value) {
    switch (std::exchange(awaited_, Awaited::key)) {
      case Awaited::key:
        return take_key(std::move(value));
      case Awaited::value:
        return take_value(std::move(value));
      case Awaited::ignored_value:
        return;
    }
  }

  void take_key(YamlValue key) {
    if (key.kind == YamlKind::plain || key.kind == YamlKind::quoted) {
      result_.entries.push_back(
          {.key = std::move(key.text), .line = key.line, .value = {}, .items = {}});
      awaited_ = Awaited::value;
    } else {
      add_problem(key.line, "a key must be a word; write `key: value`");
      awaited_ = Awaited::ignored_value;
    }
  }

  void take_value(YamlValue value) {
    YamlEntry& entry = result_.entries.back();
    if (value.kind == YamlKind::none) {
      // yaml-cpp places what is absent where the next thing stands.
      value.line = entry.line;
    }
    entry.value = std::move(value);
  }

  void add_problem(int line, std::string_view text) {
    if (result_.problems.size() < kProblemsMax) {
      result_.problems.push_back({.line = line, .text = std::string(text)});
    }
  }

  std::string_view text_;
  YamlEntries& result_;
  Awaited awaited_ = Awaited::key;
  int documents_ = 0;
  int depth_ = 0;
  bool in_map_ = false;
  bool in_list_ = false;
};

/// What makes a text unfit before its YAML is looked at.
std::optional<YamlProblem> find_unfit(std::string_view text) {
  if (text.size() > kYamlBytesMax) {
    return YamlProblem{.line = 0, .text = fmt::format("longer than {} bytes", kYamlBytesMax)};
  }
  if (const std::size_t at = find_invalid_utf8(text); at != text.size()) {
    return YamlProblem{.line = line_at(text, at), .text = "not UTF-8; save the file as UTF-8"};
  }
  // yaml-cpp takes U+0004 for the end of its input, and would ignore the rest.
  const auto is_control = [](char c) {
    return c == 0x7F ||
           (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r');
  };
  if (const auto found = std::ranges::find_if(text, is_control); found != text.end()) {
    const auto at = static_cast<std::size_t>(found - text.begin());
    return YamlProblem{.line = line_at(text, at),
                       .text = fmt::format("a control character (U+{:04X}); remove it",
                                           static_cast<unsigned>(*found))};
  }
  return std::nullopt;
}

}  // namespace

YamlEntries read_yaml_entries(std::string_view text) {
  YamlEntries result;
  if (auto unfit = find_unfit(text)) {
    result.problems.push_back(*std::move(unfit));
    return result;
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const auto add_syntax_problem = [&result](int line, std::string problem) {
    result.problems.push_back({.line = line, .text = std::move(problem)});
    if (!result.entries.empty()) {
      result.entries.pop_back();  // perhaps only the half of it was seen
    }
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    EntryCollector collector(text, result);
    while (collector.documents() < 2 && parser.HandleNextDocument(collector)) {
    }
  } catch (const YAML::DeepRecursion& error) {
    add_syntax_problem(line_of(error.mark), "nested too deeply");
  } catch (const YAML::Exception& error) {
    add_syntax_problem(error.mark.is_null() ? 0 : line_of(error.mark), "not YAML: " + error.msg);
  } catch (const std::exception& error) {
    add_syntax_problem(0, std::string("not YAML: ") + error.what());
  }
  return result;
}

}  // namespace kvs
